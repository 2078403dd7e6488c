"""The text of a CSV file: decoded lines of bounded length, and records by a sniffed separator."""

from __future__ import annotations

import csv
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from ..base.errors import DataError

# By priority: numbers may hold commas (1,5 in much of Europe), seldom semicolons or tabs.
SEPARATORS = ("\t", ";", ",")
# A record is held as a whole; a "record" beyond this is a file without line ends or an open quote.
MAX_RECORD_BYTES = 8 << 20
SAMPLE_LINES = 20
SAMPLE_BYTES = 1 << 20
BOM = b"\xef\xbb\xbf"

Record = tuple[int, list[str]]


def read_records(path: Path) -> Generator[Record]:
    """Read a CSV file: separated by tabs, semicolons or commas, UTF-8 with or without BOM.

    Parameters
    ----------
    path : Path

    Yields
    ------
    (int, list of str)
        The 1-based line in which a record begins, and its fields, equally many in all records;
        empty lines are left out.

    Raises
    ------
    DataError
        If the file is missing, unreadable, no UTF-8 text, or no table.
    """
    try:
        # Not a pipe or a device: those may never end, and cannot be read again for an explanation.
        if os.path.exists(path) and not os.path.isfile(path):
            raise DataError(f"{path} must be a file, got a folder or a device; name a CSV file")
        with path.open("rb") as file:
            yield from _records(_Lines(file, path), path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}; check the path and its permissions"
        ) from error


def sniff_separator(sample: list[str], is_cut: bool) -> str:
    """Return the separator by which the first lines of a file form a table.

    Parameters
    ----------
    sample : list of str
        Not empty.
    is_cut : bool
        Whether the file goes on, so that the last record may be incomplete.

    Returns
    -------
    str
        The first of SEPARATORS that makes two or more fields of every record, and equally many;
        without such, the one that finds most fields in the first record.
    """
    # Not csv.Sniffer: it takes letters and spaces for separators of tables with few rows.
    fields_in_first: dict[str, int] = {}
    for separator in SEPARATORS:
        widths = _widths(sample, separator)
        if is_cut and len(widths) > 1:
            widths.pop()
        if widths and widths[0] > 1 and len(set(widths)) == 1:
            return separator
        fields_in_first[separator] = widths[0] if widths else 0
    return max(SEPARATORS, key=lambda separator: fields_in_first[separator])


class _Lines:
    """The decoded lines of a file, checked; ``record_bytes`` is reset by who completes a record."""

    def __init__(self, file: BinaryIO, path: Path):
        self.file, self.path = file, path
        self.number = 0
        self.record_bytes = 0
        self.sample: list[str] = []
        while len(self.sample) < SAMPLE_LINES and sum(map(len, self.sample)) < SAMPLE_BYTES:
            self.record_bytes = 0
            line = self._next_line()
            if not line:
                break
            self.sample.append(line)
        self.is_cut = bool(file.peek(1)) if hasattr(file, "peek") else True
        self.number = self.record_bytes = 0

    def __iter__(self) -> Iterator[str]:
        for line in self.sample:
            self.number += 1
            yield line
        while line := self._next_line():
            yield line

    def _next_line(self) -> str:
        # Lines of bytes, decoded one by one: so a bad byte is reported with its line.
        line = self.file.readline(MAX_RECORD_BYTES + 1 - self.record_bytes)
        self.record_bytes += len(line)
        self.number += 1
        if self.record_bytes > MAX_RECORD_BYTES:
            raise DataError(
                f"{self.path}: a row must have at most {MAX_RECORD_BYTES >> 20} MB, the one in "
                f"line {self.number} is longer; check its line ends and quotes"
            )
        if self.number == 1:
            line = line.removeprefix(BOM)
        if b"\0" in line:
            raise DataError(
                f"{self.path}: line {self.number} must be text, got a NUL byte; save the table as "
                "CSV in UTF-8 (not UTF-16, not a spreadsheet file)"
            )
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.path}: line {self.number} must be UTF-8, got byte "
                f"0x{line[error.start]:02X}; save the table as CSV in UTF-8"
            ) from None


def _records(lines: _Lines, path: Path) -> Iterator[Record]:
    if not lines.sample:
        raise DataError(f"{path} is empty; name a file that holds a table")
    separator = sniff_separator(lines.sample, lines.is_cut)
    # Only strict reading tells of a quote that is never closed.
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    width, line = 0, 1
    try:
        for fields in reader:
            lines.record_bytes = 0
            if len(fields) > 1 or (fields and fields[0].strip()):
                width = width or len(fields)
                if len(fields) != width:
                    raise DataError(
                        f"{path}: every row must have as many fields as the first, {width}, got "
                        f"{len(fields)} in line {line}; check its separators and quotes"
                    )
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}: line {line} {_advice(error)}") from None


def _advice(error: csv.Error) -> str:
    text = str(error)
    if text.startswith("new-line character"):
        return "must end with a line feed, got a lone carriage return; save it with Unix line ends"
    if text.startswith("field larger"):
        limit = csv.field_size_limit()
        return f"must have fields of at most {limit} characters; is a closing quote missing?"
    return f"must be CSV, got {text}; check its quotes"


def _widths(sample: list[str], separator: str) -> list[int]:
    """The number of fields of each record, empty lines left out."""
    widths = []
    try:
        for fields in csv.reader(sample, delimiter=separator, skipinitialspace=True):
            if len(fields) > 1 or (fields and fields[0].strip()):
                widths.append(len(fields))
    except csv.Error:
        pass  # whoever reads the file itself will say where
    return widths
