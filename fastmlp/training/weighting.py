"""Sample weights from class weights."""

from __future__ import annotations

import math

import numpy as np

from ..base.errors import ConfigError

NONE, BALANCED = "none", "balanced"


def parse_class_weight(text: str) -> dict[str, float]:
    """Return the weights of ``3=2,7=0.5`` by label; empty for ``none`` and ``balanced``.

    Raises
    ------
    ConfigError
        If it is none of these, a weight is not a finite number of at least 0, or a label is given
        twice.
    """
    if text in (NONE, BALANCED):
        return {}
    weights: dict[str, float] = {}
    for pair in text.split(","):
        label, equals, value = pair.rpartition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not (equals and label.strip() and math.isfinite(weight) and weight >= 0):
            raise ConfigError(
                "class_weight must be none, balanced, or pairs like 3=2,7=0.5 with weights of at "
                f"least 0, got {text!r}"
            )
        if label.strip() in weights:
            raise ConfigError(f"class_weight names class {label.strip()!r} twice, got {text!r}")
        weights[label.strip()] = weight
    return weights


def class_weights(text: str, y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return a weight for each row by its class, float64 of shape (n,).

    ``balanced`` gives n / (n_classes * count), as scikit-learn does.

    Raises
    ------
    ConfigError
        For a label that is not among ``classes``.
    """
    numbers = np.searchsorted(classes, y)
    if text == BALANCED:
        counts = np.bincount(numbers, minlength=len(classes))
        by_class = len(y) / (len(classes) * np.maximum(counts, 1))
    else:
        given = parse_class_weight(text)
        names = [str(label) for label in classes]
        for label in given:
            if label not in names:
                raise ConfigError(
                    f"class_weight names class {label!r}, which is not among {', '.join(names)}"
                )
        by_class = np.array([given.get(name, 1.0) for name in names])
    weights: np.ndarray = by_class[numbers]
    return weights
