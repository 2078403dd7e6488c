"""The tables of the reader's folder, and their splits."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastmlp.base.errors import ConfigError, close_match

INDEX = "INDEX.tsv"
TASKS = {"class": "classification", "regr": "regression"}
HEADERS = {"header": 0, "no header": None}
NEEDED = ("name", "target", "task", "header", "dropped_by_hand")
TRAINING_SHARE, MOST_TRAINING, MOST_TEST = 0.8, 4_000, 20_000
FIRST_SEED = 1_000


@dataclass(frozen=True)
class Table:
    """A table of the index.

    Parameters
    ----------
    name : str
        ``NAME.csv`` beside the index holds its rows.
    target : str
        Name of the target's column; its index, from 0, where the file has no header.
    task : {"class", "regr"}
    header : {"header", "no header"}
    dropped : tuple of str
        Columns to leave out: identifiers, and those that reveal the target.
    """

    name: str
    target: str
    task: str
    header: str
    dropped: tuple[str, ...] = ()

    @property
    def is_regression(self) -> bool:
        return TASKS[self.task] == "regression"


class Rows(NamedTuple):
    """All rows of a table.

    Attributes
    ----------
    X : pandas.DataFrame
        Numbers, and texts; both may have gaps.
    y : ndarray of shape (n,)
        float64 values, or the indices of classes.
    n_classes : int
        0 for regression.
    """

    X: Any
    y: np.ndarray
    n_classes: int


class Split(NamedTuple):
    """Indices of the training and the test rows."""

    train: np.ndarray
    test: np.ndarray


def read_index(folder: Path) -> list[Table]:
    """Return the tables of a folder.

    Raises
    ------
    ConfigError
        If the index is missing or has no such columns, or names an unknown task or header.
    """
    path = folder / INDEX
    if not path.is_file():
        raise ConfigError(
            f"--tables must name a folder with {INDEX} and a CSV file for each of its rows, got "
            f"{folder}; see --help"
        )
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise ConfigError(f"{INDEX} must have a column {missing[0]!r}; add it")
        return [_table(row) for row in reader]


def _table(row: dict[str, str]) -> Table:
    for name, known in (("task", TASKS), ("header", HEADERS)):
        if row[name] not in known:
            raise ConfigError(
                f"{name} of {row['name']} in {INDEX} must be one of {', '.join(known)}, got "
                f"{row[name]!r}"
            )
    dropped = tuple(filter(None, (row["dropped_by_hand"] or "").split(",")))
    return Table(row["name"], row["target"], row["task"], row["header"], dropped)


def chosen_tables(tables: list[Table], names: list[str]) -> list[Table]:
    """Return tables by their names, in the order of the index; all without names."""
    known = [table.name for table in tables]
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown table {name!r}{close_match(name, known)}")
    return [table for table in tables if not names or table.name in names]


def read_rows(table: Table, folder: Path) -> Rows:
    """Read a table; rows without a target are left out.

    Raises
    ------
    ConfigError
        If the file is missing, or has no column of the target's name.
    """
    import pandas as pd

    path = folder / f"{table.name}.csv"
    if not path.is_file():
        raise ConfigError(f"--tables must have a file for each row of {INDEX}, got no {path.name}")
    frame = pd.read_csv(path, header=HEADERS[table.header], skipinitialspace=True, na_values=["?"])
    frame.columns = frame.columns.map(str)
    if table.target not in frame.columns:
        raise ConfigError(
            f"target of {table.name} in {INDEX} must be a column of its file, got {table.target!r}"
        )
    frame = frame[frame[table.target].notna()]
    X = frame.drop(columns=[table.target, *table.dropped]).reset_index(drop=True)
    y = frame[table.target].to_numpy()
    if table.is_regression:
        return Rows(X, y.astype(np.float64), 0)
    classes, codes = np.unique(y, return_inverse=True)
    return Rows(X, codes, len(classes))


def split_rows(n: int, number: int) -> Split:
    """Return a split of n rows: at most 4,000 (80 %) for training, 20,000 others for the test.

    Parameters
    ----------
    n : int
    number : int
        Of the split, from 0.
    """
    order = np.random.default_rng(FIRST_SEED + number).permutation(n)
    end = min(int(TRAINING_SHARE * n), MOST_TRAINING)
    return Split(order[:end], order[end : end + MOST_TEST])


def facts(table: Table, rows: Rows) -> dict[str, Any]:
    """Return what a report says about a table."""
    split = split_rows(len(rows.y), 0)
    texts = len(text_columns(rows.X))
    return {
        "name": table.name, "task": TASKS[table.task], "rows": len(rows.y),
        "columns": rows.X.shape[1], "text_columns": texts, "classes": rows.n_classes,
        "training_rows": len(split.train), "test_rows": len(split.test),
    }  # fmt: skip


def text_columns(X: Any) -> list[str]:
    """Return the names of the columns of texts."""
    return [str(name) for name in X.select_dtypes(exclude=["number", "bool"]).columns]
