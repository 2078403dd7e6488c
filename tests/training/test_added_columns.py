"""Columns that callbacks add to an epoch's row: kept wherever the history is."""

from __future__ import annotations

import csv
import os
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmlp
from fastmlp import CallbackError, CsvLog, LambdaCallback, fit
from fastmlp.training.history import ADDED_BYTES, History
from toys import blobs, settings

Row = dict[str, Any]


class Adding(fastmlp.Callback):
    """Adds columns to the rows of some epochs."""

    def __init__(self, columns: Callable[[int], Row]):
        self.columns = columns

    def on_epoch_end(self, run: Any, row: Row) -> None:
        row.update(self.columns(row["epoch"]))

    def state_dict(self) -> Row:
        return {}


def later(epoch: int) -> Row:
    """One column in every epoch, one from the third, one in the second alone."""
    return {
        "norm": epoch / 3,
        **({"late": f"é,{epoch}"} if epoch > 2 else {}),
        **({"once": True} if epoch == 2 else {}),
    }


ADDED = {
    "norm": [1 / 3, 2 / 3, 1.0, 4 / 3], "late": [None, None, "é,3", "é,4"],
    "once": [None, True, None, None],
}  # fmt: skip


def table(path: Path) -> dict[str, list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert all(len(row) == len(header) for row in rows)
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def texts(values: list[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in values]


def check(path: Path) -> None:
    found = table(path)
    assert {name: found[name] for name in ADDED} == {n: texts(v) for n, v in ADDED.items()}


@pytest.mark.parametrize("first", [True, False])
def test_added_columns_are_in_the_history_and_its_files(first: bool, tmp_path: Path) -> None:
    callbacks = [Adding(later), CsvLog(tmp_path / "log.csv")]
    result = fit(settings(epochs=4), blobs(), callbacks=callbacks if first else callbacks[::-1])
    assert {name: result.history[name] for name in ADDED} == ADDED
    assert result.history.columns[-3:] == ("norm", "once", "late")
    check(tmp_path / "log.csv")
    assert (tmp_path / "log.csv").read_text(encoding="utf-8") == result.history.to_csv()
    folder = fastmlp.save_run(result, blobs(), tmp_path / "run", plots=False)
    check(folder / "history.csv")


@pytest.mark.parametrize("first", [True, False])
def test_the_file_is_whole_after_each_epoch(first: bool, tmp_path: Path) -> None:
    path, seen = tmp_path / "log.csv", []

    class Looking(fastmlp.Callback):
        def after_epoch(self, run: Any, row: Row) -> None:
            seen.append(path.read_text(encoding="utf-8") == run.history.to_csv())

    callbacks = [Adding(later), CsvLog(path)]
    callbacks = [*(callbacks if first else callbacks[::-1]), Looking()]
    fit(settings(epochs=4), blobs(), callbacks=callbacks)
    assert seen == [True] * 4


@pytest.mark.skipif(os.name != "posix", reason="needs FIFOs")
def test_a_fifo_gets_a_new_heading_where_a_column_appears(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "fifo")
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE, encoding="utf-8") as reader:
        fit(settings(epochs=4), blobs(), callbacks=[CsvLog(path), Adding(later)])
        lines = reader.communicate()[0].splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "epoch", "epoch", "1", "epoch", "2", "epoch", "3", "4",
    ]  # fmt: skip
    assert path.is_fifo()


class Ends(fastmlp.Callback):
    """Ends a run after an epoch, as a failure does."""

    def __init__(self, epoch: int):
        self.epoch = epoch

    def after_epoch(self, run: Any, row: Row) -> None:
        if row["epoch"] == self.epoch:
            raise RuntimeError


