"""How good predictions are: metrics of a whole part as plain dictionaries, as JSON takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..model.task import Task
from .probability_metrics import probability_metrics, ranking_metrics

AVERAGES = ("macro", "weighted")
MOST_CONFUSIONS = 10


def task_metrics(
    task: Task,
    y: np.ndarray,
    outputs: np.ndarray,
    target_names: Sequence[str] | None = None,
    gives_probabilities: bool = False,
) -> dict[str, Any]:
    """Return the metrics that suit a task.

    Parameters
    ----------
    task : Task
    y : ndarray, shape (n,) or (n, n_outputs)
        Labels known to the task, or numbers; at least one row.
    outputs : ndarray, shape (n, n_outputs)
        The network's, as :meth:`fastmlp.Predictor.outputs` returns them.
    target_names : sequence of str, optional
        Names of the outputs of a regression.
    gives_probabilities : bool, default False
        Whether outputs are probabilities: of a softmax or a sigmoid.

    Returns
    -------
    dict
        As :func:`classification_metrics`, :func:`multilabel_metrics` or :func:`regression_metrics`
        return it; with :func:`quantile_metrics` of quantiles, with ``ranking_metrics`` of two
        classes, and with ``probability_metrics`` of probabilities of classes.
    """
    predicted = task.decode_one(outputs)
    if task.kind == "regression":
        metrics = regression_metrics(y, predicted, target_names)
        if task.quantiles:
            metrics |= quantile_metrics(y, task.decode(outputs), task.quantiles)
        return metrics
    if task.kind == "multilabel" or task.classes is None:
        return multilabel_metrics(y, predicted)
    metrics = classification_metrics(y, predicted, task.classes)
    if task.kind == "binary":
        metrics |= ranking_metrics(y == task.classes[1], outputs[:, 0])
    if gives_probabilities:
        numbers = np.searchsorted(task.classes, y)
        metrics |= probability_metrics(numbers, task.probabilities(outputs))
    return metrics


def classification_metrics(
    y: np.ndarray, predicted: np.ndarray, classes: np.ndarray
) -> dict[str, Any]:
    """Return accuracy, the report by class, the confusion matrix and the most frequent confusions.

    Parameters
    ----------
    y, predicted : ndarray, shape (n,)
        Labels, all of them among the classes.
    classes : ndarray, shape (n_classes,)
        Sorted.

    Returns
    -------
    dict
        accuracy; classes, macro and weighted (see :func:`_report`); confusion_matrix, rows the
        actual classes and columns the predicted ones; confusions, texts like ``4 -> 9: 23``.
    """
    from sklearn.metrics import accuracy_score, confusion_matrix

    names = [str(label) for label in classes.tolist()]
    # Numbers of classes are compared much faster than texts.
    y, predicted = np.searchsorted(classes, y), np.searchsorted(classes, predicted)
    numbers = np.arange(len(classes))
    matrix = confusion_matrix(y, predicted, labels=numbers)
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        **_report(y, predicted, names, numbers, averaged=np.union1d(y, predicted)),
        "confusion_matrix": matrix.tolist(),
        "confusions": confusions(matrix, names),
    }


def multilabel_metrics(y: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Return the share of rows with all labels right, and the report by label.

    Parameters
    ----------
    y, predicted : ndarray, shape (n, n_labels)
        0 and 1.

    Returns
    -------
    dict
        accuracy; classes, macro and weighted (see :func:`_report`), labels named by their number;
        confusion_matrix, shape (n_labels, 2, 2), of each label.
    """
    from sklearn.metrics import accuracy_score, multilabel_confusion_matrix

    names = [str(label) for label in range(predicted.shape[1])]
    y = np.asarray(y, np.int64)
    labels = None
    if len(names) == 1:  # which scikit-learn takes for two classes
        y, predicted, labels = y.ravel(), predicted.ravel(), [1]
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        **_report(y, predicted, names, labels, averaged=labels),
        "confusion_matrix": multilabel_confusion_matrix(y, predicted, labels=labels).tolist(),
    }


