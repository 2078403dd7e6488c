"""Permutation importance: how much the loss rises if a column is shuffled."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np

from ..base.conversion import as_dense
from ..base.csr import Features, is_sparse
from ..base.table_rows import is_table
from ..ops.losses import LOSSES
from .evaluation import ColumnImportance, EvaluatedPart, Importance, RunEvaluation, SomeRows

SECONDS = 2.0
MOST_ROWS = 2000
MOST_REPEATS = 5


class _Rows(NamedTuple):
    """Rows of a part that columns are shuffled in."""

    X: Features
    y: np.ndarray


def with_importance(evaluation: RunEvaluation, seconds: float | None = None) -> RunEvaluation:
    """Measure the importance of each column of a table on the part to judge the model by.

    By :func:`sklearn.inspection.permutation_importance`, on at most 2,000 rows. Each column is
    shuffled once, then all columns again, up to five times, until the time is used.

    Parameters
    ----------
    evaluation : RunEvaluation
    seconds : float, optional
        The time after which no further column is shuffled; 0: nothing is measured. Default: 2.

    Returns
    -------
    RunEvaluation
        The same if rows are images or sparse, have a single column, or are no longer kept.
    """
    seconds = SECONDS if seconds is None else seconds
    part = evaluation.judged
    has_columns = evaluation.image_shape is None and not is_sparse(part.X)
    if seconds <= 0 or not has_columns or isinstance(part.X, SomeRows) or part.X.shape[1] < 2:
        return evaluation
    return replace(evaluation, importance=_measure(evaluation, part, seconds))


class _ShuffledColumn:
    """A fitted estimator of scikit-learn, whose rows are indices: the order of one column.

    So that columns may be of several kinds, and the others are never copied.
    """

    def __init__(self, evaluation: RunEvaluation, rows: _Rows):
        self._predictor = evaluation.result.predictor
        self._loss = LOSSES.parse(evaluation.result.config.loss)
        self._rows = rows
        self.column = 0
        self._unshuffled: float | None = None

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Do nothing: the model is trained."""
        return self

    def score(self, X: np.ndarray, y: np.ndarray) -> float:
        """Return the negative loss with the column in the order of ``X``, shape (n, 1)."""
        order = X[:, 0]
        if np.any(order[1:] < order[:-1]):
            return self._score(_with_order(self._rows.X, self.column, order))
        if self._unshuffled is None:
            self._unshuffled = self._score(self._rows.X)
        return self._unshuffled

    def _score(self, X: Features) -> float:
        return -self._predictor.evaluate(X, self._rows.y, self._loss).loss


def _measure(evaluation: RunEvaluation, part: EvaluatedPart, seconds: float) -> Importance:
    from sklearn.inspection import permutation_importance

    ends_at = time.perf_counter() + seconds
    seed = evaluation.result.config.seed
    rows = _some_rows(part, seed)
    model = _ShuffledColumn(evaluation, rows)
    indices = np.arange(len(rows.y))[:, np.newaxis]
    found: list[list[float]] = [[] for _ in range(rows.X.shape[1])]
    for repeat in range(MOST_REPEATS):
        for model.column in range(len(found)):
            if time.perf_counter() > ends_at:
                return _summary(evaluation, part, rows, found)
            measured = permutation_importance(
                model, indices, rows.y, n_repeats=1, random_state=(seed + repeat) % 2**32
            )
            found[model.column].append(float(measured.importances[0, 0]))
    return _summary(evaluation, part, rows, found)


def _some_rows(part: EvaluatedPart, seed: int) -> _Rows:
    n = len(part.y)
    if n <= MOST_ROWS:
        return _Rows(_rows_of(part.X, np.arange(n)), part.y)
    rows = np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))
    return _Rows(_rows_of(part.X, rows), part.y[rows])


def _rows_of(X: Any, rows: np.ndarray) -> Features:
    return X[rows] if is_table(X) else as_dense(X[rows], "X")


def _with_order(X: Any, column: int, order: np.ndarray) -> Features:
    """Return rows with one column in another order."""
    if not is_table(X):
        shuffled: np.ndarray = X.copy()
        shuffled[:, column] = X[order, column]
        return shuffled
    columns = X.selected()
    columns[column] = columns[column].take(order)
    return replace(X, columns=tuple(columns), rows=None)


def _summary(
    evaluation: RunEvaluation, part: EvaluatedPart, rows: _Rows, found: list[list[float]]
) -> Importance:
    names = evaluation.feature_names or tuple(f"column {j}" for j in range(len(found)))
    columns = [
        ColumnImportance(name, float(np.mean(values)), float(np.std(values)), len(values))
        for name, values in zip(names, found, strict=True)
        if values and np.isfinite(values).all()
    ]
    columns.sort(key=lambda column: -column.mean)
    return Importance(part.name, len(rows.y), len(found), columns)
