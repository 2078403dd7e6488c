"""Weights of rows: sample weights times class weights."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

from ..base.conversion import refuse_dates, target_as_plain, unmasked
from ..base.errors import ConfigError, DataError


def checked_weights(sample_weight: Any, X: Any) -> np.ndarray | None:
    """Return the given sample weights, checked to be at least 0."""
    if sample_weight is None:
        return None
    given = unmasked(sample_weight, "sample_weight")
    refuse_dates(np.asarray(target_as_plain(given, "sample_weight")), "sample_weight")
    weights: np.ndarray = _check_sample_weight(given, X, ensure_non_negative=True)
    _check_sum(weights, "sample_weight")
    return weights


def times_class_weights(
    class_weight: Any,
    y: np.ndarray,
    classes: np.ndarray | None,
    sample_weight: np.ndarray | None,
    incremental: bool,
) -> np.ndarray | None:
    """Return sample weights times class weights.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None
        A list holds one for each of several labels.
    y : ndarray, shape (n,) or (n, n_labels)
        Classes, or 0 and 1.
    classes : ndarray or None
        All classes, also those that y lacks; None for several labels.
    sample_weight : ndarray, shape (n,), or None
    incremental : bool
        Whether the rows are only a part of the data, so that the shares of classes are not known.

    Raises
    ------
    ConfigError, ValueError
    """
    if class_weight is None:
        return sample_weight
    if incremental and isinstance(class_weight, str):
        raise ConfigError(
            f"class_weight '{class_weight}' is not supported for partial_fit. In order to use "
            f"'balanced' weights, use compute_class_weight('{class_weight}', classes=classes, "
            "y=y). In place of y you can use a large enough sample of the full training set "
            "target to properly estimate the class frequency distributions. Pass the resulting "
            "weights as the class_weight parameter, as a dictionary."
        )
    weights = np.ones(len(y)) if sample_weight is None else sample_weight.astype(np.float64)
    for column, given, labels in _columns(class_weight, y, classes):
        _check(given)
        if isinstance(given, str):
            labels = np.unique(column)
        by_class = compute_class_weight(given, classes=labels, y=column)
        weights = weights * by_class[np.searchsorted(labels, column)]
    _check_sum(weights, "sample_weight times class_weight")
    return weights


def _check_sum(weights: np.ndarray, name: str) -> None:
    with np.errstate(over="ignore"):
        if np.isfinite(weights.sum()):
            return
    raise DataError(
        f"{name} must have a finite sum, got weights up to {weights.max():g}; divide them by their "
        "largest"
    )


def _columns(class_weight: Any, y: np.ndarray, classes: np.ndarray | None) -> list[Any]:
    """Return (column of y, its class weights, its classes) for each column."""
    if classes is not None:
        if isinstance(class_weight, (list, tuple)):
            raise ConfigError(
                "class_weight must be a dictionary or 'balanced' where each row has one class, got "
                f"{class_weight!r:.80}; give {{class: weight, ...}}"
            )
        return [(y, class_weight, classes)]
    n_labels = y.shape[1]
    if isinstance(class_weight, str):
        class_weight = [class_weight] * n_labels
    if isinstance(class_weight, dict):
        raise ConfigError(
            "For multi-output, class_weight should be a list of dicts, or the string 'balanced'."
        )
    if len(class_weight) != n_labels:
        raise ConfigError(
            "For multi-output, number of elements in class_weight should match number of outputs. "
            f"Got {len(class_weight)} element(s) while having {n_labels} outputs."
        )
    return [(y[:, k], class_weight[k], np.arange(2)) for k in range(n_labels)]


def _check(class_weight: Any) -> None:
    if class_weight is None or isinstance(class_weight, str):
        return
    if not isinstance(class_weight, dict):
        raise ConfigError(
            "class_weight must hold a dictionary, 'balanced' or None for each label, got "
            f"{class_weight!r:.80}"
        )
    for label, weight in class_weight.items():
        if not (isinstance(weight, Real) and 0 <= float(weight) < math.inf):
            raise ConfigError(
                f"class_weight must hold finite weights of at least 0, got {weight!r} for class "
                f"{label!r}; 0 leaves a class out"
            )
