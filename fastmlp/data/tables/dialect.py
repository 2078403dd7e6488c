"""The dialect of a table in text: separator, comments, decimal sign."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from ...base.settings import AUTO
from ...base.table_options import WHITESPACE, TableOptions
from .fields import COMMA_NUMBER, PLAIN, POINT_NUMBER, CellFormat, is_numeral

# By priority: text often holds a comma, seldom the others. A tab has priority over all.
TAB = "\t"
SEPARATORS = (";", "|", ",", WHITESPACE)
NO_COMMENTS = "none"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.I)


class Dialect(NamedTuple):
    """The dialect of a table.

    Attributes
    ----------
    separator : str
        A character, or ``whitespace``.
    comment : str
        The start of comment lines; empty: there are none.
    cells : CellFormat
    """

    separator: str
    comment: str
    cells: CellFormat


def find_separator(sample: list[str], is_cut: bool, thousands: str = "") -> str:
    """Return the separator that makes a table of the first lines of a file.

    Parameters
    ----------
    sample : list of str
        Not empty.
    is_cut : bool
        Whether the file continues, so that the last record may be incomplete.
    thousands : str, default ""
        The sign between groups of three digits, which is no separator.

    Returns
    -------
    str
        A separator is suitable if it splits each record into the same number of fields, at least
        two (the first record may have one less, if the column of row names has no name). A tab if
        it is suitable, unless blanks separate more numbers; else the suitable separator with the
        greatest share of numbers in the fields. If none is suitable, the one that splits the first
        record into the most fields.
    """
    # Not csv.Sniffer: with few rows it takes letters and spaces for separators.
    tables: dict[str, float] = {}
    fields_in_first: dict[str, int] = {}
    excluded = WHITESPACE if thousands == " " else ""
    for separator in (TAB, *(mark for mark in SEPARATORS if mark != excluded)):
        rows = _rows(sample, separator)
        if is_cut and len(rows) > 1:
            rows.pop()
        if len(rows) > 1 and has_unnamed_first(rows):
            rows[0] = ["", *rows[0]]
        widths = {len(row) for row in rows}
        fields_in_first[separator] = len(rows[0]) if rows else 0
        if len(widths) == 1 and fields_in_first[separator] > 1:
            tables[separator] = _share_of_numbers(rows[1:] or rows, separator, thousands)
    if TAB in tables and tables[TAB] >= tables.get(WHITESPACE, 0.0):
        return TAB
    if tables:
        return max(tables, key=lambda separator: tables[separator])
    in_blanks = fields_in_first.pop(WHITESPACE, 0)
    if max(fields_in_first.values()) < 2 and in_blanks > 1:
        return WHITESPACE
    return max(fields_in_first, key=lambda separator: fields_in_first[separator])


def has_unnamed_first(rows: list[list[str]]) -> bool:
    """Whether the first row names all columns except the first, as R writes it."""
    first, width = rows[0], len(rows[1])
    if len(first) < 2 or len(first) != width - 1 or any(len(row) != width for row in rows[1:]):
        return False
    return not any(PLAIN.is_number(cell) or not cell.strip() for cell in first)


def separator_line(line: str) -> str | None:
    """Return the separator that a first line ``sep=;`` names, or None for any other line."""
    match = _SEPARATOR_LINE.fullmatch(line.rstrip("\n"))
    return None if match is None else match[1]


def comment_mark(options: TableOptions) -> str:
    """Return the start of comment lines; empty if there are none."""
    return {AUTO: "#", NO_COMMENTS: ""}.get(options.comment, options.comment)


def find_decimal(rows: list[list[str]], separator: str, options: TableOptions) -> str:
    """Return the decimal sign of a table that begins with these rows.

    A comma is possible only if it does not separate fields.
    """
    if options.decimal != AUTO:
        return options.decimal
    if options.thousands in (",", "."):
        return "." if options.thousands == "," else ","
    if separator == ",":
        return "."
    cells = [cell.strip() for row in rows for cell in row]
    has_comma = any(map(COMMA_NUMBER.fullmatch, cells))
    return "," if has_comma and not any(map(POINT_NUMBER.fullmatch, cells)) else "."


def split(lines: Iterable[str], separator: str, strict: bool = True) -> Iterator[list[str]]:
    """Return the records of lines."""
    spaces = separator != " "
    if separator == WHITESPACE:
        # csv treats a run of spaces as one separator, except at the end of a line.
        lines = (line.replace("\t", " ").rstrip(" \n") + "\n" for line in lines)
        separator = " "
    # Only strict reading reports a quote that is never closed.
    return csv.reader(lines, delimiter=separator, strict=strict, skipinitialspace=spaces)


def is_blank(fields: list[str]) -> bool:
    """Whether a record is an empty line."""
    return not fields or (len(fields) == 1 and not fields[0].strip())


def _rows(sample: list[str], separator: str) -> list[list[str]]:
    """Return the records of the sample up to the first unreadable one, without empty lines."""
    rows: list[list[str]] = []
    with suppress(csv.Error):  # reported when the file itself is read
        rows.extend(fields for fields in split(sample, separator, False) if not is_blank(fields))
    return rows


def _share_of_numbers(rows: list[list[str]], separator: str, thousands: str) -> float:
    cells = [cell for row in rows for cell in row if not PLAIN.is_missing(cell)]
    if thousands:
        cells = [cell.replace(thousands, "") for cell in cells]
    return sum(is_numeral(cell, separator) for cell in cells) / max(1, len(cells))
