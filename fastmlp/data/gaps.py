"""Missing features of a dataset, and the rows without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..base.errors import DataError
from ..base.table_rows import is_table
from .dataset import PARTS, Dataset


def gaps_by_column(dataset: Dataset) -> dict[str, int]:
    """Return the number of gaps of each column with gaps, in all parts together."""
    found: dict[str, int] = {}
    for suffix in ("", *(f"_{part}" for part in PARTS)):
        X = getattr(dataset, f"X{suffix}")
        for j, column in enumerate(X.selected() if is_table(X) else ()):
            if n := int(np.count_nonzero(column.missing())):
                name = str(j) if X.names is None else X.names[j]
                found[name] = found.get(name, 0) + n
    return found


def complete_rows(dataset: Dataset) -> np.ndarray:
    """Return which rows of ``X`` miss no value, bool of shape (n,)."""
    X = dataset.X
    complete: np.ndarray = ~X.has_gaps() if is_table(X) else np.ones(len(dataset.y), bool)
    return complete


def without_gaps(dataset: Dataset) -> Dataset:
    """Return a dataset without the rows that miss a feature, in all parts.

    Raises
    ------
    DataError
        If a part has no other rows.
    """
    if not gaps_by_column(dataset):
        return dataset
    changes: dict[str, Any] = {}
    for suffix in ("", *(f"_{part}" for part in PARTS)):
        X, y = getattr(dataset, f"X{suffix}"), getattr(dataset, f"y{suffix}")
        if not is_table(X):
            continue
        rows = ~X.has_gaps()
        if not rows.any():
            raise DataError(
                f"missing 'drop' must leave rows in X{suffix}, got a gap in each of the {len(y)} "
                "rows; drop columns that are mostly missing, or use 'impute'"
            )
        changes |= dataset.selection(suffix, rows)
    return replace(dataset, **changes)
