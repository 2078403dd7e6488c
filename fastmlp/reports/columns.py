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
        rows.append((fact.name, fact.kind, *_counts(fact), "; ".join(filter(None, texts))))
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
    shown_names, columns = value_columns(part.X[rows], names)
    header, judged = judged_columns(part, rows)
    cells = zip(*judged, *columns, strict=True)
    return Table((*header, *shown_names), [tuple(map(str, row)) for row in cells])


def judged_columns(
    part: EvaluatedPart, rows: np.ndarray
) -> tuple[list[str], list[Sequence[object]]]:
    """Return names and columns of some rows: their line or index, and how they were predicted."""
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
    return header, judged


def value_columns(X: Any, names: Sequence[str] | None = None) -> tuple[list[str], list[list[str]]]:
    """Return the names of the first columns of some rows, and their values as texts."""
    n = min(X.shape[1], MOST_VALUES)
    shown = [str(j) for j in range(n)] if names is None else list(names[:n])
    if is_table(X):
        return shown, [[_short(value) for value in X.column(j).shown()] for j in range(n)]
    return shown, [[f"{value:.6g}" for value in column] for column in as_dense(X, "X")[:, :n].T]


def fact_table(facts: Sequence[ColumnFacts]) -> Table:
    """Return a row for each column: kind, levels of categories, gaps, and what was noted."""
    return Table(
        ("column", "kind", "levels", "missing", "note"),
        [(fact.name, fact.kind, *_counts(fact), fact.note) for fact in facts],
    )


def _counts(fact: ColumnFacts) -> tuple[str, str]:
    return (
        f"{fact.n_levels:,}" if fact.n_levels else "",
        f"{fact.n_missing:,}" if fact.n_missing else "",
    )


def _values(y: np.ndarray, is_class: bool) -> list[object]:
    return y.tolist() if is_class else [number(float(value)) for value in y]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
