"""Reader of tables in text. Features are numbers, targets numbers or texts."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...base.errors import ConfigError
from ...base.named_columns import further_note
from ...base.settings import AUTO
from ...base.table_options import TableOptions
from ..dataset import Dataset, check_task
from .head import read_head
from .known import KnownColumns, known_layout
from .layout import find_columns, find_layout
from .notes import notes_on_text, notes_on_values
from .reading import Reading
from .source import Source

Notify = Callable[[str], None]


class Rows(NamedTuple):
    """Rows of a table whose columns are known.

    Attributes
    ----------
    X : ndarray of float64, shape (n, n_features)
        Features in the known order.
    y : ndarray or None
        Targets, shape (n,) or (n, n_targets); None if the table has none.
    left_out : tuple of str
        Names of further columns, which are left out.
    """

    X: np.ndarray
    y: np.ndarray | None
    left_out: tuple[str, ...] = ()


def read_csv(
    path: str | os.PathLike[str],
    table: TableOptions | None = None,
    *,
    task: str = AUTO,
    notify: Notify | None = None,
) -> Dataset:
    """Read a table in a text file as a dataset.

    Encoding, separator, header and decimal sign are inferred unless ``table`` gives them. The file
    may be compressed by gzip, xz or bzip2, or be the only one in a zip archive. Cells True and
    False of a feature are 1 and 0.

    Parameters
    ----------
    path : path-like
        ``-`` for standard input.
    table : TableOptions, optional
        How to read it.
    task : {"auto", "classification", "multilabel", "regression"}, default "auto"
        auto: texts are classes. Numbers are classes if all are whole, at most 20 are different, and
        each occurs twice on average (see :func:`~fastmlp.data.tables.targets.kind_of_numbers`).
        Several targets are labels if all are 0 or 1.
    notify : callable taking one str, optional
        Called with a line for each inference, with the option that changes it.

    Returns
    -------
    Dataset
        ``X`` is float64; ``y`` holds int64 or str labels, uint8 for several labels, or float64. Its
        name is the file's stem. A header gives the names of features and targets.

    Raises
    ------
    ConfigError
        For an unknown task or column.
    DataError
        If the file is missing or no table, a feature is no number, or a value is missing.
    """
    check_task(task)
    table = table or TableOptions()
    with Source(path) as source:
        head = read_head(source, table)
        columns = find_columns(head, table, source.name)
        layout = find_layout(head, table, columns)
        if task == "multilabel" and len(layout.targets) < 2:
            raise ConfigError(
                "task multilabel takes several target columns of 0 and 1, got one; name them all, "
                "such as --target a,b,c"
            )
        say = notify or (lambda note: None)
        for note in notes_on_text(head, table, columns, layout):
            say(note)
        reading = Reading(source, head, table, columns, layout, task)
        y, found_task = reading.targets()
        dataset = Dataset(
            reading.values.X, y, name=source.stem, task=found_task,
            feature_names=layout.feature_names, target_names=layout.target_names,
            positions=layout.positions(columns),
        )  # fmt: skip
        say(
            f"data: {source.path.name if source.is_file else source.name}, {len(y)} rows, "
            f"{dataset.n_features} features"
        )
        for note in notes_on_values(reading, table, found_task):
            say(note)
    return dataset


def read_rows(
    path: str | os.PathLike[str],
    table: TableOptions,
    known: KnownColumns,
    notify: Notify | None = None,
) -> Rows:
    """Read rows of a table whose columns are known, from a model or from training rows.

    Columns are found by name, in any order, if both have names; else by position. Targets are read
    if the table holds them; further columns are left out.

    Parameters
    ----------
    path : path-like
        ``-`` for standard input.
    table : TableOptions
        How to read it.
    known : KnownColumns
    notify : callable taking one str, optional
        Called with the names of further columns.

    Returns
    -------
    Rows

    Raises
    ------
    ConfigError
        For an unknown target column.
    DataError
        If the file is missing or no table, lacks a feature or has another number of columns, a
        feature is no number, or a value is missing.
    """
    task = "texts" if known.labels_are_texts else "classification"
    if known.is_regression:
        task = "regression"
    with Source(path) as source:
        head = read_head(source, table)
        columns = find_columns(head, table, source.name, known.all_names)
        layout, left_out = known_layout(head, table, columns, known)
        if len(layout.targets) > 1 and not known.is_regression:
            task = "multilabel"
        reading = Reading(source, head, table, columns, layout, task)
        y = reading.targets()[0] if layout.targets else None
        if notify is not None and left_out:
            notify(further_note(left_out, source.name))
    return Rows(reading.values.X, y, left_out)
