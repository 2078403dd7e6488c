"""A model and tables: columns by name, in any order, and the metrics of the run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp.predict import main
from fastmlp.train import main as train

NAMES = ["price", "rooms", "area", "age"]
ROWS = np.random.default_rng(5).normal(size=(80, 3)).round(4)
PRICES = (1000 + 300 * (ROWS @ [1.0, 2.0, -1.0])).round(2)
TABLE: dict[str, list[Any]] = {
    "price": PRICES.tolist(),
    **{name: column.tolist() for name, column in zip(NAMES[1:], ROWS.T, strict=True)},
}
FURTHER: dict[str, list[Any]] = {"Id": list(range(80)), "note": ["a, b"] * 80}


def write(path: Path, names: list[str], table: dict[str, list[Any]], header: bool = True) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([names] if header else [])
    writer.writerows(zip(*(table[name] for name in names), strict=True))
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on prices, whose target column is the first, and its tables."""
    folder = tmp_path_factory.mktemp("prices")
    data = write(folder / "prices.csv", NAMES, TABLE)
    arguments = ["--data", str(data), "--target", "price", "--epochs", "20", "--quiet"]
    assert train([*arguments, "--no-plots", "--out", str(folder / "run")]) == 0
    return folder


Predict = Callable[..., tuple[dict[str, Any], str]]


@pytest.fixture
def predict(folder: Path, capsys: pytest.CaptureFixture[str]) -> Predict:
    def run(path: Path, *arguments: str) -> tuple[dict[str, Any], str]:
        capsys.readouterr()
        assert main([str(folder / "run"), str(path), "--format", "json", *arguments]) == 0
        out, err = capsys.readouterr()
        return json.loads(out), err

    return run


@pytest.fixture
def refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(code: int, path: Path, *arguments: str) -> str:
        capsys.readouterr()
        assert main([str(folder / "run"), str(path), *arguments]) == code
        return capsys.readouterr().err

    return run


def test_the_training_table_is_scored_by_its_target(folder: Path, predict: Predict) -> None:
    found, err = predict(folder / "prices.csv")
    assert found["metrics"]["r2"] > 0.9 and "left out" not in err
    assert [row["actual"] for row in found["predictions"]] == TABLE["price"]


@given(order=st.permutations([*NAMES, *FURTHER]))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns_may_come_in_any_order_among_others(
    folder: Path, predict: Predict, order: list[str]
) -> None:
    expected, _ = predict(folder / "prices.csv")
    found, err = predict(write(folder / "permuted.csv", order, {**TABLE, **FURTHER}))
    assert found == expected
    assert err.count("left out") == 1 and "Id" in err and "note" in err


def test_a_table_without_its_target_is_predicted(folder: Path, predict: Predict) -> None:
    expected, _ = predict(folder / "prices.csv")
    found, err = predict(write(folder / "new.csv", ["age", "area", "rooms"], TABLE))
    assert "metrics" not in found and err == ""
    for row, before in zip(found["predictions"], expected["predictions"], strict=True):
        assert row["prediction"] == before["prediction"]


def test_a_missing_column_is_named(folder: Path, refused: Callable[..., str]) -> None:
    path = write(folder / "lacking.csv", ["price", "age", "rooms"], TABLE)
    assert "'area'" in refused(3, path)


def test_without_header_target_is_found_by_position(folder: Path, predict: Predict) -> None:
    expected, _ = predict(folder / "prices.csv")
    assert predict(write(folder / "bare.csv", NAMES, TABLE, header=False))[0] == expected
    found, _ = predict(write(folder / "bare.csv", NAMES[1:], TABLE, header=False))
    assert found["predictions"][0]["prediction"] == expected["predictions"][0]["prediction"]


@pytest.mark.parametrize("options", [["--drop", "Id"], ["--features", "rooms,area,age"]])
def test_without_a_header_columns_are_where_they_were_though_training_named_them(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, table = ["Id", *NAMES], TABLE | FURTHER
    data = write(tmp_path / "prices.csv", names, table)
    arguments = ["--data", str(data), "--target", "price", *options, "--epochs", "2", "--no-plots"]
    assert train([*arguments, "--quiet", "--out", str(tmp_path / "run")]) == 0
    found = []
    for path in (
        data,
        write(tmp_path / "unnamed.csv", names, table, header=False),
        write(tmp_path / "kept.csv", NAMES, table, header=False),
    ):
        capsys.readouterr()
        assert main([str(tmp_path / "run"), str(path), "--format", "json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("names", [NAMES[1:3], [*NAMES, "Id"]])
def test_without_a_header_the_number_of_columns_must_be_right(
    folder: Path, refused: Callable[..., str], names: list[str]
) -> None:
    path = write(folder / "bare.csv", names, {**TABLE, **FURTHER}, header=False)
    assert "must have 3 columns of features" in refused(3, path)


def test_options_of_tables_are_those_of_training_or_given(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str], predict: Predict
) -> None:
    text = (folder / "prices.csv").read_text(encoding="utf-8")
    german = tmp_path / "german.csv"
    german.write_text(text.replace(",", ";").replace(".", ",").replace("price", "größe"), "latin-1")
    arguments = ["--data", str(german), "--target", "größe", "--encoding", "latin-1", "--quiet"]
    run = str(tmp_path / "run")
    assert train([*arguments, "--epochs", "20", "--no-plots", "--out", run]) == 0
    expected, _ = predict(folder / "prices.csv")
    assert main([run, str(german), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected
    utf8 = tmp_path / "utf8.csv"
    utf8.write_text(german.read_text("latin-1"), "utf-8")
    assert main([run, str(utf8), "--format", "json", "--encoding", "utf-8"]) == 0
    assert json.loads(capsys.readouterr().out) == expected


def test_a_target_that_is_given_must_be_there(folder: Path, refused: Callable[..., str]) -> None:
    path = write(folder / "new.csv", ["age", "area", "rooms"], TABLE)
    assert "target must be a column of" in refused(2, path, "--target", "price")


def test_options_of_tables_do_not_go_with_arrays(folder: Path, refused: Callable[..., str]) -> None:
    np.savez(folder / "rows.npz", X=ROWS)
    message = refused(2, folder / "rows.npz", "--decimal", ",", "--drop", "Id")
    assert "decimal, drop must be left out unless the rows are a table in text" in message


def test_several_targets_are_found_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {**TABLE, "rent": (PRICES / 100).tolist()}
    data = write(tmp_path / "two.csv", [*NAMES, "rent"], table)
    run = str(tmp_path / "run")
    arguments = ["--data", str(data), "--target", "rent,price", "--split", "none", "--quiet"]
    assert train([*arguments, "--epochs", "20", "--no-plots", "--out", run]) == 0
    expected = None
    for names in ([*NAMES, "rent"], ["age", "price", "rooms", "rent", "area"]):
        capsys.readouterr()
        assert main([run, str(write(tmp_path / "p.csv", names, table)), "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert expected in (None, found) and found["metrics"]["r2"] > 0.9
        expected = found
