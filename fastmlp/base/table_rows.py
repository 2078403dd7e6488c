"""Rows of a table whose columns are of several kinds, stored column by column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from .dates import NO_FORMAT, seconds_of, time_texts
from .levels import as_number, canonical, distinct_numbers, number_text

GAP = -1  # the code of a missing text


@dataclass(frozen=True, eq=False)
class Column(ABC):
    """A column of a table: numbers, texts or times; each can be read as any of these."""

    @property
    @abstractmethod
    def data(self) -> np.ndarray:
        """One element for each row."""

    @abstractmethod
    def with_data(self, data: np.ndarray) -> Self:
        """Return a column of the same levels with other elements."""

    @abstractmethod
    def missing(self) -> np.ndarray:
        """Return which values are missing, bool of shape (n,)."""

    @abstractmethod
    def numbers(self) -> np.ndarray:
        """Return the values as numbers, shape (n,); NaN for gaps and for texts that are none."""

    @abstractmethod
    def texts(self) -> Texts:
        """Return the values as texts; equal numbers are one text."""

    @abstractmethod
    def times(self, format: str) -> Times:
        """Return the values as times, texts read by a format; NaN for gaps and other texts."""

    def __len__(self) -> int:
        return len(self.data)

    def missing_numbers(self) -> np.ndarray:
        """Return which values are no numbers, bool of shape (n,)."""
        values = self.numbers()
        return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)

    def take(self, rows: Any) -> Self:
        """Return some rows, as an array is indexed."""
        return self.with_data(self.data[rows])

    def shown(self) -> list[str]:
        """Return each value as a text, texts as they are; empty for gaps."""
        texts = self if isinstance(self, Texts) else self.texts()
        levels = [*texts.levels, ""]
        return [levels[code] for code in texts.codes.tolist()]


@dataclass(frozen=True, eq=False)
class Numbers(Column):
    """Numbers of any real dtype, shape (n,); NaN is a gap."""

    values: np.ndarray

    @property
    def data(self) -> np.ndarray:
        return self.values

    def with_data(self, data: np.ndarray) -> Numbers:
        return Numbers(data)

    def missing(self) -> np.ndarray:
        return self.missing_numbers()

    def numbers(self) -> np.ndarray:
        return self.values

    def texts(self) -> Texts:
        distinct, codes = distinct_numbers(self.values)
        return Texts(codes, tuple(map(number_text, distinct)), is_canonical=True)

    def times(self, format: str) -> Times:
        return Times(self.values.astype(np.float64), format)


@dataclass(frozen=True, eq=False)
class Texts(Column):
    """Texts by their codes.

    Attributes
    ----------
    codes : ndarray of int32, shape (n,)
        Indices of ``levels``; -1 is a gap.
    levels : tuple of str
        All different; some may occur in no row.
    is_canonical : bool
        Whether equal numbers are one level.
    """

    codes: np.ndarray
    levels: tuple[str, ...]
    is_canonical: bool = False

    @property
    def data(self) -> np.ndarray:
        return self.codes

    def with_data(self, data: np.ndarray) -> Texts:
        return Texts(data, self.levels, self.is_canonical)

    def missing(self) -> np.ndarray:
        missing: np.ndarray = self.codes == GAP
        return missing

    def numbers(self) -> np.ndarray:
        return self._each([as_number(level) for level in self.levels])

    def texts(self) -> Texts:
        if self.is_canonical:
            return self
        return replace(self.mapped(list(map(canonical, self.levels))), is_canonical=True)

    def times(self, format: str) -> Times:
        return Times(self._each(seconds_of(self.levels, format)), format)

    def mapped(self, levels: Sequence[str | None]) -> Texts:
        """Return the column with another text for each level; equal ones are merged, None: gaps."""
        if tuple(levels) == self.levels:
            return self
        index: dict[str, int] = {}
        codes = [GAP if level is None else index.setdefault(level, len(index)) for level in levels]
        return Texts(self._each(codes, np.int32(GAP)), tuple(index))

    def counts(self) -> np.ndarray:
        """Return the number of rows of each level."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def _each(self, values: Sequence[float] | np.ndarray, gap: Any = np.nan) -> np.ndarray:
        """Return the value of each row's level; ``gap`` for gaps."""
        by_code: np.ndarray = np.append(np.asarray(values, np.asarray(gap).dtype), gap)
        found: np.ndarray = by_code[self.codes]
        return found


