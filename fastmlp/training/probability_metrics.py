"""How good probabilities of classes are, whatever the threshold of predictions."""

from __future__ import annotations

import numpy as np

RELIABILITY_BINS = 15


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
    return float((rows * np.abs(accuracy - confidence)).sum() / rows.sum())


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
