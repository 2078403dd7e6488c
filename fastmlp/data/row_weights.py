"""Weights of the rows of a dataset."""

from __future__ import annotations

import numpy as np

from ..base.conversion import target_as_plain
from ..base.errors import DataError
from .dataset import Dataset


def checked_weight(dataset: Dataset, sample_weight: np.ndarray) -> np.ndarray:
    """Return a weight for each row, those of the test part behind those of ``X``.

    Raises
    ------
    DataError
        Unless the weights are one finite number of at least 0 for each row of ``X``, some above 0.
    """
    given = np.asarray(target_as_plain(sample_weight, "sample_weight"))
    if given.dtype.kind not in "biufO":
        raise DataError(
            f"sample_weight must hold numbers, got dtype {given.dtype}; convert numbers with "
            "astype(float)"
        )
    weight = given.astype(np.float64)
    if weight.shape != (len(dataset.y),):
        raise DataError(
            f"sample_weight must have shape ({len(dataset.y)},), one for each row of X, got "
            f"{weight.shape}; leave it out for equal weights"
        )
    if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.max() > 0):
        raise DataError(
            "sample_weight must be finite, at least 0 and somewhere above 0, got "
            f"{weight.min():g} to {weight.max():g}; leave it out for equal weights"
        )
    n_test = 0 if dataset.y_test is None else len(dataset.y_test)
    return np.concatenate((weight, np.ones(n_test)))
