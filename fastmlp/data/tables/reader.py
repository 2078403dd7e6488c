"""Reader of tables in text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

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
from .typed import typed_features

Notify = Callable[[str], None]


class Rows(NamedTuple):
    """Rows of a table whose columns are known.

    Attributes
    ----------
    X : ndarray of float64 or TableRows, shape (n, n_features)
        Features in the known order; a table where they are not all numbers, or have gaps.
    y : ndarray or None
        Targets, shape (n,) or (n, n_targets); None if the table has none.
    left_out : tuple of str
        Names of further columns, which are left out.
    has_target : ndarray of bool, shape (n,), or None
        Which rows have a target, if not all; the others have none in ``y``.
    kept : dict of str to list of str
        Further columns that were asked for, by name.
    lines : ndarray of int, shape (n,), or None
        The line of the file at which each row begins, if it is known.
    """

    X: Any
    y: np.ndarray | None
    left_out: tuple[str, ...] = ()
    has_target: np.ndarray | None = None
    kept: dict[str, list[str]] = {}  # noqa: RUF012 - never changed
    lines: np.ndarray | None = None


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
        ``X`` is a float64 matrix if all features are numbers without gaps, else a TableRows whose
        columns are of several kinds. Rows without a target are left out. ``y`` holds int64 or str
        labels, uint8 for several labels, or float64. The name is the file's stem. A header gives
        the names of features and targets.

    Raises
    ------
    ConfigError
        For an unknown task or column.
    DataError
        If the file is missing or no table, a number is infinite or in another notation, a column
        holds texts of many words, or no column makes a feature.
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
        features = typed_features(reading, table)
        layout = layout._replace(features=features.columns)
        lines = reading.lines
        if lines is not None and reading.gaps is not None:
            lines = lines[~reading.gaps]
        dataset = Dataset(
            features.X, y, name=source.stem, task=found_task,
            feature_names=layout.feature_names, target_names=layout.target_names,
            positions=layout.positions(columns), column_facts=features.facts,
            lines=lines,
        )  # fmt: skip
        say(
            f"data: {source.path.name if source.is_file else source.name}, {len(y)} rows, "
            f"{dataset.n_features} features"
        )
        if reading.gaps is not None and reading.gaps.any():
            n = int(np.count_nonzero(reading.gaps))
            say(f"rows without a target: {n:,} of {len(reading.gaps):,}, left out of training")
        for note in features.notes:
            say(note)
        for note in notes_on_values(reading, table, found_task):
            say(note)
    return dataset


def read_rows(
    path: str | os.PathLike[str],
    table: TableOptions,
    known: KnownColumns,
    notify: Notify | None = None,
    keep: Iterable[str] = (),
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
    keep : iterable of str
        Columns to return as texts in addition, by name or index.

    Returns
    -------
    Rows

    Raises
    ------
    ConfigError
        For an unknown target column.
    DataError
        If the file is missing or no table, lacks a feature or has another number of columns, or a
        number is infinite.
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
        kept = columns.indices(keep, "keep")
        left_out = tuple(
            name for name in left_out if columns.names is None or name not in
            [columns.names[i] for i in kept]
        )  # fmt: skip
        texts = None
        if known.are_numbers is not None:
            pairs = zip(layout.features, known.are_numbers, strict=True)
            texts = [i for i, is_number in pairs if not is_number]
        reading = Reading(source, head, table, columns, layout, task, texts, kept)
        gaps = reading.gaps
        has_targets = bool(layout.targets) and not (gaps is not None and gaps.all())
        y = reading.targets()[0] if has_targets else None
        if notify is not None and left_out:
            notify(further_note(left_out, source.name))
        names = [str(i) if columns.names is None else columns.names[i] for i in kept]
        texts_of = [reading.extras[i] for i in kept]
    some = None if y is None or gaps is None or not gaps.any() else ~gaps
    shown = dict(zip(names, texts_of, strict=True))
    return Rows(reading.features, y, left_out, some, shown, reading.lines)
