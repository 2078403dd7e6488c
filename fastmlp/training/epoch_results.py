"""The results of epochs: means and penalties, computed for several epochs at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..kernels.slices import Report


class EpochResult(NamedTuple):
    """The results of an epoch, losses without penalties.

    Attributes
    ----------
    learning_rate : float
        Of the first update.
    loss : float
        Weighted mean over the rows.
    hit_rate : float
    worst_loss : float
        The largest loss per row of any update; NaN if one is NaN.
    objective : float
        Mean over the rows of loss and penalty before each update.
    penalty : float
        For a full batch, after the epoch.
    is_finite : bool
        Whether all parameters are finite.
    """

    learning_rate: float
    loss: float
    hit_rate: float
    worst_loss: float
    objective: float
    penalty: float
    is_finite: bool


class Penalty(NamedTuple):
    """Penalties of weights: l1 * sum |w| + l2 / 2 * sum w^2, divided by ``divisor``."""

    l1: float
    l2: float
    divisor: float

    def of_rows(self, weights: np.ndarray) -> np.ndarray:
        """Return the penalty of each row of weights, float64 of shape (n,)."""
        total = np.zeros(len(weights))
        if self.l1:
            total += self.l1 * np.abs(weights).sum(axis=1, dtype=np.float64)
        if self.l2:
            total += self.l2 / 2 * np.square(weights, dtype=np.float64).sum(axis=1)
        return total / self.divisor


def results_of(
    report: Report, params: np.ndarray, n_weights: int, penalty: Penalty, loss_divisor: float
) -> list[EpochResult]:
    """Return the results of epochs.

    Parameters
    ----------
    report : Report
        Of all of them.
    params : ndarray, shape (epochs, P)
        The parameters after each, weights first.
    n_weights : int
    penalty : Penalty
    loss_divisor : float
        Of the losses in the objective.
    """
    loss, hits, rows, weight, rates = (
        sums.reshape(len(params), -1)
        for sums in (report.loss, report.hits, report.rows, report.weight, report.rates)
    )
    per_row = loss / np.where(weight > 0, weight, 1.0)
    objective = per_row / loss_divisor
    if report.penalty.size:
        objective = objective + report.penalty.reshape(len(params), -1)
    n_rows = rows.sum(axis=1)
    with np.errstate(invalid="ignore"):  # NaN without weights
        mean_loss = loss.sum(axis=1) / weight.sum(axis=1)
    penalties = penalty.of_rows(params[:, :n_weights])
    columns = (
        rates[:, 0],
        mean_loss,
        hits.sum(axis=1) / n_rows,
        per_row.max(axis=1),
        (rows * objective).sum(axis=1) / n_rows,
        penalties,
        _are_finite(params, n_weights if penalty.l1 or penalty.l2 else 0, penalties),
    )
    return list(map(EpochResult, *(column.tolist() for column in columns)))


def _are_finite(params: np.ndarray, n_weights: int, penalties: np.ndarray) -> np.ndarray:
    """Return whether all elements of each row are finite.

    A sum tells, in half the time that a look at each element takes; the first ``n_weights`` are in
    the sums ``penalties``.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        are_finite: np.ndarray = np.isfinite(params[:, n_weights:].sum(axis=1) + penalties)
    if not are_finite.all():  # finite elements may have an infinite sum
        are_finite = np.isfinite(params).all(axis=1)
    return are_finite
