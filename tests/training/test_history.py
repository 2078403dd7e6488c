from __future__ import annotations

import csv
import io

import pytest

from fastmlp.training.history import EPOCH_COLUMNS, ITERATION_COLUMNS, History


def filled() -> History:
    history = History(("epoch", "loss", "accuracy"))
    history.append(epoch=1, loss=1 / 3, accuracy=None)
    history.append(accuracy=0.5, loss=1e-17, epoch=2)
    return history


def test_columns_are_those_of_the_issue() -> None:
    assert History().columns == EPOCH_COLUMNS
    losses = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    assert {"epoch", "learning_rate", "penalty", *losses} == set(EPOCH_COLUMNS)
    assert {"iteration", "epoch", *losses} == set(ITERATION_COLUMNS)


def test_a_row_is_returned_as_it_is_kept() -> None:
    history = History(("epoch", "loss"))
    row = history.append(loss=2.0, epoch=1)
    assert row == {"epoch": 1, "loss": 2.0}
    assert history.rows == [row]


def test_a_column_is_a_list() -> None:
    history = filled()
    assert history["epoch"] == [1, 2]
    assert history["accuracy"] == [None, 0.5]
    assert len(history) == 2
    assert list(history) == history.rows


def test_a_row_needs_every_column() -> None:
    with pytest.raises(KeyError):
        History(("epoch", "loss")).append(epoch=1)


def test_csv_keeps_every_digit_and_leaves_gaps_empty() -> None:
    text = filled().to_csv()
    assert text.splitlines()[:2] == ["epoch,loss,accuracy", f"1,{1 / 3!r},"]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["loss"]) for row in rows] == [1 / 3, 1e-17]
    assert text.endswith("\n")


def test_csv_of_nothing_is_the_heading() -> None:
    assert History(("epoch", "loss")).to_csv() == "epoch,loss\n"
