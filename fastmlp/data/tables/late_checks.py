"""Checks of a whole table for what its first rows do not show."""

from __future__ import annotations

from collections.abc import Iterable

from ...base.errors import DataError
from .fields import COMMA_NUMBER, EITHER_NUMBER
from .layout import TableLayout
from .records import Record


def check_empty_last(records: Iterable[Record], width: int, name: str) -> None:
    """Refuse values in columns beyond ``width``, which are empty in the first rows."""
    for line, fields in records:
        for i, cell in enumerate(fields[width:], width):
            if cell.strip():
                raise DataError(
                    f"{name}: column {i} (counting from 0) has no name and is empty in the first "
                    f"rows, got {cell.strip()[:40]!r} in line {line}; name the column, fill or "
                    "remove it"
                )


def check_comma(records: Iterable[Record], layout: TableLayout, name: str) -> None:
    """Raise DataError if all commas may be decimal signs or thousands signs."""
    kept = {*layout.features, *layout.targets}
    first = ""
    for _, fields in records:
        for i in kept:
            text = fields[i].strip()
            if EITHER_NUMBER.fullmatch(text):
                first = first or text
            elif COMMA_NUMBER.fullmatch(text):
                return
    if first:
        raise DataError(
            f"{name} must show whether its commas are decimal signs, got only values such as "
            f"{first!r}; use --decimal , if that is {first.replace(',', '.')}, or --thousands "
            f", if it is {first.replace(',', '')}"
        )