@pytest.mark.parametrize("end", [1, 2, 3])
def test_a_resumed_run_has_the_columns_of_before(end: int, tmp_path: Path) -> None:
    config, options = settings(epochs=4), {"checkpoint_dir": tmp_path / "checkpoints"}

    def callbacks(folder: str) -> list[fastmlp.Callback]:
        return [CsvLog(tmp_path / folder), Adding(later)]

    alone = fit(config, blobs(), callbacks=callbacks("alone.csv"))
    with pytest.raises(CallbackError):
        fit(config, blobs(), callbacks=[*callbacks("ended.csv"), Ends(end)], **options)
    resumed = fit(config, blobs(), callbacks=callbacks("ended.csv"), resume=True, **options)
    assert resumed.history.rows == alone.history.rows
    assert resumed.history.to_csv() == alone.history.to_csv()
    assert (tmp_path / "ended.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()


def test_numbers_of_numpy_become_pythons(tmp_path: Path) -> None:
    given = {
        "single": np.float32(0.5), "whole": np.int64(3), "flag": np.bool_(True),
        "array": np.array(2.5), "text": np.str_("x"), "gap": None, "nan": float("nan"),
    }  # fmt: skip
    result = fit(
        settings(epochs=1), blobs(), callbacks=[Adding(lambda _: given)],
        checkpoint_dir=tmp_path,
    )  # fmt: skip
    row = result.history.rows[0]
    assert [type(row[name]) for name in given] == [
        float, int, bool, float, str, type(None), float,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [1, 2]}, "column 'x' must hold a number, text, True, False or None in each row"),
        ({"x": np.ones(3)}, "of type ndarray; convert it, or keep it elsewhere"),
        ({"x": 1j}, "of type complex"),
        ({7: 1.0}, "a column's name must be a text, got 7"),
        ({"train_loss": "low"}, "column 'train_loss' must hold a number in"),
        ({"x": "y" * ADDED_BYTES}, f"must take at most {ADDED_BYTES} bytes; add fewer"),
    ],
)
def test_what_no_table_holds_is_refused(columns: Row, words: str, tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "log.csv")
    with pytest.raises(CallbackError) as caught:
        fit(
            settings(epochs=2), blobs(), callbacks=[log, Adding(lambda _: columns)],
            checkpoint_dir=tmp_path / "checkpoints",
        )  # fmt: skip
    assert words in str(caught.value)
    result = caught.value.result
    assert len(result.history) == 1
    assert result.history.to_csv() == (tmp_path / "log.csv").read_text(encoding="utf-8")
    fastmlp.save_run(result, blobs(), tmp_path / "run", plots=False)


def test_a_column_that_is_removed_is_missed() -> None:
    with pytest.raises(CallbackError, match="column 'penalty' was removed from a row; keep it"):
        fit(
            settings(epochs=2), blobs(),
            callbacks=[LambdaCallback(on_epoch_end=lambda run, row: row.pop("penalty"))],
        )  # fmt: skip


def test_columns_added_after_the_training_are_saved(tmp_path: Path) -> None:
    result = fit(settings(epochs=2), blobs())
    for row in result.history:
        row["note"] = row["epoch"] * 2
    folder = fastmlp.save_run(result, blobs(), tmp_path / "run", plots=False)
    assert table(folder / "history.csv")["note"] == ["2", "4"]


def test_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match="none"):
        fit(settings(epochs=1), blobs()).history["none"]


values = st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.floats(
    allow_nan=False
)  # fmt: skip


@given(st.lists(st.dictionaries(st.text(max_size=4), values, max_size=4), max_size=5))
def test_any_history_comes_back_from_its_checkpoint(rows: list[Row]) -> None:
    history = History(("epoch", "loss"))
    for number, added in enumerate(rows, start=1):
        history.append(epoch=number, loss=0.5).update(
            {name: value for name, value in added.items() if name not in ("epoch", "loss")}
        )
        history.convert_values()
    again = History(("epoch", "loss"))
    content = history.to_json()
    assert len(content) <= history.most_bytes(len(rows))
    again.load_json(content)
    assert again.columns == history.columns
    assert again.to_csv() == history.to_csv()
    assert [again[name] for name in again.columns] == [history[name] for name in again.columns]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", [fastmlp.MLPClassifier, fastmlp.MLPRegressor])
def test_callbacks_of_estimators_add_columns(kind: type, solver: str, tmp_path: Path) -> None:
    X, y = blobs().X, blobs().y
    callbacks = [CsvLog(tmp_path / "log.csv"), Adding(later)]
    model = kind(
        hidden_layer_sizes=(4,), solver=solver, max_iter=4, random_state=0, callbacks=callbacks
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        model.fit(X, y)
    found = table(tmp_path / "log.csv")
    assert found["norm"] == texts(ADDED["norm"]) and found["late"] == texts(ADDED["late"])


CHANGED: dict[str, Callable[[Row], Any]] = {
    "another epoch": lambda row: row.update(epoch=7),
    "no column left": lambda row: row.clear(),
    "no loss": lambda row: row.update(train_loss=None),
    "no objective": lambda row: row.update(train_objective=None),
    "a text": lambda row: row.update(train_loss="low", validation_score="high"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_was_measured_stays_where_a_callback_spoils_it(change: str) -> None:
    def spoil(run: Any, row: Row) -> None:
        CHANGED[change](row)

    callbacks = [fastmlp.LambdaCallback(on_epoch_end=spoil)]
    data, config = blobs(), settings(epochs=2, monitor="train_objective")
    with pytest.raises(CallbackError, match="a callback changed an epoch's row: column") as raised:
        fastmlp.fit(config, data, callbacks=callbacks)
    rows = raised.value.result.history.rows
    assert [row["epoch"] for row in rows] == [1] and rows[0]["train_loss"] > 0
    for solver in ("adam", "lbfgs"):
        model = fastmlp.MLPClassifier(solver=solver, max_iter=2, callbacks=callbacks)
        if (solver, change) != ("lbfgs", "no loss"):  # which measures none
            with pytest.raises(ValueError, match=r"column .* (must hold|was removed)"):
                model.fit(data.X, data.y, X_val=data.X, y_val=data.y)
