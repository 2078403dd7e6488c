"""The records of a table, read exactly, with their line numbers and errors."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ...base.errors import DataError
from . import text as limits
from .dialect import is_blank, split
from .text import Text, too_long

Record = tuple[int, list[str]]


class Records:
    """The records in the blocks of a text.

    Parameters
    ----------
    text : Text
        Its next block completes a record that a block cuts.
    separator, comment : str
        See :class:`~fastmlp.data.tables.dialect.Dialect`.
    width : int, optional
        Fields that every record must have; default: any number.

    Attributes
    ----------
    comments : int
        Number of comment lines skipped so far.
    last_comment : (int, str)
        Number and text of the last comment line; 0 and "" before the first.
    """

    def __init__(self, text: Text, separator: str, comment: str, width: int | None = None):
        self._text, self._separator, self._comment = text, separator, comment
        self._width = width
        self.comments = 0
        self.last_comment = (0, "")
        self._is_between = True
        self._line = self._next_line = 0

    def of(self, block: str, line: int) -> Iterator[Record]:
        """Yield the records that begin in a block, each with the number of its first line.

        Empty lines and comments are skipped.

        Parameters
        ----------
        block : str
        line : int
            Number of the block's first line.

        Raises
        ------
        DataError
            If a record is too long, cannot be read, or has another number of fields.
        """
        self._next_line, self._is_between = line, True
        name = self._text.name
        try:
            for fields in split(self._lines(block), self._separator):
                self._is_between = True
                if is_blank(fields):
                    continue
                if self._width is not None and len(fields) != self._width:
                    raise wrong_width(name, self._line, len(fields), self._width)
                yield self._line, fields
        except csv.Error as error:
            raise DataError(f"{name}: line {self._line} {_advice(error)}") from None

    def _lines(self, block: str | None) -> Iterator[str]:
        size = 0
        while block is not None:
            for line in io.StringIO(block, newline="\n"):
                self._next_line += 1
                if self._is_between:
                    if self._comment and line.startswith(self._comment):
                        self.comments += 1
                        self.last_comment = self._next_line - 1, line
                        continue
                    self._is_between, self._line, size = False, self._next_line - 1, 0
                size += len(line)
                if size > limits.MAX_RECORD:
                    raise too_long(self._text.name, self._line)
                yield line
            if self._is_between:
                return
            block = self._text.next_block()


def wrong_width(name: str, line: int, width: int, wanted: int) -> DataError:
    """Return the error for a record with another number of fields than the first."""
    return DataError(
        f"{name}: every row must have as many fields as the first, {wanted}, got {width} in line "
        f"{line}; check its separators and quotes, or name the separator with --separator"
    )


def _advice(error: csv.Error) -> str:
    text = str(error)
    if text.startswith("field larger"):
        limit = csv.field_size_limit()
        return f"must have fields of at most {limit} characters; is a closing quote missing?"
    return f"must be CSV, got {text}; check its quotes"
