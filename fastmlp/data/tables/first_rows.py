"""What the first rows of a table show of its columns, and which notations its texts are in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ...base.levels import as_number
from ...base.table_rows import Column, Numbers, Texts
from .faults import is_other_number
from .fields import COMMA_NUMBER, CellFormat


def text_columns(
    rows: Sequence[Sequence[str]], columns: Iterable[int], cells: CellFormat
) -> set[int]:
    """Return the columns in which not all cells are numbers or missing."""
    return {i for i in columns if any(_is_text(row[i], cells) for row in rows)}


def shows_texts(rows: Sequence[Sequence[str]], columns: Iterable[int], cells: CellFormat) -> bool:
    """Whether there are texts that are no numbers in another notation."""
    columns = list(columns)
    return any(
        _is_text(row[i], cells) and not is_other_number(row[i]) for row in rows for i in columns
    )


def target_texts(
    rows: Sequence[Sequence[str]], columns: Iterable[int], cells: CellFormat
) -> list[bool]:
    """Return for each target column whether it holds texts; True and False are texts."""
    return [
        any(not (cells.is_number(row[i]) or cells.is_missing(row[i])) for row in rows)
        for i in columns
    ]


def has_comma(columns: Iterable[Column]) -> bool:
    """Whether the texts of a column are numbers with a decimal comma, all that are no numbers."""
    return any(
        bool(others := _others(column)) and all(map(COMMA_NUMBER.fullmatch, others))
        for column in columns
    )


def is_odd(column: Column) -> bool:
    """Whether numbers are infinite, or all texts are numbers in another notation."""
    if isinstance(column, Numbers):
        return bool(np.isinf(column.values).any())
    others = _others(column)
    return bool(others) and all(map(is_other_number, others))


def _others(column: Column) -> list[str]:
    """Return the levels that are no numbers."""
    if not isinstance(column, Texts):
        return []
    return [level for level in column.levels if np.isnan(as_number(level))]


def _is_text(cell: str, cells: CellFormat) -> bool:
    return cells.feature(cell) is None and not cells.is_missing(cell)
