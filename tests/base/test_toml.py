"""TOML files of any content: values, or one clear error; and no more memory than they may have."""

from __future__ import annotations

import dataclasses
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp import ConfigError, TrainConfig
from fastmlp.base.toml import MOST_BYTES, read_toml
from fastmlp.commands.options import config_from, parse_arguments
from fastmlp.sweeps.grid import MODES, Grid

SEED = tomli_w.dumps(TrainConfig().to_dict()).encode()
FIELDS = [field.name for field in dataclasses.fields(TrainConfig)]

fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_toml(path, "--config")
    message = str(caught.value)
    assert message.startswith(f"--config {path} ")
    return message


def test_values_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(SEED)
    assert TrainConfig.from_dict(read_toml(tmp_path / "config.toml", "--config")) == TrainConfig()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"epochs = ", "is not valid TOML"),
        (b"a = 1\na = 2", "is not valid TOML"),
        (b"a = '\xff'", "is not valid TOML"),
        (b"a = " + b"9" * 5000, "is not valid TOML"),
        (b"a = 2000-13-45", "is not valid TOML"),
        (b"a = " + b"[" * 100_000, "is nested too deep"),
        (b"#" * (MOST_BYTES + 1), "must have at most 1 MB"),
    ],
)
def test_what_is_no_settings_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    assert words in refusal(tmp_path / "config.toml")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "none")
    assert "cannot be read" in refusal(tmp_path)
    assert "is not valid TOML" in refusal(tmp_path / "nul\0byte")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without end")
def test_a_file_without_end_takes_no_memory() -> None:
    tracemalloc.start()
    try:
        assert "at most 1 MB" in refusal(Path("/dev/zero"))
        assert tracemalloc.get_traced_memory()[1] < 4 * MOST_BYTES
    finally:
        tracemalloc.stop()


@fuzz
@given(data=st.data())
def test_mutated_settings_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    attempt(tmp_path, bytes(content))


def attempt(folder: Path, content: bytes) -> None:
    """Settings for training, and for a sweep: made, or refused on purpose."""
    path = folder / "config.toml"
    path.write_bytes(content)
    for make in (
        lambda: config_from(parse_arguments(["--config", str(path)])),
        lambda: Grid(read_toml(path, "grid")).check_values(),
    ):
        try:
            make()
        except ConfigError as error:
            assert str(error)


values = st.recursive(
    st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4)
    | st.dates() | st.sampled_from(["auto", "relu", "adam(beta1=2)", "sgd(", "3=2,7=", "90-10"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=5,
)  # fmt: skip


@fuzz
@given(entries=st.dictionaries(st.sampled_from([*FIELDS, *MODES]), values, max_size=4))
def test_settings_of_odd_types_are_made_or_refused(tmp_path: Path, entries: Any) -> None:
    attempt(tmp_path, tomli_w.dumps(entries).encode())


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbf" + b"a = 1\r\n")
    assert read_toml(tmp_path / "x.toml", "--config") == {"a": 1}
    (tmp_path / "x.toml").write_text("a = 1\n", encoding="utf-16")
    with pytest.raises(ConfigError, match="must be in UTF-8, got UTF-16; save it as UTF-8"):
        read_toml(tmp_path / "x.toml", "--config")
