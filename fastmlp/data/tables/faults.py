"""Why a table is refused: a second, slow reading that names cells and remedies."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...base.errors import DataError
from ...base.wording import listed
from .dialect import Dialect
from .fields import COMMA_NUMBER, EITHER_NUMBER, POINT_NUMBER, is_boolean
from .layout import TableLayout
from .records import Record

GROUPED = re.compile(r"[-+]?\d{1,3}(?:([ ,.'_\xa0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d*)?")


@dataclass
class Cells:
    """Cells with the same fault: the first of them, and their number in each column."""

    line: int = 0
    column: int = 0
    text: str = ""
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, line: int, column: int, text: str) -> None:
        """Count one more."""
        if not self.counts:
            self.line, self.column, self.text = line, column, _short(text)
        self.counts[column] = self.counts.get(column, 0) + 1


@dataclass
class Faults:
    """All faulty cells of a table, by kind of fault."""

    texts: Cells = field(default_factory=Cells)
    gaps: Cells = field(default_factory=Cells)
    infinite: Cells = field(default_factory=Cells)
    with_comma: Cells = field(default_factory=Cells)
    with_point: Cells = field(default_factory=Cells)
    n_rows: int = 0


class Explainer:
    """Explains why a table is refused.

    Parameters
    ----------
    dialect : Dialect
    layout : TableLayout
    are_numbers : tuple of bool
        Which target columns must hold numbers; the others must hold a text.
    name : str
        What messages call the table.
    """

    def __init__(
        self,
        dialect: Dialect,
        layout: TableLayout,
        are_numbers: tuple[bool, ...],
        name: str,
    ):
        self._dialect, self._layout, self._name = dialect, layout, name
        self._first_line = 0
        texts = {
            i for i, is_number in zip(layout.targets, are_numbers, strict=True) if not is_number
        }
        self._texts, self._kept = texts, sorted({*layout.features, *layout.targets})

    def explain(self, records: Iterable[Record]) -> DataError:
        """Return the error for rows with a cell that is missing, not finite, or no number."""
        faults = self._find(records)
        texts, gaps = faults.texts, faults.gaps
        if texts.counts:
            return (
                self._of_signs(faults)
                or self._of_groups(texts)
                or self._of_cell(
                    texts, "a number", "correct it, or drop the row or column (--drop)"
                )
            )
        if gaps.counts:
            return self._of_cell(
                gaps, "a value",
                "fill the gaps or drop such rows",
            )  # fmt: skip
        if faults.infinite.counts:
            return self._of_cell(
                faults.infinite, "a finite number",
                "replace it by a number below 1.8e308, or drop the row",
            )  # fmt: skip
        return DataError(f"{self._name} must not change while it is read; read it again")

    def _find(self, records: Iterable[Record]) -> Faults:
        found, format_ = Faults(), self._dialect.cells
        targets = set(self._layout.targets)
        for line, fields in records:
            found.n_rows += 1
            self._first_line = self._first_line or line
            for i in self._kept:
                cell = fields[i]
                text = cell.strip()
                if COMMA_NUMBER.fullmatch(text):
                    found.with_comma.add(line, i, cell)
                elif POINT_NUMBER.fullmatch(text):
                    found.with_point.add(line, i, cell)
                if format_.is_missing(cell):
                    found.gaps.add(line, i, cell)
                elif i in self._texts or (i not in targets and is_boolean(cell)):
                    continue
                elif (number := format_.number(cell)) is None:
                    found.texts.add(line, i, cell)
                elif math.isinf(number):
                    found.infinite.add(line, i, cell)
        return found

    def _of_signs(self, faults: Faults) -> DataError | None:
        """Return the error for a decimal sign other than the dialect's, or for two of them."""
        comma, point = faults.with_comma, faults.with_point
        decimal, separator = self._dialect.cells.decimal, self._dialect.separator
        first = faults.texts.text.strip()
        if not (COMMA_NUMBER.fullmatch(first) or POINT_NUMBER.fullmatch(first)):
            return None
        if self._dialect.cells.thousands:
            return None
        if comma.counts and point.counts:
            return DataError(
                f"{self._name} must have one decimal sign, got {comma.text!r} in line "
                f"{comma.line}, column {self._layout.column(comma.column)}, and {point.text!r} in "
                f"line {point.line}, column {self._layout.column(point.column)}; write all numbers "
                "alike, or name the thousands sign (--thousands , or --thousands .)"
            )
        if separator == "," and EITHER_NUMBER.fullmatch(first):
            return self._of_cell(
                faults.texts, "a number", "use --thousands , if 1,250 means 1250, or "
                "--decimal , if it means 1.25",
            )  # fmt: skip
        other = "," if decimal == "." else "."
        return self._of_cell(
            faults.texts, f"a number with the decimal sign {decimal!r}", f"use --decimal {other}"
        )

    def _of_groups(self, texts: Cells) -> DataError | None:
        match = GROUPED.fullmatch(texts.text.strip())
        if match is None or self._dialect.cells.thousands:
            return None
        mark = " " if match[1].isspace() else match[1]
        shown = f"'{mark}'" if mark.isspace() else mark
        tail = texts.text.strip()[match.end(1) :]
        comma = " --decimal ," if mark == "." and "," in tail else ""
        return self._of_cell(
            texts, "a number", f"use --thousands {shown}{comma} if that is the sign between groups "
            "of three digits",
        )  # fmt: skip

    def _of_cell(self, cells: Cells, rule: str, remedy: str) -> DataError:
        layout = self._layout
        total = sum(cells.counts.values())
        columns = listed([layout.column(i) for i in sorted(cells.counts)])
        others = f" (one of {total} such cells, in column(s) {columns})" if total > 1 else ""
        unnamed = " (counting from 0)" if layout.names is None else ""
        if layout.names is None and cells.line == self._first_line:
            remedy += "; if this line holds the column names, use --header yes"
        return DataError(
            f"{self._name}: line {cells.line}, column {layout.column(cells.column)}{unnamed} must "
            f"hold {rule}, got {cells.text!r}{others}; {remedy}"
        )


def is_other_number(cell: str) -> bool:
    """Whether a text is a number with a decimal comma or with thousands signs."""
    text = cell.strip()
    return bool(COMMA_NUMBER.fullmatch(text) or GROUPED.fullmatch(text))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "..."
