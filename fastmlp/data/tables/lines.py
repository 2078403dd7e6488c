"""The lines of a file at which the rows of a table begin."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .records import Record
from .text import lines_in

_LINE_END, _QUOTE = ord("\n"), ord('"')


class Passed(NamedTuple):
    """What was passed while the rows were read.

    Attributes
    ----------
    comments : int
        Number of comment lines.
    lines : ndarray of int32, shape (n,)
        The line at which each row begins, counted from 1.
    """

    comments: int = 0
    lines: np.ndarray = np.empty(0, np.int32)


class RowLines:
    """Collects the lines of the rows.

    Parameters
    ----------
    comment : str
        What comment lines begin with; empty: there are none.
    """

    def __init__(self, comment: str):
        self._comment = comment
        self._lines = array("i")

    def passing(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield records, and remember their lines."""
        for record in records:
            self._lines.append(record[0])
            yield record

    def add_block(self, block: str, line: int) -> None:
        """Add the rows of a block of whole lines that a library has read.

        Parameters
        ----------
        block : str
        line : int
            Number of its first line.
        """
        has_comments = self._comment and self._comment in block
        if '"' not in block and "\n\n" not in block and block[:1] != "\n" and not has_comments:
            self._lines.extend(range(line, line + lines_in(block)))
            return
        data = np.frombuffer(block.encode("utf-8", "surrogatepass"), np.uint8)
        ends = np.flatnonzero(data == _LINE_END)
        if not len(ends) or ends[-1] != len(data) - 1:
            ends = np.append(ends, len(data))
        starts = np.append(0, ends[:-1] + 1)
        # A line end within quotes ends no row.
        quotes = np.cumsum(data == _QUOTE)
        within = np.append(0, quotes[ends[:-1]]) % 2 == 1
        begins = ~within & (ends > starts)
        if has_comments:
            prefix = self._comment.encode()
            begins &= [data[s : s + len(prefix)].tobytes() != prefix for s in starts.tolist()]
        self._lines.extend((line + np.flatnonzero(begins)).tolist())

    def taken(self) -> np.ndarray:
        """Return the lines of all rows."""
        return np.frombuffer(self._lines, np.intc).astype(np.int32)
