"""Plots of calibration, residuals and ensembles, each into an axes that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..training.probability_metrics import calibration_error, reliability
from .plots import BLUE, INK, PALE, TICKS_OF_TARGETS, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POINTS = 5000


def reliability_diagram(y: Any, probabilities: Any, axes: Axes) -> None:
    """Draw how often predictions of a confidence are right; points are larger for more rows.

    Parameters
    ----------
    y : array_like of int, shape (n,)
        Numbers of the classes.
    probabilities : array_like, shape (n, n_classes)
    axes : matplotlib.axes.Axes
    """
    y, probabilities = np.asarray(y), np.asarray(probabilities, float)
    confidence, accuracy, rows = reliability(y, probabilities)
    error = calibration_error(y, probabilities)
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1)
    axes.plot(confidence, accuracy, color=BLUE, label=f"calibration error {error:.4f}")
    axes.scatter(confidence, accuracy, s=8 + 60 * rows / rows.max(), color=BLUE)
    axes.set_xlim(min(0.45, float(confidence.min())), 1.02)
    axes.set_ylim(min(0.45, float(accuracy.min())) - 0.02, 1.02)
    axes.set_xlabel("confidence (mean of a bin)")
    axes.set_ylabel("accuracy")
    axes.legend(frameon=False, fontsize="small", loc="upper left")
    tidy(axes)


def residuals_over_predictions(y: Any, predicted: Any, axes: Axes) -> None:
    """Draw errors over predictions, of at most 5,000 rows.

    Parameters
    ----------
    y, predicted : array_like, shape (n,)
    axes : matplotlib.axes.Axes
    """
    y, predicted = np.asarray(y, float), np.asarray(predicted, float)
    rows = np.linspace(0, len(y) - 1, min(len(y), _MOST_POINTS)).astype(int)
    errors = predicted[rows] - y[rows]
    axes.scatter(predicted[rows], errors, s=6, alpha=0.4, color=BLUE, linewidths=0)
    axes.axhline(0, color=INK, linewidth=1, linestyle="--")
    axes.set_xlabel("predicted")
    axes.set_ylabel("predicted - actual")
    axes.locator_params(axis="x", nbins=TICKS_OF_TARGETS)
    tidy(axes)


def spread_histogram(spread: Any, axes: Axes) -> None:
    """Draw how often which standard deviation between the models of an ensemble occurs.

    Parameters
    ----------
    spread : array_like
        Of rows, or of rows and outputs.
    axes : matplotlib.axes.Axes
    """
    values = np.asarray(spread, float).ravel()
    high = values.max() or 1.0
    axes.hist(values, bins=min(50, max(10, len(values) // 20)), range=(0, high), color=BLUE)
    axes.set_xlabel("standard deviation between the models")
    axes.locator_params(axis="x", nbins=TICKS_OF_TARGETS)
    axes.set_ylabel("rows" if np.ndim(spread) == 1 else "rows and outputs")
    tidy(axes)
