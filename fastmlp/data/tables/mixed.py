"""The values of a table whose columns hold numbers, texts and gaps."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from ...base.levels import MISSING, number_text
from ...base.table_rows import Column, Numbers, Texts
from . import fast
from .fields import POINT_NUMBER, CellFormat
from .head import Head
from .lines import Passed
from .records import Record
from .source import Source
from .values import NotNumbers, Target, read_blocks

# Records taken at once: columns are converted faster than rows.
_RECORDS_AT_ONCE = 4096


class MixedValues(NamedTuple):
    """The values of a table.

    Attributes
    ----------
    columns : dict of int to Column
        By their indices in the table.
    targets : list of ndarray of float64 or list of str
        NaN and empty texts are gaps.
    passed : Passed
        Lines of the rows, and the number of comments.
    """

    columns: dict[int, Column]
    targets: list[Target]
    passed: Passed


class Wanted(NamedTuple):
    """The columns to read, by their indices.

    Attributes
    ----------
    width : int
        Fields of a row.
    numbers, texts : tuple of int
    targets : tuple of int
    are_texts : tuple of bool
        Which targets are read as texts.
    raw : tuple of int
        Texts that are kept as they are, missing ones too.
    """

    width: int
    numbers: tuple[int, ...]
    texts: tuple[int, ...]
    targets: tuple[int, ...] = ()
    are_texts: tuple[bool, ...] = ()
    raw: tuple[int, ...] = ()


class StrayText(Exception):
    """A column that is read as numbers holds a text."""

    def __init__(self, column: int):
        super().__init__(column)
        self.column = column


def read_mixed(source: Source, head: Head, wanted: Wanted, first_line: int) -> MixedValues:
    """Read all rows.

    Raises
    ------
    StrayText
        If a column of numbers holds a text.
    NotNumbers
        If a target that is not read as text holds one, or a text has another decimal sign.
    DataError
        If the file is no table.
    """
    cells, dialect = head.dialect.cells, head.dialect
    texts = (True,) * len(wanted.texts)
    request = fast.Request(
        dialect.separator, dialect.cells.decimal, dialect.comment, wanted.width, wanted.numbers,
        (*wanted.texts, *wanted.targets), (*texts, *wanted.are_texts), _gaps(cells),
    )  # fmt: skip
    store = _Columns(cells, wanted)
    passed = read_blocks(source, head, request, store, first_line)
    return MixedValues(*store.taken(), passed)


def _gaps(cells: CellFormat) -> tuple[str, ...]:
    """Return the texts that libraries take for a missing number."""
    forms = {form for text in MISSING for form in (text, text.upper(), text.title())}
    return tuple(sorted({*forms, "NaN", "<NA>", *cells.na_values}))


class _Columns:
    """Columns read so far."""

    def __init__(self, cells: CellFormat, wanted: Wanted):
        self._cells, self._wanted = cells, wanted
        self._numbers = {i: array("d") for i in wanted.numbers}
        self._texts = {i: _Coder() for i in wanted.texts}
        self._targets: list[Any] = [
            _Coder() if is_text else array("d") for is_text in wanted.are_texts
        ]

    def add(self, block: str, request: fast.Request, reader: fast.Reader) -> bool:
        """Add rows from a library, if it can read them."""
        columns = fast.read_columns(block, request, reader)
        if columns is None:
            return False
        for i, numbers in self._numbers.items():
            numbers.frombytes(np.ascontiguousarray(columns[i]).data.cast("B"))
        for i, coder in self._texts.items():
            coder.add(columns[i])
        for i, stored in zip(self._wanted.targets, self._targets, strict=True):
            if isinstance(stored, _Coder):
                stored.add(columns[i])
            else:
                stored.frombytes(np.ascontiguousarray(columns[i]).data.cast("B"))
        return True

    def read(self, records: Iterator[Record]) -> None:
        """Add rows as float() reads their cells."""
        while batch := [fields for _, fields in islice(records, _RECORDS_AT_ONCE)]:
            columns = list(zip(*batch, strict=True))
            for i, numbers in self._numbers.items():
                numbers.extend(self._as_numbers(columns[i], i))
            for i, coder in self._texts.items():
                coder.add([cell.strip() for cell in columns[i]])
            for k, i in enumerate(self._wanted.targets):
                self._add_target(k, columns[i])

    def _as_numbers(self, cells: Sequence[str], column: int) -> list[float]:
        if self._cells.is_plain and "_" not in "".join(cells):
            try:
                return [*map(float, cells)]
            except ValueError:
                pass
        return [self._number(cell, column) for cell in cells]

    def _number(self, cell: str, column: int) -> float:
        number = self._cells.feature(cell)
        if number is not None:
            return number
        if self._cells.is_missing(cell):
            return np.nan
        raise StrayText(column)

    def _add_target(self, k: int, cells: Sequence[str]) -> None:
        stored = self._targets[k]
        if isinstance(stored, _Coder):
            stored.add([cell.strip() for cell in cells])
            return
        for cell in cells:
            number = self._cells.number(cell)
            if number is None and not self._cells.is_missing(cell):
                raise NotNumbers(cell, k)
            stored.append(np.nan if number is None else number)

    def taken(self) -> tuple[dict[int, Column], list[Target]]:
        """Return columns and targets, gaps as NaN, -1 and empty texts."""
        columns: dict[int, Column] = {
            i: Numbers(self._with_gaps(np.frombuffer(values)))
            for i, values in self._numbers.items()
        }
        for i, coder in self._texts.items():
            columns[i] = coder.raw() if i in self._wanted.raw else coder.texts(self._cells)
        targets: list[Target] = [
            self._texts_of(stored) if isinstance(stored, _Coder)
            else self._with_gaps(np.frombuffer(stored))
            for stored in self._targets
        ]  # fmt: skip
        return columns, targets

    def _texts_of(self, coder: _Coder) -> list[str]:
        raw = coder.raw()
        texts = ["" if self._cells.is_missing(text) else text for text in raw.levels]
        return [texts[code] for code in raw.codes.tolist()]

    def _with_gaps(self, values: np.ndarray) -> np.ndarray:
        if self._cells.na_numbers:
            values = np.where(np.isin(values, self._cells.na_numbers), np.nan, values)
        return values


class _Coder:
    """The codes of texts, which take a hundredth of the memory of the texts."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._codes = array("i")

    def add(self, texts: Sequence[str]) -> None:
        """Add the texts of some rows."""
        index = self._index
        try:
            self._codes.extend([index[text] for text in texts])
        except KeyError:
            self._codes.extend([index.setdefault(text, len(index)) for text in texts])

    def raw(self) -> Texts:
        """Return all texts as they are."""
        codes = np.frombuffer(self._codes, np.int32)
        return Texts(codes, tuple(self._index), is_canonical=True)

    def texts(self, cells: CellFormat) -> Texts:
        """Return all texts as a column; numbers in the notation of the file as Python writes."""
        levels = [None if cells.is_missing(text) else _level(text, cells) for text in self._index]
        return replace(self.raw(), is_canonical=False).mapped(levels)


def _level(text: str, cells: CellFormat) -> str:
    if cells.is_plain:
        return text
    number = cells.number(text)
    if number is None and POINT_NUMBER.fullmatch(text):  # where commas are decimal signs
        raise NotNumbers(text)
    return text if number is None else number_text(number)
