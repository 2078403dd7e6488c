"""Checks of the facts about a dataset, and its description."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from ..base.csr import Features, density, is_sparse
from ..base.errors import DataError
from ..base.table_rows import is_table
from ..base.wording import listed


def check_facts(
    n_features: int,
    feature_range: tuple[float, float] | None,
    image_shape: tuple[int, ...] | None,
    names: tuple[str, ...] | None,
) -> None:
    """Raise DataError for a range, shape or names that do not fit the features."""
    if feature_range is not None:
        low, high = feature_range
        if not -math.inf < low < high < math.inf:
            raise DataError(
                "feature_range must be (low, high), finite and low below high, got "
                f"{feature_range}; leave it out if the range is unknown"
            )
    if image_shape is not None and math.prod(image_shape) != n_features:
        raise DataError(
            f"image_shape must multiply to the number of features, {n_features}, got "
            f"{image_shape}; leave it out if rows are not images"
        )
    if names is not None and (len(names) != n_features or len(set(names)) < len(names)):
        raise DataError(
            f"feature_names must be {n_features} different names, one per column of X, "
            f"got {len(set(names))} different of {len(names)}; rename or leave them out"
        )


def checked_lines(lines: Any, n: int, suffix: str) -> np.ndarray:
    """Return the lines of a part as an array; DataError if they do not fit its ``n`` rows."""
    found = np.asarray(lines)
    if found.shape != (n,) or found.dtype.kind not in "iu":
        raise DataError(
            f"lines{suffix} must be {n} integers, one for each row of X{suffix}, got "
            f"{found.dtype} of shape {found.shape}; leave them out"
        )
    return found


def targets_text(
    task: str, y: np.ndarray, classes: np.ndarray | None, target_names: tuple[str, ...] | None
) -> str:
    """Return the task, and classes or names of targets."""
    if classes is not None:
        labels = [str(label)[:20] for label in classes.tolist()]
        shown = " ".join(listed(labels).split())
        return f"classification, {len(labels)} classes: {shown}"
    n_outputs = 1 if y.ndim == 1 else y.shape[1]
    what = "label" if task == "multilabel" else "target"
    names = "" if target_names is None else f": {listed(target_names)}"
    return f"{task}, {n_outputs} {what}{'s' * (n_outputs != 1)}{names}"


def size_text(X: Features) -> str:
    """Return size and dtype of features, and the share of non-zeros if they are sparse."""
    if is_table(X):
        counts = Counter(X.kinds).items()
        kinds = ", ".join(f"{n} {kind}" for kind, n in counts)
        return f"{X.shape[0]} x {X.shape[1]} ({kinds})"
    size = f"{X.shape[0]} x {X.shape[1]} {X.dtype}"
    return f"{size} sparse ({density(X):.2g} not zero)" if is_sparse(X) else size
