"""Why a table does not consist of numbers: a second, slow reading that names cells and remedies."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..base.errors import DataError
from .csv_layout import Layout, is_missing, is_number
from .csv_text import Record

DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
SHOWN = 10


@dataclass
class Cells:
    """The cells with one fault: the first of them, and how many in which columns."""

    line: int = 0
    column: int = 0
    text: str = ""
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, line: int, column: int, text: str) -> None:
        """Count one more."""
        if not self.counts:
            self.line, self.column, self.text = line, column, _short(text)
        self.counts[column] = self.counts.get(column, 0) + 1


def explain(
    records: Iterable[Record], layout: Layout, target_is_number: bool, path: Path
) -> DataError:
    """Return the error for a table of which some cell is missing, not finite, or no number.

    Parameters
    ----------
    records : iterable of (int, list of str)
        All rows, without the header.
    layout : Layout
    target_is_number : bool
        Whether the target column must hold numbers; it must hold something in any case.
    path : Path
        For messages.
    """
    texts, gaps, infinite = Cells(), Cells(), Cells()
    n_rows = 0
    for line, cells in records:
        n_rows += 1
        for i, cell in enumerate(cells):
            if is_missing(cell):
                gaps.add(line, i, cell)
            elif i == layout.target and not target_is_number:
                continue
            elif not is_number(cell):
                texts.add(line, i, cell)
            elif math.isinf(float(cell)):
                infinite.add(line, i, cell)
    categorical = [
        i
        for i, count in sorted(texts.counts.items())
        if count == n_rows - gaps.counts.get(i, 0) and i != layout.target
    ]
    if DECIMAL_COMMA.fullmatch(texts.text.strip()):
        return _cell_error(
            texts, layout, path, "a number with a decimal point",
            "write points instead of commas, as pandas does after read_csv(path, sep=';', "
            "decimal=',')",
        )  # fmt: skip
    if categorical:
        return _categorical_error(categorical, texts, layout, path)
    if texts.counts:
        return _cell_error(texts, layout, path, "a number", "correct it, or drop the row or column")
    if gaps.counts:
        return _cell_error(
            gaps, layout, path, "a value",
            "fill the gaps or drop such rows, for example with pandas' fillna or dropna",
        )  # fmt: skip
    if infinite.counts:
        return _cell_error(
            infinite, layout, path, "a finite number",
            "replace it by a float64 below 1.8e308, or drop the row",
        )  # fmt: skip
    return DataError(f"{path} must not change while it is read; read it again")


def _categorical_error(columns: list[int], texts: Cells, layout: Layout, path: Path) -> DataError:
    named = _listed([layout.column(i) for i in columns])
    only = ""
    if layout.target is not None and len(columns) == 1:
        target = layout.column(layout.target)
        only = f"; if {named} is what to predict, name it as target instead of {target}"
    return DataError(
        f"{path}: feature columns must hold numbers, got text in column(s) {named}, as in line "
        f"{texts.line}: {texts.text!r}; encode categories, for example with "
        f"pandas.get_dummies(frame, columns=[{named}]), or drop such columns"
        f"{only}"
    )


def _cell_error(cells: Cells, layout: Layout, path: Path, rule: str, remedy: str) -> DataError:
    total = sum(cells.counts.values())
    columns = _listed([layout.column(i) for i in sorted(cells.counts)])
    others = f" (one of {total} such cells, in column(s) {columns})" if total > 1 else ""
    unnamed = " (counting from 0)" if layout.names is None else ""
    return DataError(
        f"{path}: line {cells.line}, column {layout.column(cells.column)}{unnamed} must hold "
        f"{rule}, got {cells.text!r}{others}; {remedy}"
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > SHOWN else shown


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "..."
