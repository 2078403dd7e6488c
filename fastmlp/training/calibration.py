"""Calibration of the probabilities of a trained network, on its validation part."""

from __future__ import annotations

import numpy as np

from ..base.elementary import exp, log
from .run import Run

_LARGEST = 100.0  # of temperatures; a validation part without mistakes would ask for 0


def calibrate(run: Run) -> float:
    """Divide the logits of a network by the temperature with the lowest validation loss.

    The weights and biases of the output layer are divided by it, so that a saved model is
    calibrated. Classes with the largest output stay the same (Guo et al. 2017).

    Returns
    -------
    float
        The temperature.
    """
    found = run.evaluate(run.prepared.validation, want_outputs=True)
    data = run.prepared.validation
    assert found is not None and data is not None
    temperature = best_temperature(found.outputs, data.labels, data.targets)
    run.network.weights[-1][:] /= temperature
    run.network.biases[-1][:] /= temperature
    return temperature


def best_temperature(outputs: np.ndarray, labels: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature that minimises the mean log loss, between 1/100 and 100.

    Parameters
    ----------
    outputs : ndarray, shape (n, n_outputs)
        Of a softmax, or of a sigmoid for each label.
    labels : ndarray of int, shape (n,)
        Numbers of the classes; empty for a sigmoid.
    targets : ndarray, shape (n, n_outputs)
        0 and 1 for a sigmoid.
    """
    from scipy.optimize import minimize_scalar

    limits = np.finfo(outputs.dtype)
    p = outputs.astype(np.float64)
    log_p = log(np.maximum(p, limits.tiny))
    if not labels.size:  # a softmax of two for each label
        log_q = log(np.maximum(1 - p, limits.epsneg))
        log_p, labels = np.stack([log_q, log_p], axis=-1), targets.astype(int)

    def loss(log_temperature: float) -> float:
        z = log_p * exp(-log_temperature)
        z -= z.max(axis=-1, keepdims=True)
        of_label = np.take_along_axis(z, labels[..., np.newaxis], axis=-1)[..., 0]
        return float((log(exp(z).sum(axis=-1)) - of_label).mean())

    bounds = (-float(log(_LARGEST)), float(log(_LARGEST)))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(exp(found.x))
