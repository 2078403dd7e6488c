"""Reader of CSV tables: numbers in all columns but the target, which may hold texts."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

import numpy as np

from ..base.errors import ConfigError, DataError, close_match
from ..base.paths import as_text
from .csv_faults import explain
from .csv_layout import (
    HEAD_ROWS,
    Layout,
    find_feature_layout,
    find_layout,
    is_missing,
    is_number,
)
from .csv_target import TargetKind, check_classes, target_kind, target_values
from .csv_text import Record, read_records
from .dataset import Dataset

TASKS = ("auto", "classification", "regression")


def read_csv(
    path: str | os.PathLike[str],
    target: str | int | None = None,
    *,
    task: str = "auto",
    notify: Callable[[str], None] | None = None,
) -> Dataset:
    """Read a CSV file as a dataset.

    Columns are separated by tabs, semicolons or commas, in UTF-8 with or without BOM; fields may be
    quoted. The first row is a header if it is not all numbers, unlike the rows below it (see
    :func:`~fastmlp.data.csv_layout.has_header`).

    Parameters
    ----------
    path : path-like
    target : str or int, optional
        Column to predict: its name, or its index from 0, negative from the end. Default: a column
        named target, label, class or y, in that order and in any case, else the last.
    task : {"auto", "classification", "regression"}, default "auto"
        auto: texts are classes; numbers are if all are whole, at most 20 different ones, each twice
        on average (see :func:`~fastmlp.data.csv_target.target_kind`).
    notify : callable taking one str, optional
        Told how the table was understood.

    Returns
    -------
    Dataset
        ``X`` float64; ``y`` int64 or str labels, or float64; named by the file's stem, with the
        names of the features where there is a header.

    Raises
    ------
    ConfigError
        For an unknown task or target column.
    DataError
        If the file is missing or no table, a feature is no number, or a value is missing.
    """
    path = Path(path)
    if task not in TASKS:
        raise ConfigError(
            f"task must be auto, classification or regression for a CSV file, got {task!r}"
            f"{close_match(str(task), TASKS)}"
        )
    layout, X, cells, kind = _read(path, lambda head: find_layout(head, target, path), task)
    column = _target_column(path, layout)
    check_classes(cells, kind, task, column)
    y = target_values(cells, kind, column)
    dataset = Dataset(
        X, y, name=as_text(path.stem), task=kind.task, feature_names=layout.feature_names
    )
    if notify is not None:
        notify(_understood(path, dataset, layout))
    return dataset


def read_csv_rows(
    path: Path, n_features: int, target: str | None, is_regression: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Read rows to predict from, and their targets where the table has a column more for them.

    Parameters
    ----------
    path : Path
    n_features : int
        Columns of features that there must be.
    target : str or None
        The target's column as for :func:`read_csv`, if there must be one.
    is_regression : bool
        Whether targets are numbers, and not labels.

    Returns
    -------
    X : ndarray of float64, shape (n, n_features)
    y : ndarray, shape (n,), or None

    Raises
    ------
    ConfigError
        If there is no such target column.
    DataError
        If the file is missing or no table, has another number of columns, a feature is no number,
        or a value is missing.
    """

    def layout_of(head: list[list[str]]) -> Layout:
        width = len(head[0])
        has_target = target is not None or width == n_features + 1
        if width - has_target != n_features:
            raise DataError(
                f"{path} must have {n_features} columns of features, as the model has, and at most "
                f"one of targets, got {width} columns; select those that were trained on"
            )
        return find_layout(head, target, path) if has_target else find_feature_layout(head, path)

    task = "regression" if is_regression else "classification"
    layout, X, cells, kind = _read(path, layout_of, task)
    if layout.target is None:
        return X, None
    return X, target_values(cells, kind, _target_column(path, layout))


def _read(
    path: Path, layout_of: Callable[[list[list[str]]], Layout], task: str
) -> tuple[Layout, np.ndarray, list[str], TargetKind]:
    """Return a table's layout, features, targets as texts, and how to read those."""
    with closing(read_records(path)) as records:
        head = list(islice(records, HEAD_ROWS))
        if not head:
            raise DataError(f"{path} is empty; name a file that holds a table")
        layout = layout_of([fields for _, fields in head])
        columns = _columns(chain(head[_header_rows(layout) :], records), layout.target)
    cells = [] if columns is None else columns[1]
    kind = target_kind(cells, task)
    complete = layout.target is None or _is_complete(cells, kind)
    if columns is None or not complete or not np.isfinite(columns[0]).all():
        with closing(read_records(path)) as records:
            rows = islice(records, _header_rows(layout), None)
            raise explain(rows, layout, kind is TargetKind.NUMBERS, path)
    return layout, columns[0], cells, kind


def _columns(records: Iterator[Record], target: int | None) -> tuple[np.ndarray, list[str]] | None:
    """Return features, shape (n, columns), and the target's cells; None if some is no number."""
    # Flat and typed: lists of Python floats would take four times the memory.
    values = array("d")
    targets: list[str] = []
    for _, fields in records:
        targets.append("" if target is None else fields.pop(target).strip())
        try:
            values.extend(map(float, fields))
        except ValueError:
            return None
        # float() takes 1_000 for 1000, no other reader of tables does.
        if "_" in "".join(fields):
            return None
    return np.frombuffer(values).reshape(len(targets), -1), targets


def _is_complete(cells: list[str], kind: TargetKind) -> bool:
    """Whether every target is there, and is a finite number if it has to be."""
    distinct = set(cells)
    if any(map(is_missing, distinct)):
        return False
    if kind is not TargetKind.NUMBERS:
        return True
    return all(is_number(cell) and np.isfinite(float(cell)) for cell in distinct)


def _header_rows(layout: Layout) -> int:
    return 0 if layout.names is None else 1


def _target_column(path: Path, layout: Layout) -> str:
    return f"{path}: target column {_target_name(layout)}"


def _target_name(layout: Layout) -> str:
    return "" if layout.target is None else layout.column(layout.target)


def _understood(path: Path, dataset: Dataset, layout: Layout) -> str:
    classes = dataset.classes
    task = "regression" if classes is None else f"classification ({len(classes)} classes)"
    header = "without a header" if layout.names is None else "with a header"
    bounds = f" of 0 to {dataset.n_features}" if layout.names is None else ""
    return (
        f"data: {path.name}, {len(dataset.y)} rows, {header}; target: column "
        f"{_target_name(layout)}{bounds}, {task}"
    )