@dataclass(frozen=True, eq=False)
class Times(Column):
    """Times in seconds since 1970, float64 of shape (n,); NaN is a gap.

    ``format`` is that of the texts that they were read from; empty if they were no texts.
    """

    seconds: np.ndarray
    format: str = NO_FORMAT

    @property
    def data(self) -> np.ndarray:
        return self.seconds

    def with_data(self, data: np.ndarray) -> Times:
        return Times(data, self.format)

    def missing(self) -> np.ndarray:
        missing: np.ndarray = np.isnan(self.seconds)
        return missing

    def numbers(self) -> np.ndarray:
        return self.seconds

    def texts(self) -> Texts:
        distinct, codes = distinct_numbers(self.seconds)
        return Texts(codes, tuple(time_texts(distinct)), is_canonical=True)

    def times(self, format: str = NO_FORMAT) -> Times:
        return self


@dataclass(frozen=True, eq=False)
class TableRows:
    """Rows of a table; selecting rows copies nothing until a column is asked for.

    Parameters
    ----------
    columns : tuple of Column
        Equally long, of all rows.
    kinds : tuple of str
        The names of their kinds, see :mod:`fastmlp.ops.kinds`; empty until they are found.
    names : tuple of str or None
    rows : ndarray of int, optional
        The selected rows; default: all.
    """

    columns: tuple[Column, ...]
    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.columns[0] if self.rows is None else self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of selected rows and of columns."""
        return len(self), len(self.columns)

    @property
    def ndim(self) -> int:
        """2, as of a matrix."""
        return 2

    def __getitem__(self, rows: Any) -> TableRows:
        """Return some of the selected rows, as an array is indexed."""
        if self.rows is not None:
            return replace(self, rows=self.rows[rows])
        if isinstance(rows, slice):
            return replace(self, columns=tuple(column.take(rows) for column in self.columns))
        given = np.asarray(rows)
        return replace(self, rows=np.flatnonzero(given) if given.dtype == bool else given)

    def column(self, index: int) -> Column:
        """Return the selected rows of a column."""
        column = self.columns[index]
        return column if self.rows is None else column.take(self.rows)

    def selected(self) -> list[Column]:
        """Return the selected rows of all columns."""
        return [self.column(j) for j in range(len(self.columns))]

    def subset(self, indices: Sequence[int]) -> TableRows:
        """Return some of the columns."""
        return TableRows(
            tuple(self.columns[j] for j in indices),
            tuple(self.kinds[j] for j in indices) if self.kinds else (),
            None if self.names is None else tuple(self.names[j] for j in indices),
            self.rows,
        )

    def has_gaps(self) -> np.ndarray:
        """Return which rows miss a value, bool of shape (n,)."""
        found = np.zeros(len(self), bool)
        for column in self.selected():
            found |= column.missing()
        return found


def stacked(parts: Sequence[TableRows]) -> TableRows:
    """Return the rows of all parts, one after the other; their columns are of the same kinds."""
    by_column = zip(*(part.selected() for part in parts), strict=True)
    columns = tuple(map(_joined, by_column))
    return replace(parts[0], columns=columns, rows=None)


def _joined(columns: Sequence[Column]) -> Column:
    first = columns[0]
    if not isinstance(first, Texts):
        return first.with_data(np.concatenate([column.data for column in columns]))
    index: dict[str, int] = {}
    codes = []
    for column in (column.texts() for column in columns):
        new = [index.setdefault(level, len(index)) for level in column.levels]
        codes.append(np.append(np.array(new, np.int32), np.int32(GAP))[column.codes])
    return Texts(np.concatenate(codes), tuple(index), is_canonical=True)


def are_plain(columns: Iterable[Column]) -> bool:
    """Whether all columns are numbers without gaps."""
    return all(isinstance(column, Numbers) and not column.missing().any() for column in columns)


def is_table(value: object) -> bool:
    """Whether it is the rows of a table with columns of several kinds."""
    return isinstance(value, TableRows)
