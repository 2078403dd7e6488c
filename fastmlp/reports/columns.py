"""The columns of a table in a run: their kinds, and what was done with their values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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


def mistake_table(part: EvaluatedPart, rows: np.ndarray) -> Table:
    """Return some rows of a part of a table: what is right, what was predicted, and the values."""
    table = part.X[rows]
    n = min(table.shape[1], MOST_VALUES)
    names = [str(j) if table.names is None else table.names[j] for j in range(n)]
    columns = [[_short(value) for value in table.column(j).shown()] for j in range(n)]
    is_class = part.task.classes is not None
    judged = [
        part.y[rows].tolist() if is_class else [number(float(y)) for y in part.y[rows]],
        part.predicted[rows].tolist()
        if is_class
        else [number(float(y)) for y in part.predicted[rows]],
    ]
    header = [f"row of the {part.name} set", "actual", "predicted"]
    if is_class:
        header.append("confidence")
        judged.append([number(float(c)) for c in part.confidence[rows]])
    if part.spread is not None:
        header.append("spread")
        judged.append([number(float(s)) for s in part.spread[rows]])
    cells = zip(map(int, rows), *judged, *columns, strict=True)
    return Table((*header, *names), [tuple(map(str, row)) for row in cells])


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
