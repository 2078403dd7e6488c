"""Tables with columns of several kinds in a dataset: which columns, and of which kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import ConfigError, DataError, close_match
from ..base.frame_columns import array_rows, category_columns, frame_rows
from ..base.frames import frame_columns_at, frame_numbers, read_frame
from ..base.named_columns import frame_columns
from ..base.table_rows import Numbers, TableRows, are_plain, is_table
from ..ops.kinds import KINDS, ColumnFacts
from .column_kinds import (
    CATEGORY,
    NUMBER,
    column_note,
    find_kinds,
    identifier_note,
    numeric_identifiers,
)


class Chosen(NamedTuple):
    """Columns that the user names, by name or index.

    Attributes
    ----------
    features : tuple of str
        Empty: all.
    drop, categorical, numeric : tuple of str
    """

    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()

    @classmethod
    def of(cls, **columns: Any) -> Chosen:
        """Return the choice from names or indices, one or several each."""
        return cls(**{name: _as_texts(value) for name, value in columns.items()})

    def kinds(self, names: Sequence[str] | None, n: int, where: str) -> dict[int, str]:
        """Return the kinds that are asked for, by the indices of the columns."""
        asked = dict.fromkeys(_indices(self.categorical, names, n, "categorical", where), CATEGORY)
        for index in _indices(self.numeric, names, n, "numeric", where):
            if index in asked:
                raise ConfigError(
                    f"categorical and numeric must not name the same column, got "
                    f"{names[index] if names else index!r} in both; remove it from one of them"
                )
            asked[index] = NUMBER
        return asked


class TableFeatures(NamedTuple):
    """Features of a dataset.

    Attributes
    ----------
    X : ndarray or TableRows
        A matrix of numbers if all columns are numbers without gaps.
    names : tuple of str or None
    facts : tuple of ColumnFacts
        Of all columns, empty for a matrix.
    warnings : sequence of str
        What is to be said of columns that are left out, and of texts among numbers.
    """

    X: Any
    names: tuple[str, ...] | None
    facts: tuple[ColumnFacts, ...] = ()
    warnings: Sequence[str] = ()


def is_mixed(value: Any, chosen: Chosen, name: str) -> bool:
    """Whether features come in columns of kinds to be found: a frame, or columns were named."""
    if is_table(value):
        return not value.kinds
    return any(chosen) or read_frame(value, name) is not None


def table_features(value: Any, chosen: Chosen, name: str) -> TableFeatures:
    """Return the features in a frame, in the columns of a file, or in an array.

    Parameters
    ----------
    value : frame, TableRows or array_like
    chosen : Chosen
    name : str
        What messages call it.

    Raises
    ------
    ConfigError
        If a chosen column is not there.
    DataError
        If a column holds values of no known kind, or infinite numbers.
    """
    frame = None if is_table(value) else read_frame(value, name)
    if frame is not None:
        names: tuple[str, ...] | None = tuple(map(str, frame.columns))
        n = len(frame.columns)
    else:
        value = value if is_table(value) else np.asarray(value)
        names = value.names if is_table(value) else None
        if value.ndim != 2:
            raise DataError(
                f"{name} must be 2-D (rows, features) where columns are named, got shape "
                f"{value.shape}; leave out features, drop, categorical and numeric"
            )
        n = value.shape[1]
    kept = _kept(chosen, names, n, name)
    asked = {kept.index(j): kind for j, kind in chosen.kinds(names, n, name).items() if j in kept}
    if frame is not None:
        frame = frame_columns_at(frame, kept)
        asked = {**dict.fromkeys(category_columns(frame), CATEGORY), **asked}
        rows = frame_rows(frame, name)
    else:
        rows = value if is_table(value) else array_rows(value, name)
        rows = rows.subset(kept)
    names = rows.names
    labels = [str(kept[j]) if names is None else names[j] for j in range(len(kept))]
    if not len(kept) or not len(rows):
        raise DataError(
            f"{name} must have at least one row and one feature, got shape {(len(rows), len(kept))}"
            "; check how the data was selected"
        )
    if frame is not None and CATEGORY not in asked.values() and are_plain(rows.columns):
        return _plain_frame(frame, rows, labels, asked)
    check_columns_finite(rows, labels, name)
    typed = find_kinds(rows, labels, asked, name)
    return TableFeatures(typed.rows, typed.rows.names, typed.facts, typed.warnings)


def table_part(value: Any, name: str, training: TableRows, targets: Any = None) -> TableRows:
    """Return further rows, with the columns and the kinds of training rows.

    Parameters
    ----------
    value : frame, TableRows or array_like
    name : str
    training : TableRows
    targets : sequence of str, optional
        Names of the targets, which the frame may hold, too.

    Raises
    ------
    DataError
        If a column is missing, or holds infinite numbers.
    """
    if is_table(value):
        rows = value
    elif (frame := read_frame(value, name)) is not None:
        found = frame_columns(training.names, targets, name, stacklevel=8)(
            list(map(str, frame.columns))
        )
        rows = frame_rows(frame if found is None else frame_columns_at(frame, found), name)
    else:
        array = np.asarray(value)
        if array.ndim != 2:
            raise DataError(f"{name} must be 2-D (rows, columns), got shape {array.shape}")
        rows = array_rows(array, name)
    if rows.shape[1] != training.shape[1]:
        raise DataError(
            f"{name} must have as many columns as X, {training.shape[1]}, got {rows.shape[1]}; "
            "select the same columns in both"
        )
    columns = tuple(
        KINDS.parse(kind).own(column, getattr(like, "format", ""))
        for kind, column, like in zip(
            training.kinds, rows.selected(), training.columns, strict=True
        )
    )
    owned = TableRows(columns, training.kinds, training.names)
    labels = [str(j) for j in range(len(columns))] if training.names is None else training.names
    check_columns_finite(owned, labels, name)
    return owned


def check_columns_finite(rows: TableRows, labels: Sequence[str], name: str) -> None:
    """Raise DataError for infinite numbers, which are no gaps."""
    for label, column in zip(labels, rows.columns, strict=True):
        if isinstance(column, Numbers) and column.values.dtype.kind == "f":
            infinite = np.isinf(column.values)
            if infinite.any():
                raise DataError(
                    f"{name} must hold finite numbers, got infinity in column {label!r}, row "
                    f"{int(infinite.argmax())} counting from 0; replace it by a number, or by a gap"
                )


def _plain_frame(
    frame: Any, rows: TableRows, labels: Sequence[str], asked: dict[int, str]
) -> TableFeatures:
    """Return a frame of numbers as a matrix, without columns that only identify rows."""
    columns = [column.numbers() for column in rows.columns]
    left_out = [j for j in numeric_identifiers(columns, rows.names) if j not in asked]
    kept = [j for j in range(len(columns)) if j not in left_out]
    notes = [column_note(labels[j], identifier_note(labels[j])) for j in left_out]
    if left_out:
        frame = frame_columns_at(frame, kept)
    names = tuple(map(str, frame.columns))
    return TableFeatures(frame_numbers(frame, "X"), names, (), notes)


def _kept(chosen: Chosen, names: Sequence[str] | None, n: int, where: str) -> list[int]:
    features = sorted(set(_indices(chosen.features, names, n, "features", where)))
    dropped = _indices(chosen.drop, names, n, "drop", where)
    if both := [j for j in features if j in dropped]:
        raise ConfigError(
            f"features and drop must not name the same column, got "
            f"{(names[both[0]] if names else both[0])!r} in both; remove it from one of them"
        )
    return [j for j in features or range(n) if j not in dropped]


def _indices(
    columns: Sequence[str], names: Sequence[str] | None, n: int, option: str, where: str
) -> list[int]:
    found = []
    for column in columns:
        if names is not None and column in names:
            found.append(list(names).index(column))
        elif column.lstrip("-").isdecimal() and -n <= int(column) < n:
            found.append(int(column) % n)
        else:
            raise ConfigError(
                f"{option} must be columns of {where}, got {column!r}"
                f"{close_match(column, names or [f'an index from {-n} to {n - 1}'])}"
            )
    return found


def _as_texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, (str, int)):
        return (str(value),)
    return tuple(map(str, value or ()))
