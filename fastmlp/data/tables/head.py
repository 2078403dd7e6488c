"""The first rows of a table, from which its dialect is inferred."""

from __future__ import annotations

import csv
import dataclasses
import io
from itertools import islice
from typing import NamedTuple

from ...base.errors import DataError
from ...base.settings import AUTO
from ...base.table_options import TableOptions
from .dialect import (
    Dialect,
    comment_mark,
    find_decimal,
    find_separator,
    has_unnamed_first,
    separator_line,
    split,
)
from .fields import CellFormat
from .records import Record, Records, wrong_width
from .source import Source
from .text import Text

HEAD_ROWS = 20
SAMPLE_CHARS = 1 << 20


class Head(NamedTuple):
    """The beginning of a table.

    Attributes
    ----------
    dialect : Dialect
    records : list of (int, list of str)
        The first HEAD_ROWS records, equally long.
    comments : list of int
        Number of comment lines above each record.
    comment : list of str or None
        The fields of the comment line above the records, if there are as many as columns.
    encoding : str
    has_unnamed_first : bool
        Whether the first record had one field less, and an empty one was put in front.
    """

    dialect: Dialect
    records: list[Record]
    comments: list[int]
    comment: list[str] | None
    encoding: str
    has_unnamed_first: bool = False

    @property
    def rows(self) -> list[list[str]]:
        """The fields of all records."""
        return [fields for _, fields in self.records]

    @property
    def width(self) -> int:
        """Number of fields of each record."""
        return len(self.records[0][1])

    @property
    def n_empty_last(self) -> int:
        """Number of empty fields without a name at the end of each row, after its separators."""
        filled = (i for fields in self.rows for i, cell in enumerate(fields) if cell.strip())
        return self.width - 1 - max(filled, default=0)

    def with_decimal(self, decimal: str) -> Head:
        """Return the same with another decimal sign."""
        cells = dataclasses.replace(self.dialect.cells, decimal=decimal)
        return self._replace(dialect=self.dialect._replace(cells=cells))


def read_head(source: Source, options: TableOptions) -> Head:
    """Read the first rows of a table and infer its dialect.

    Raises
    ------
    DataError
        If it is empty or no table.
    """
    comment = comment_mark(options)
    with source.open() as file:
        text = Text(file, source.name, options.encoding)
        block, line = text.next_block() or "", 1
        end = block.find("\n") + 1
        named = separator_line(block[:end])
        if named is not None:
            block, line = block[end:], 2
        sample, is_whole = _sample(block, comment)
        if not sample:
            raise DataError(f"{source.name} is empty; name a file that holds a table")
        separator = options.delimiter
        if separator == AUTO:
            is_cut = not (is_whole and text.is_read)
            separator = named or find_separator(sample, is_cut, options.thousands)
        reader = Records(text, separator, comment)
        head: list[Record] = []
        comments: list[int] = []
        above = (0, "")
        for record in islice(reader.of(block, line), HEAD_ROWS):
            above = above if head else reader.last_comment
            head.append(record)
            comments.append(reader.comments)
    unnamed = len(head) > 1 and has_unnamed_first([fields for _, fields in head])
    if unnamed and all(not fields[-1].strip() for _, fields in head[1:]):
        # Separators at the ends of rows, but not of the names.
        head[0], unnamed = (head[0][0], [*head[0][1], ""]), False
    if unnamed:
        head[0] = head[0][0], ["", *head[0][1]]
    _check_widths(head, source.name)
    decimal = find_decimal([fields for _, fields in head[1:] or head], separator, options)
    cells = CellFormat(decimal, options.thousands, options.na_values)
    names = None
    if above[0] == head[0][0] - 1 and above[1]:
        names = _comment_fields(above[1], comment, separator, len(head[0][1]))
    dialect = Dialect(separator, comment, cells)
    return Head(dialect, head, comments, names, text.encoding, unnamed)


def _sample(block: str, comment: str) -> tuple[list[str], bool]:
    """Return the first lines that are neither comments nor empty, and whether there are no more."""
    sample: list[str] = []
    lines = io.StringIO(block[:SAMPLE_CHARS], newline="\n")
    for line in lines:
        if line.strip() and not (comment and line.startswith(comment)):
            sample.append(line)
        if len(sample) == HEAD_ROWS:
            break
    return sample, len(block) <= SAMPLE_CHARS and not lines.read(1)


def _comment_fields(line: str, comment: str, separator: str, width: int) -> list[str] | None:
    """Return the fields of a comment line, if there are as many as columns."""
    try:
        empty: list[str] = []
        fields = next(split([line.removeprefix(comment).lstrip()], separator), empty)
    except csv.Error:
        return None
    return fields if len(fields) == width else None


def _check_widths(head: list[Record], name: str) -> None:
    width = len(head[0][1])
    for line, fields in head:
        if len(fields) != width:
            raise wrong_width(name, line, len(fields), width)
