"""How good predictions are: metrics of a whole part as plain dictionaries, as JSON takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..model.task import Task

AVERAGES = ("macro", "weighted")
MOST_CONFUSIONS = 10
RELIABILITY_BINS = 15


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
        return it; for two classes together with :func:`ranking_metrics`, and for probabilities of
        classes with :func:`probability_metrics`.
    """
    predicted = task.decode(outputs)
    if task.kind == "regression":
        return regression_metrics(y, predicted, target_names)
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


def ranking_metrics(positive: np.ndarray, score: np.ndarray) -> dict[str, float | None]:
    """Return how well scores order two classes, whatever the threshold.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    score : ndarray, shape (n,)

    Returns
    -------
    dict
        roc_auc (area under the ROC curve) and average_precision; None where one of the classes
        does not occur, or a score is NaN.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    if positive.all() or not positive.any() or np.isnan(score).any():
        return {"roc_auc": None, "average_precision": None}
    return {
        "roc_auc": float(roc_auc_score(positive, score)),
        "average_precision": float(average_precision_score(positive, score)),
    }


def probability_metrics(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """Return how good probabilities are, which a class predicted with them does not tell.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Numbers of the classes.
    probabilities : ndarray, shape (n, n_classes)

    Returns
    -------
    dict
        log_loss; brier, for two classes (p - y)^2, for more the sum over the classes; and ece, the
        expected calibration error. All are means over the rows; None if a probability is NaN. For
        more than two classes also roc_auc, the mean over each class against the rest; None if some
        class does not occur.
    """
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    classes = np.arange(probabilities.shape[1])
    names = ("log_loss", "brier", "ece", *(("roc_auc",) if len(classes) > 2 else ()))
    if not np.isfinite(probabilities).all():
        return dict.fromkeys(names)
    probabilities = probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # rounded to float32 before
    metrics: dict[str, float | None] = {
        "log_loss": float(log_loss(y, probabilities, labels=classes)),
        "brier": float(brier_score_loss(y, probabilities, labels=classes)),
        "ece": calibration_error(y, probabilities),
    }
    if "roc_auc" in names:
        is_complete = len(np.unique(y)) == len(classes)
        auc = roc_auc_score(y, probabilities, multi_class="ovr") if is_complete else None
        metrics["roc_auc"] = None if auc is None else float(auc)
    return metrics


def calibration_error(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error (Guo et al. 2017).

    The mean over the rows of |accuracy - confidence| of their bin of :func:`reliability`;
    parameters as there.
    """
    confidence, accuracy, rows = reliability(y, probabilities)
    return float(rows @ np.abs(accuracy - confidence) / rows.sum())


def reliability(
    y: np.ndarray, probabilities: np.ndarray, bins: int = RELIABILITY_BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how often predictions of a confidence are right, as a reliability diagram shows it.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Numbers of the classes.
    probabilities : ndarray, shape (n, n_classes)
        The confidence of a row is the largest of its probabilities.
    bins : int, default 15
        Of equal width between 0 and 1.

    Returns
    -------
    confidence, accuracy, rows : ndarray, shape (n_bins,)
        Means over the rows of each bin that has any, and their number.
    """
    confidence = probabilities.max(axis=1)
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = np.bincount(number, minlength=bins)
    right = probabilities.argmax(axis=1) == y
    sums = [np.bincount(number, values, minlength=bins) for values in (confidence, right)]
    used = rows > 0
    return sums[0][used] / rows[used], sums[1][used] / rows[used], rows[used]


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
