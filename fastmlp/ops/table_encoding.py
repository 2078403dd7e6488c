"""The encoding of a table: learned on the training rows, from columns of any kind to features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..base.lazy import lazy
from ..base.table_rows import Column, TableRows
from .fitted_columns import FittedColumn
from .kinds import KINDS
from .scalers import Scaler

# Rows encoded at once: temporary arrays then fit into the caches.
_ROWS_AT_ONCE = 1 << 15


class EncodedColumn(NamedTuple):
    """A column's kind and its encoding."""

    kind: str
    fitted: FittedColumn


@dataclass(frozen=True, eq=False)
class TableEncoding:
    """The encodings of all columns; ``scale none``: numbers are scaled here.

    Attributes
    ----------
    columns : tuple of EncodedColumn
    names : tuple of str or None
        Of the columns; None if the training table had no names.
    scale : str
        The name of the scaler of numbers.
    """

    columns: tuple[EncodedColumn, ...]
    names: tuple[str, ...] | None
    scale: str
    numbers_first: bool = True

    @classmethod
    def fit(cls, rows: TableRows, scaler: Scaler, min_frequency: int) -> TableEncoding:
        """Learn the encoding.

        Parameters
        ----------
        rows : TableRows
            Of the training part, with kinds.
        scaler : Scaler
            Of numbers and parts of dates; categories stay 0 and 1.
        min_frequency : int
            Training rows that a level must have for a feature of its own.

        Raises
        ------
        DataError
            If the spread of a number exceeds float64.
        """
        fitted = [
            KINDS.parse(kind).fit(rows.column(j), min_frequency)
            for j, kind in enumerate(rows.kinds)
        ]
        pairs = iter(scaler.fit_columns(_unscaled(rows, fitted)))
        columns = []
        for kind, column in zip(rows.kinds, fitted, strict=True):
            own = [next(pairs) for _ in range(_n_scaled(column))]
            if own:
                offsets, factors = zip(*own, strict=True)
                column = column.with_scaling(offsets, factors, scaler.clip)
            columns.append(EncodedColumn(kind, column))
        return cls(tuple(columns), rows.names, scaler.name)

    @lazy
    def places(self) -> list[np.ndarray]:
        """The features of each column's outputs."""
        scaled = [_n_scaled(column.fitted) for column in self.columns]
        if not self.numbers_first:
            scaled = [0] * len(scaled)
        number, other = 0, sum(scaled)
        places = []
        for n, column in zip(scaled, self.columns, strict=True):
            rest = len(column.fitted.outputs) - n
            places.append(np.r_[number : number + n, other : other + rest])
            number, other = number + n, other + rest
        return places

    @lazy
    def n_features(self) -> int:
        """Number of features."""
        return sum(map(len, self.places))

    @property
    def n_numbers(self) -> int:
        """How many features are scaled numbers; these come first."""
        return sum(_n_scaled(column.fitted) for column in self.columns) if self.numbers_first else 0

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @lazy
    def density(self) -> float:
        """The largest share of non-zero features in a row."""
        n_entries = 0
        for _, fitted in self.columns:
            exclusive = not fitted.has_scaled and len(fitted.outputs) > 2
            n_entries += 1 if exclusive else len(fitted.outputs)
        return n_entries / max(1, self.n_features)

    @lazy
    def kinds(self) -> tuple[str, ...]:
        """The names of the columns' kinds."""
        return tuple(column.kind for column in self.columns)

    def label(self, index: int) -> str:
        """Return a column's name, or its index, for people."""
        return str(index) if self.names is None else self.names[index]

    def feature_names(self) -> list[str]:
        """Return a name for each feature: the column's, and what it stands for."""
        names = [""] * self.n_features
        for j, (_, fitted) in enumerate(self.columns):
            for place, output in zip(self.places[j], fitted.outputs, strict=True):
                names[place] = f"{self.label(j)}={output}" if output else self.label(j)
        return names

    def own(self, rows: TableRows) -> TableRows:
        """Return rows whose columns are stored as their kinds in training are."""
        columns = tuple(
            KINDS.parse(kind).own(column, getattr(fitted, "format", ""))
            for (kind, fitted), column in zip(self.columns, rows.selected(), strict=True)
        )
        return TableRows(columns, self.kinds, self.names)

    def dense(self, rows: TableRows, dtype: np.dtype) -> np.ndarray:
        """Return the features, shape (n, n_features)."""
        X = np.zeros((len(rows), self.n_features), dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            for start, part in _blocks(self._prepared(rows)):
                every = np.arange(start, start + len(part))
                for index, values in self._slots(part):
                    if isinstance(index, int):
                        X[every, index] = values
                    else:
                        given = index >= 0
                        X[every[given], index[given]] = values
        return X

    def sparse(self, rows: TableRows, dtype: np.dtype) -> Any:
        """Return the features as a csr_array without stored zeros."""
        from scipy.sparse import csr_array

        n_slots = sum(len(fitted.slots(column)) for (_, fitted), column in self._empty(rows))
        data = np.empty(len(rows) * n_slots, dtype)
        indices = np.empty(len(data), np.int32)
        counts, end = np.zeros(len(rows) + 1, np.int64), 0
        for start, part in _blocks(self._prepared(rows)):
            found, features, in_rows = self._entries(part, dtype)
            data[end : end + len(found)] = found
            indices[end : end + len(found)] = features
            counts[start + 1 : start + 1 + len(in_rows)] = in_rows
            end += len(found)
        offsets = np.cumsum(counts, out=counts)
        if end < np.iinfo(np.int32).max:
            offsets = offsets.astype(np.int32)
        shape = (len(rows), self.n_features)
        return csr_array((data[:end], indices[:end], offsets), shape=shape)

    def _empty(self, rows: TableRows) -> Iterator[tuple[EncodedColumn, Column]]:
        """Yield each column's encoding and no rows of it."""
        prepared = self._prepared(rows[:0])
        return zip(self.columns, prepared.selected(), strict=True)

    def _prepared(self, rows: TableRows) -> TableRows:
        pairs = zip(self.columns, rows.columns, strict=True)
        columns = tuple(column.fitted.prepared(values) for column, values in pairs)
        return replace(rows, columns=columns)

    def _entries(self, rows: TableRows, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        """Return the non-zero elements of rows, their features, and their number in each row."""
        slots = list(self._slots(rows))
        indices = np.empty((len(rows), len(slots)), np.int32)
        data = np.empty((len(rows), len(slots)), dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            for k, (index, values) in enumerate(slots):
                indices[:, k], data[:, k] = index, values
        kept = (indices >= 0) & (data != 0)
        return data[kept], indices[kept], np.count_nonzero(kept, axis=1)

    def _slots(self, rows: TableRows) -> Iterator[tuple[int | np.ndarray, Any]]:
        """Yield the features of rows and their values, features in ascending order."""
        others = []
        for j, (_, fitted) in enumerate(self.columns):
            for index, values in fitted.slots(rows.column(j)):
                features = _features(self.places[j], index)
                if isinstance(features, int) and features < self.n_numbers:
                    yield features, values
                else:
                    others.append((features, values))
        yield from others

    def new_gaps(self, rows: TableRows) -> dict[str, tuple[int, str]]:
        """Return the columns that have gaps here and had none in training.

        Returns
        -------
        dict of str to (int, str)
            By the column's label: the number of gaps, and what stands for them.
        """
        found = {}
        for j, (_, fitted) in enumerate(self.columns):
            n = 0 if fitted.n_missing else int(np.count_nonzero(rows.column(j).missing()))
            if n:
                found[self.label(j)] = n, fitted.stand_in
        return found


def _features(places: np.ndarray, index: int | np.ndarray) -> int | np.ndarray:
    """Return the features of a column's outputs; -1: none."""
    return (
        int(places[index])
        if isinstance(index, int)
        else np.where(index >= 0, places[np.maximum(index, 0)], -1)
    )


def _n_scaled(fitted: FittedColumn) -> int:
    if not fitted.has_scaled:
        return 0
    return len(fitted.outputs) - bool(fitted.n_missing)


def _unscaled(rows: TableRows, fitted: Sequence[FittedColumn]) -> Iterator[np.ndarray]:
    for j, column in enumerate(fitted):
        if column.has_scaled:
            yield from column.unscaled(rows.column(j))


def _blocks(rows: TableRows) -> Iterator[tuple[int, TableRows]]:
    for start in range(0, max(1, len(rows)), _ROWS_AT_ONCE):
        yield start, rows[start : start + _ROWS_AT_ONCE]
