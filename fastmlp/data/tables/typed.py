"""The features of a table in text: a matrix of numbers, or columns of several kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...base.errors import ConfigError
from ...base.table_options import TableOptions
from ...base.table_rows import are_plain
from ...ops.kinds import ColumnFacts
from ..column_kinds import (
    CATEGORY,
    NUMBER,
    column_note,
    find_kinds,
    identifier_note,
    numeric_identifiers,
)
from .layout import TableColumns
from .reading import Reading


class TypedFeatures(NamedTuple):
    """Features of a table.

    Attributes
    ----------
    X : ndarray of float64 or TableRows
    columns : tuple of int
        Indices of the table's columns.
    facts : tuple of ColumnFacts
        Of all columns; empty for a table of numbers without gaps.
    notes : sequence of str
        What is to be said of columns, a line each.
    """

    X: Any
    columns: tuple[int, ...]
    facts: tuple[ColumnFacts, ...] = ()
    notes: Sequence[str] = ()


def typed_features(reading: Reading, options: TableOptions) -> TypedFeatures:
    """Find the kinds of a table's columns, and leave out those that make no features.

    Raises
    ------
    ConfigError
        If an option names a column that is no feature.
    DataError
        If a column holds texts of many words, or no column is left.
    """
    features, layout = reading.layout.features, reading.layout
    labels = [_label(layout.names, i) for i in features]
    if reading.table is None:
        return _of_numbers(reading.values.X, features, layout.names)
    asked = _asked(options, reading.columns, features)
    table = reading.table
    if reading.gaps is not None and reading.gaps.any():
        table = table[~reading.gaps]
    if not asked and are_plain(table.selected()):
        X = np.stack([column.numbers() for column in table.selected()], axis=1)
        return _of_numbers(X, features, layout.names)
    typed = find_kinds(table, labels, asked, reading.source.name)
    kept = tuple(features[j] for j in typed.kept)
    return TypedFeatures(typed.rows, kept, typed.facts, typed.notes)


def _of_numbers(
    X: np.ndarray, features: tuple[int, ...], names: tuple[str, ...] | None
) -> TypedFeatures:
    """Return a table of numbers without the columns that only identify rows."""
    named = None if names is None else [names[i] for i in features]
    left_out = numeric_identifiers(list(X.T), named)
    if not left_out:
        return TypedFeatures(X, features)
    kept = [j for j in range(len(features)) if j not in left_out]
    labels = [_label(names, features[j]) for j in left_out]
    notes = [column_note(label, identifier_note(label)) for label in labels]
    return TypedFeatures(X[:, kept], tuple(features[j] for j in kept), (), notes)


def _asked(
    options: TableOptions, columns: TableColumns, features: tuple[int, ...]
) -> dict[int, str]:
    """Return the kinds that options ask for, by the indices of features."""
    found: dict[int, str] = {}
    for option, kind in (("categorical", CATEGORY), ("numeric", NUMBER)):
        for index in columns.indices(getattr(options, option), option):
            if index not in features:
                name = str(index) if columns.names is None else repr(columns.names[index])
                raise ConfigError(
                    f"{option} must name features, got {name}, which is left out or a target; "
                    "add it to features, or leave it out"
                )
            found[features.index(index)] = kind
    return found


def _label(names: tuple[str, ...] | None, index: int) -> str:
    return str(index) if names is None else names[index]