def regression_metrics(
    y: np.ndarray, predicted: np.ndarray, target_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the mean absolute error, the root of the mean squared one, and R2.

    Parameters
    ----------
    y, predicted : ndarray, shape (n,) or (n, n_outputs)
        In the units of the targets.
    target_names : sequence of str, optional
        Names of the outputs; default: their indices.

    Returns
    -------
    dict
        mae, rmse, r2; means over several outputs. r2 is None for a single row, or if all targets
        are the same; all are None if a prediction is not finite. With several outputs also
        ``outputs``: a list of dictionaries with the name and the metrics of each.
    """
    y, predicted = np.asarray(y, np.float64), np.asarray(predicted, np.float64)
    metrics: dict[str, Any] = dict(_errors(y, predicted))
    if y.ndim == 2 and y.shape[1] > 1:
        names = target_names or [str(j) for j in range(y.shape[1])]
        metrics["outputs"] = [
            {"output": name, **_errors(y[:, j], predicted[:, j])} for j, name in enumerate(names)
        ]
    return metrics


def quantile_metrics(
    y: np.ndarray, predicted: np.ndarray, levels: Sequence[float]
) -> dict[str, Any]:
    """Return how often targets are below predicted quantiles.

    Parameters
    ----------
    y : ndarray, shape (n,)
    predicted : ndarray, shape (n, n_levels)
        Sorted in each row.
    levels : sequence of float

    Returns
    -------
    dict
        coverage, the share of targets from the lowest to the highest quantile, both included;
        expected_coverage, by the levels; interval_width, the mean of their difference; quantiles, a
        list of dictionaries with the level, the share of targets that are at most the quantile
        (``below``), and the mean ``pinball_loss`` in the units of the targets. With a single level
        there is no interval, and the first three are None. All are None if a prediction is not
        finite.
    """
    from sklearn.metrics import mean_pinball_loss

    is_finite = bool(np.isfinite(predicted).all())
    y, predicted = np.asarray(y, np.float64), np.asarray(predicted, np.float64)
    low, high = predicted[:, 0], predicted[:, -1]
    has_interval = is_finite and len(levels) > 1
    return {
        "coverage": float(((low <= y) & (y <= high)).mean()) if has_interval else None,
        "expected_coverage": round(levels[-1] - levels[0], 12) if has_interval else None,
        "interval_width": float((high - low).mean()) if has_interval else None,
        "quantiles": [
            {
                "level": level,
                "below": float((y <= column).mean()) if is_finite else None,
                "pinball_loss": (
                    float(mean_pinball_loss(y, column, alpha=level)) if is_finite else None
                ),
            }
            for level, column in zip(levels, predicted.T, strict=True)
        ],
    }


def _errors(y: np.ndarray, predicted: np.ndarray) -> dict[str, float | None]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    if not np.isfinite(predicted).all():
        return {"mae": None, "rmse": None, "r2": None}
    # R2 compares with the mean of the targets, from which they have to differ.
    has_r2 = bool(np.all(y.max(axis=0) > y.min(axis=0)))
    return {
        "mae": float(mean_absolute_error(y, predicted)),
        "rmse": float(root_mean_squared_error(y, predicted)),
        "r2": float(r2_score(y, predicted)) if has_r2 else None,
    }


def confusions(matrix: np.ndarray, names: list[str], most: int = MOST_CONFUSIONS) -> list[str]:
    """Return the most frequent confusions, like ``4 -> 9: 23``: 23 rows of 4 were taken for 9."""
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    found = [(*np.unravel_index(index, wrong.shape), wrong.flat[index]) for index in order]
    return [f"{names[row]} -> {names[column]}: {count}" for row, column, count in found if count]


def _report(
    y: np.ndarray, predicted: np.ndarray, names: list[str], labels: Any, averaged: Any
) -> dict[str, Any]:
    """Return precision, recall, f1 and support of each class, and their averages.

    As ``classes``, a list of dictionaries with the class's name, and under the names of AVERAGES.
    What is undefined, such as the precision of a class that is never predicted, is 0. Averages are
    over ``averaged``: a class that neither occurs nor is predicted does not count.
    """
    from sklearn.metrics import precision_recall_fscore_support

    def scores(average: str | None, labels: Any) -> Any:
        return precision_recall_fscore_support(
            y, predicted, labels=labels, average=average, zero_division=0.0
        )

    by_class = [column.tolist() for column in scores(None, labels)]
    report: dict[str, Any] = {
        "classes": [
            {"class": name, "precision": p, "recall": r, "f1": f, "support": support}
            for name, p, r, f, support in zip(names, *by_class, strict=True)
        ]
    }
    for average in AVERAGES:
        p, r, f = map(float, scores(average, averaged)[:3])
        report[average] = {"precision": p, "recall": r, "f1": f, "support": sum(by_class[3])}
    return report
