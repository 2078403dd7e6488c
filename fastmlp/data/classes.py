"""Selection of classes by their labels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..base.errors import DataError
from ..base.wording import listed, quoted


def matching_classes(classes: np.ndarray, labels: Iterable[object] | str) -> np.ndarray:
    """Return the classes with these labels, which are matched by their texts.

    Raises
    ------
    DataError
        For an unknown label, or fewer than two.
    """
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(",")]
    wanted = list(dict.fromkeys(str(label) for label in labels))
    index = {str(label): i for i, label in enumerate(classes.tolist())}
    unknown = [label for label in wanted if label not in index]
    if unknown:
        raise DataError(
            f"classes must be labels of the data, got {quoted(unknown)}; "
            f"known: {listed(list(index))}"
        )
    if len(wanted) < 2:
        raise DataError(
            f"classes must name at least two labels, got {listed(wanted) or 'none'}; "
            f"choose from: {listed(list(index))}"
        )
    return classes[[index[label] for label in wanted]]


def rows_of_classes(y: np.ndarray, kept: np.ndarray, name: str) -> np.ndarray:
    """Return a boolean for each label: whether it is kept. DataError if none is."""
    rows: np.ndarray = np.isin(y, kept)
    if not rows.any():
        raise DataError(
            f"classes must leave rows in {name}, got {listed(kept.tolist())}, of which it has "
            "none; choose other classes"
        )
    return rows
