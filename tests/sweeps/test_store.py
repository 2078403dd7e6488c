"""A store that is damaged, or made by somebody else: named or gone on with, never a surprise."""

from __future__ import annotations

import json
import shutil
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp import ConfigError, DataError, run_sweep
from fastmlp.sweeps.records import digest
from fastmlp.sweeps.store import stored_sweep
from toys import blobs

GRID = {"activation": ["relu", "tanh"], "hidden_layer_sizes": 3, "epochs": 1}
FILE = "sweep.sqlite"

fuzz = settings(
    max_examples=settings.default.max_examples // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of two cells."""
    folder = tmp_path_factory.mktemp("sweep")
    run_sweep(GRID, blobs(), out=folder, plots=False)
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A folder with a store to be damaged."""
    shutil.copy(finished / FILE, tmp_path / FILE)
    return tmp_path


def resume(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of another version
        stored_sweep(folder)
        run_sweep(GRID, blobs(), out=folder, resume=True, plots=False)


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        resume(folder)
    message = str(caught.value)
    assert str(folder / FILE) in message and "\n" not in message
    return message


def change(folder: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(statement, values)


def change_and_sign(folder: Path, statement: str, *values: Any) -> None:
    """Change a store, with the checksums that it then must have."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(statement, values)
        facts = dict(connection.execute("SELECT name, value FROM facts WHERE name != 'sha256'"))
        noted = digest(*sorted(facts.items()))
        connection.execute("UPDATE facts SET value = ? WHERE name = 'sha256'", (noted,))
        for row in connection.execute(f"SELECT {', '.join(RECORD)} FROM cells").fetchall():
            connection.execute("UPDATE cells SET sha256 = ? WHERE key IS ?", (digest(*row), row[0]))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)  # fmt: skip
texts = st.text(max_size=9) | anything.map(json.dumps)
RECORD = (
    "key", "settings", "config", "status", "error", "history", "iterations", "metrics", "timings",
)  # fmt: skip
COLUMNS = (*RECORD, "epochs", "score", "tie", "params")


@fuzz
@given(data=st.data())
def test_flipped_bytes_are_named_or_harmless(
    finished: Path, folder: Path, data: st.DataObject
) -> None:
    content = bytearray((finished / FILE).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    (folder / FILE).write_bytes(content)
    attempt(folder)


def attempt(folder: Path) -> None:
    """Going on with a store works, or is refused on purpose."""
    try:
        resume(folder)
    except (ConfigError, DataError) as error:
        assert str(error)


@fuzz
@given(column=st.sampled_from(COLUMNS), value=texts | st.binary(max_size=40) | st.none())
def test_odd_columns_are_named_or_harmless(
    finished: Path, folder: Path, column: str, value: Any
) -> None:
    shutil.copy(finished / FILE, folder / FILE)
    try:
        change_and_sign(folder, f"UPDATE cells SET {column} = ? WHERE score IS NOT NULL", value)
    except (sqlite3.IntegrityError, UnicodeEncodeError):
        return  # not even SQLite takes it
    attempt(folder)


@fuzz
@given(column=st.sampled_from(COLUMNS[1:3] + COLUMNS[5:9]), data=st.data(), value=anything)
def test_odd_entries_are_named_or_harmless(
    finished: Path, folder: Path, column: str, data: st.DataObject, value: Any
) -> None:
    shutil.copy(finished / FILE, folder / FILE)
    with closing(sqlite3.connect(folder / FILE)) as connection:
        (text,) = connection.execute(f"SELECT {column} FROM cells").fetchone()
    entries = json.loads(text)
    entries[data.draw(st.sampled_from([*sorted(entries), "new"]))] = value
    change_and_sign(folder, f"UPDATE cells SET {column} = ?", json.dumps(entries))
    attempt(folder)


@fuzz
@given(name=st.sampled_from(["data", "grid", "search", "rank_by", "version", "format"]), text=texts)
def test_odd_facts_are_named_or_harmless(
    finished: Path, folder: Path, name: str, text: str
) -> None:
    shutil.copy(finished / FILE, folder / FILE)
    try:
        change_and_sign(folder, "UPDATE facts SET value = ? WHERE name = ?", text, name)
    except UnicodeEncodeError:
        return
    attempt(folder)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("metrics", "{}", "metrics must be what cells are ranked by"),
        ("metrics", '{"validation_loss": "low"}', "metrics must be a table of numbers"),
        ("metrics", "[" * 100_000, "a column holds no JSON"),
        ("history", '{"epoch": [1, 2], "train_loss": [0.5]}', "columns of numbers, equally long"),
        ("settings", '{"colour": "red"}', "settings must be a table of settings"),
        ("config", '{"epochs": 1}', "config must be a table of all settings"),
        ("params", b"1234", "must have"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, column: str, value: Any, words: str) -> None:
    change_and_sign(folder, f"UPDATE cells SET {column} = ?", value)
    assert words in refusal(folder)


@pytest.mark.parametrize("column", RECORD)
def test_a_changed_character_is_noticed(folder: Path, column: str) -> None:
    """A digit of a result, say, which would pass for another result."""
    change(folder, f"UPDATE cells SET {column} = {column} || ' ' WHERE status = 'finished'")
    assert "does not have its checksum" in refusal(folder)


def test_a_changed_digit_of_a_weight_is_noticed(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        found = connection.execute("SELECT key, params FROM cells").fetchall()
    for key, params in found:
        flipped = params[:-1] + bytes([params[-1] ^ 1])
        change(folder, "UPDATE cells SET params = ? WHERE key = ?", flipped, key)
    assert "do not have their checksum" in refusal(folder)


def test_a_name_that_is_no_text_is_noticed(folder: Path) -> None:
    change(folder, "UPDATE facts SET name = CAST(name AS BLOB) WHERE name = 'version'")
    assert "does not match its checksum" in refusal(folder)


@pytest.mark.parametrize("name", ["data", "grid", "search", "rank_by", "version"])
def test_a_changed_fact_is_noticed(folder: Path, name: str) -> None:
    change(folder, "UPDATE facts SET value = value || ' ' WHERE name = ?", name)
    assert "does not match its checksum" in refusal(folder)


def test_another_format_is_named(folder: Path) -> None:
    change(folder, "UPDATE facts SET value = '1' WHERE name = 'format'")
    change(folder, "DELETE FROM facts WHERE name = 'sha256'")
    assert "its format is 1, not 2; it is damaged or of another version" in refusal(folder)


def test_a_trigger_that_came_with_the_file_runs_nothing_but_sql(folder: Path) -> None:
    change(
        folder,
        "CREATE TRIGGER own AFTER UPDATE ON facts BEGIN SELECT load_extension('evil'); END",
    )
    change(folder, "DELETE FROM cells")
    attempt(folder)
