"""Checks of the facts about a dataset, and its description."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ..base.csr import Features, density, is_sparse
from ..base.errors import DataError
from ..base.table_rows import is_table
from ..base.wording import listed

if TYPE_CHECKING:
    from .dataset import Dataset


def check_facts(dataset: Dataset) -> None:
    """Raise DataError for a range, shape or names that do not fit the features."""
    if dataset.feature_range is not None:
        low, high = dataset.feature_range
        if not -math.inf < low < high < math.inf:
            raise DataError(
                "feature_range must be (low, high), finite and low below high, got "
                f"{dataset.feature_range}; leave it out if the range is unknown"
            )
    if dataset.image_shape is not None and math.prod(dataset.image_shape) != dataset.n_features:
        raise DataError(
            f"image_shape must multiply to the number of features, {dataset.n_features}, got "
            f"{dataset.image_shape}; leave it out if rows are not images"
        )
    names = dataset.feature_names
    if names is not None and (len(names) != dataset.n_features or len(set(names)) < len(names)):
        raise DataError(
            f"feature_names must be {dataset.n_features} different names, one per column of X, "
            f"got {len(set(names))} different of {len(names)}; rename or leave them out"
        )


def checked_lines(dataset: Dataset) -> dict[str, np.ndarray]:
    """Return the lines of the parts as arrays; DataError if they do not fit the rows."""
    checked = {}
    for suffix in ("", "_test", "_validation"):
        lines, y = getattr(dataset, f"lines{suffix}"), getattr(dataset, f"y{suffix}")
        if lines is None:
            continue
        found = np.asarray(lines)
        if y is None or found.shape != y.shape[:1] or found.dtype.kind not in "iu":
            n = 0 if y is None else len(y)
            raise DataError(
                f"lines{suffix} must be {n} integers, one for each row of X{suffix}, got "
                f"{found.dtype} of shape {found.shape}; leave them out"
            )
        checked[f"lines{suffix}"] = found
    return checked


def targets_text(dataset: Dataset) -> str:
    """Return the task, and classes or names of targets."""
    if dataset.classes is not None:
        labels = [str(label)[:20] for label in dataset.classes.tolist()]
        shown = " ".join(listed(labels).split())
        return f"classification, {len(labels)} classes: {shown}"
    n_outputs = 1 if dataset.y.ndim == 1 else dataset.y.shape[1]
    what = "label" if dataset.task == "multilabel" else "target"
    names = "" if dataset.target_names is None else f": {listed(dataset.target_names)}"
    return f"{dataset.task}, {n_outputs} {what}{'s' * (n_outputs != 1)}{names}"


def size_text(X: Features) -> str:
    """Return size and dtype of features, and the share of non-zeros if they are sparse."""
    if is_table(X):
        counts = Counter(X.kinds).items()
        kinds = ", ".join(f"{n} {kind}" for kind, n in counts)
        return f"{X.shape[0]} x {X.shape[1]} ({kinds})"
    size = f"{X.shape[0]} x {X.shape[1]} {X.dtype}"
    return f"{size} sparse ({density(X):.2g} not zero)" if is_sparse(X) else size
