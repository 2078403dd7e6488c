"""Measures of a run after an epoch, which can be monitored like losses and accuracies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .history import MEASURE_COLUMNS
from .run import Run

Measure = Callable[[Run, dict[str, Any]], float]


def train_objective(run: Run, row: dict[str, Any]) -> float:
    """Return the mean over the epoch's rows of loss and penalty, before each update.

    A batch is weighted by its number of rows; its loss is the weighted mean over them.
    """
    return run.steps.result().objective


def validation_score(run: Run, row: dict[str, Any]) -> float:
    """Return the accuracy on the validation part, for a regression R^2 (the mean over outputs).

    Both are weighted where the validation rows have weights.
    """
    data = run.prepared.validation
    if data is None or (run.task.has_accuracy and not data.weights.size):
        return row["validation_accuracy"]  # type: ignore[no-any-return]
    found = run.evaluate(data, want_outputs=True)
    assert found is not None
    weights = data.weights if data.weights.size else np.ones(len(data.order))
    if run.task.has_accuracy:
        return float(np.average(found.hits, weights=weights))
    return r2(data.targets, found.outputs, weights)


def r2(targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> float:
    """Return the mean over outputs of 1 - sum w (y - a)^2 / sum w (y - mean y)^2.

    If all y are equal it is 1 for exact outputs, else 0, as in scikit-learn.

    Parameters
    ----------
    targets, outputs : ndarray, shape (n, n_outputs)
    weights : ndarray, shape (n,)
    """
    y = targets.astype(np.float64)
    by_row = weights[:, np.newaxis]
    off = (by_row * np.square(y - outputs)).sum(axis=0)
    mean = np.average(y, axis=0, weights=weights)
    spread = (by_row * np.square(y - mean)).sum(axis=0)
    exact = np.where(off == 0, 1.0, 0.0)
    scores = np.where(spread > 0, 1 - off / np.where(spread > 0, spread, 1.0), exact)
    return float(scores.mean())


_FUNCTIONS: tuple[Measure, ...] = (train_objective, validation_score)
MEASURES = dict(zip(MEASURE_COLUMNS, _FUNCTIONS, strict=True))
