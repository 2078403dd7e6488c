"""What is measured on the test rows."""

from __future__ import annotations

import numpy as np

# Float32 probabilities may be exactly 0, of which the logarithm says nothing: the same limit for
# all contenders.
LEAST = 1e-7


def scores(y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return ``error`` and, for classes, ``log_loss``.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Values, or indices of classes.
    predicted : ndarray of shape (n,) or (n, n_classes)
        Values, or probabilities.

    Returns
    -------
    dict
        The error is the share of wrong classes in percent; for regression 100 times the root mean
        squared error over the standard deviation of ``y``.
    """
    if predicted.ndim == 1:
        residuals = predicted.astype(np.float64) - y
        return {"error": float(100 * np.sqrt(np.mean(residuals**2)) / y.std())}
    p = np.clip(predicted.astype(np.float64), LEAST, None)
    p /= p.sum(axis=1, keepdims=True)
    return {
        "error": float(100 * np.mean(predicted.argmax(axis=1) != y)),
        "log_loss": float(-np.log(p[np.arange(len(y)), y]).mean()),
    }
