"""The columns of a table in a run: their kinds, and what was done with their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base.conversion import as_dense
from ..base.table_rows import is_table
from ..ops.kinds import KINDS, ColumnFacts
from ..ops.table_encoding import TableEncoding
from .evaluation import EvaluatedPart
from .tables import Table, number

# Columns of rows that are shown with their values: more would not be read.
MOST_VALUES = 30
_LONGEST = 40  # characters of a value


def column_table(facts: Sequence[ColumnFacts], encoding: TableEncoding) -> Table:
    """Return a row for each column: kind, levels of categories, gaps, and treatment.

    Parameters
    ----------
    facts : sequence of ColumnFacts
        Of all columns of the data, also of those left out.
    encoding : TableEncoding
        Of the columns that make features, in the same order.
    """
    fitted = iter(encoding.columns)
    rows: list[tuple[str, ...]] = []
    for fact in facts:
        texts = [fact.note]
        if KINDS.parse(fact.kind).is_left_out:
            texts = [fact.note.partition(" (")[0]]
        else:
            texts.insert(0, next(fitted).fitted.treatment)
        levels = f"{fact.n_levels:,}" if fact.n_levels else ""
        missing = f"{fact.n_missing:,}" if fact.n_missing else ""
        treatment = "; ".join(filter(None, texts))
        rows.append((fact.name, fact.kind, levels, missing, treatment))
    return Table(("column", "kind", "levels", "missing", "treatment"), rows)


def mistake_table(
    part: EvaluatedPart, rows: np.ndarray, names: Sequence[str] | None = None
) -> Table:
    """Return some rows of a part: line of the file, what is right, what was predicted, and values.

    Parameters
    ----------
    part : EvaluatedPart
    rows : ndarray of int
    names : sequence of str, optional
        Of the columns.
    """
    X: Any = part.X[rows]
    n = min(X.shape[1], MOST_VALUES)
    shown_names = [str(j) for j in range(n)] if names is None else list(names[:n])
    if is_table(X):
        columns = [[_short(value) for value in X.column(j).shown()] for j in range(n)]
    else:
        columns = [[f"{value:.6g}" for value in column] for column in as_dense(X, "X")[:, :n].T]
    is_class = part.task.classes is not None
    header = [f"row of the {part.name} set"]
    judged: list[Sequence[object]] = [rows.tolist()]
    if part.lines is not None:
        header, judged = ["line of the file"], [part.lines[rows].tolist()]
    header += ["actual", "predicted"]
    judged += [_values(y[rows], is_class) for y in (part.y, part.predicted)]
    if is_class:
        header.append("confidence")
        judged.append([number(float(c)) for c in part.confidence[rows]])
    if part.spread is not None:
        header.append("spread")
        judged.append([number(float(s)) for s in part.spread[rows]])
    cells = zip(*judged, *columns, strict=True)
    return Table((*header, *shown_names), [tuple(map(str, row)) for row in cells])


def _values(y: np.ndarray, is_class: bool) -> list[object]:
    return y.tolist() if is_class else [number(float(value)) for value in y]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
