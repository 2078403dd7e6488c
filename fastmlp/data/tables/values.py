"""The values of a table: one array of features; targets as arrays of numbers or lists of texts."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import numpy as np

from . import fast
from .fields import CellFormat
from .head import Head
from .layout import TableLayout
from .lines import Passed, RowLines
from .records import Record, Records
from .source import Source
from .text import Text, lines_in

Target = fast.Target


class Values(NamedTuple):
    """The values of a table.

    Attributes
    ----------
    X : ndarray of float64, shape (n, n_features)
    targets : list of ndarray of float64 or list of str
        The numbers or texts of each target.
    passed : Passed
        Lines of the rows, and the number of comments.
    """

    X: np.ndarray
    targets: list[Target]
    passed: Passed = Passed()


class NotNumbers(Exception):
    """A cell that must be a number is none.

    Parameters
    ----------
    cell : str
    target : int, optional
        Index of its target; None: it belongs to a feature.
    """

    def __init__(self, cell: str, target: int | None = None):
        super().__init__(cell)
        self.cell, self.target = cell.strip(), target


def read_values(
    source: Source, head: Head, layout: TableLayout, first_line: int, are_texts: tuple[bool, ...]
) -> Values:
    """Read all rows.

    Parameters
    ----------
    source : Source
    head : Head
    layout : TableLayout
    first_line : int
        Line number of the first row below the header.
    are_texts : tuple of bool
        Which targets are read as texts.

    Raises
    ------
    NotNumbers
        If a feature, or a target that is not read as text, is no number; NaN is one.
    DataError
        If the file is no table.
    """
    dialect = head.dialect
    rows = _Rows(dialect.cells, layout, are_texts)
    request = fast.Request(
        dialect.separator, dialect.cells.decimal, dialect.comment, layout.width,
        layout.features, layout.targets, are_texts,
    )  # fmt: skip
    passed = read_blocks(source, head, request, rows, first_line)
    return Values(*rows.taken(), passed)


class Store(Protocol):
    """What takes the rows that are read, block by block."""

    def add(self, block: str, request: fast.Request, reader: fast.Reader) -> bool:
        """Add the rows of a block as a library reads them; return False to give up."""

    def read(self, records: Iterator[Record]) -> None:
        """Add rows as the exact reader splits them."""


def read_blocks(
    source: Source, head: Head, request: fast.Request, store: Store, first_line: int
) -> Passed:
    """Read all rows into a store; return their lines, and the number of comment lines.

    Parameters
    ----------
    source : Source
    head : Head
    request : Request
    store : Store
    first_line : int
        Line number of the first row below the header.
    """
    dialect = head.dialect
    with source.open() as file:
        text = Text(file, source.name, head.encoding)
        exact = Records(text, dialect.separator, dialect.comment, request.width)
        block = text.skip_to(first_line)
        lines = RowLines(dialect.comment)
        reader = None
        if block is not None and not dialect.cells.thousands and fast.is_worth_it(len(block)):
            reader = fast.fast_reader()
        while block is not None:
            line = text.line - lines_in(block)
            if reader is not None and store.add(block, request, reader):
                lines.add_block(block, line)
            else:
                store.read(lines.passing(exact.of(block, line)))
            block = text.next_block()
        return Passed(exact.comments, lines.taken())


class _Rows:
    """Rows read so far, in typed arrays: lists of floats would take four times the memory."""

    def __init__(self, cells: CellFormat, layout: TableLayout, are_texts: tuple[bool, ...]):
        self._cells, self._layout = cells, layout
        self._values = array("d")
        self._targets: list[Any] = [[] if is_text else array("d") for is_text in are_texts]

    def add(self, block: str, request: fast.Request, reader: fast.Reader) -> bool:
        """Add rows from a library, if it can read them."""
        found = fast.read_block(block, request, reader)
        if found is not None:
            self._extend(*found)
        return found is not None

    def _extend(self, X: np.ndarray, targets: list[Target]) -> None:
        self._values.frombytes(X.data.cast("B"))
        for stored, read in zip(self._targets, targets, strict=True):
            if isinstance(read, list):
                stored.extend(read)
            else:
                stored.frombytes(np.ascontiguousarray(read).data.cast("B"))

    def read(self, records: Iterator[Record]) -> None:
        """Add rows as float() reads their cells."""
        features, targets = self._layout.features, self._layout.targets
        pick = itemgetter(*features) if len(features) > 1 else lambda fields: [fields[features[0]]]
        add, is_plain = self._values.extend, self._cells.is_plain
        for _, fields in records:
            cells = pick(fields)
            try:
                if not is_plain or "_" in "".join(cells):
                    raise ValueError
                add([*map(float, cells)])
            except ValueError:
                add([*map(self._feature, cells)])
            for k, index in enumerate(targets):
                self._add_target(k, fields[index])

    def _feature(self, cell: str) -> float:
        number = self._cells.feature(cell)
        if number is None:
            raise NotNumbers(cell)
        return number

    def _add_target(self, k: int, cell: str) -> None:
        stored = self._targets[k]
        if isinstance(stored, list):
            stored.append(cell.strip())
            return
        number = self._cells.number(cell)
        if number is None:
            raise NotNumbers(cell, k)
        stored.append(number)

    def taken(self) -> tuple[np.ndarray, list[Target]]:
        """Return features and targets as arrays, without a copy."""
        targets = [t if isinstance(t, list) else np.frombuffer(t) for t in self._targets]
        return np.frombuffer(self._values).reshape(-1, len(self._layout.features)), targets
