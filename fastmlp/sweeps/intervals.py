"""How certain the metric of a configuration is, and what cannot be told from the best."""

from __future__ import annotations

import math
import statistics
from typing import NamedTuple

from .leaderboard import PRUNED, Configuration, Leaderboard, Trial

LEVEL = 0.95
_NORMAL = statistics.NormalDist().inv_cdf((1 + LEVEL) / 2)


class Interval(NamedTuple):
    """A 95 % interval of a mean.

    Attributes
    ----------
    low, high : float
    error : float
        Standard error.
    quantile : float
        Of the normal distribution, or Student's for several seeds.
    """

    low: float
    high: float
    error: float
    quantile: float


def interval(trials: list[Trial], metric: str) -> Interval | None:
    """Return the interval of the mean of a metric over seeds.

    One seed: of the validation rows, by Wilson's formula for accuracies, and by the standard error
    of the mean for losses. Several seeds: Student's, of the larger of two errors: that of the
    values of the seeds, and that of their rows.

    Parameters
    ----------
    trials : list of Trial
        That can be ranked, and differ in their seeds.
    metric : str

    Returns
    -------
    Interval or None
        None for a single seed and a metric that is no mean over rows.
    """
    values = [trial.metrics[metric] for trial in trials if trial.metrics.get(metric) is not None]
    by_rows = [found for trial in trials if (found := _of_rows(trial, metric)) is not None]
    if len(values) == 1:
        return by_rows[0] if by_rows else None
    if not values:
        return None
    from scipy.special import stdtrit

    n = len(values)
    error = statistics.stdev(values) / math.sqrt(n)
    if by_rows:
        error = max(error, math.sqrt(statistics.fmean(found.error**2 for found in by_rows) / n))
    mean, quantile = statistics.fmean(values), float(stdtrit(n - 1, (1 + LEVEL) / 2))
    return Interval(mean - quantile * error, mean + quantile * error, error, quantile)


def tied(board: Leaderboard) -> dict[int, bool]:
    """Return for each rank whether the configuration cannot be told from the best.

    The 95 % interval of their difference includes 0. Errors of two configurations count as
    independent, although they share validation rows, so differences are a little more certain than
    this says. Ranks without an interval, pruned ones, and those of earlier rounds of
    halving are left out.
    """
    found = {entry.rank: interval(entry.good, board.rank_by) for entry in board.good}
    best = board.good[0] if board.good else None
    of_best = None if best is None else found[best.rank]
    if best is None or of_best is None:
        return {}
    ties = {}
    for entry in board.good:
        own = found[entry.rank]
        if own is None or entry.epochs != best.epochs or entry.status == PRUNED:
            continue
        error = math.hypot(own.error, of_best.error)
        difference = abs(_mean(entry, board) - _mean(best, board))
        ties[entry.rank] = difference <= max(own.quantile, of_best.quantile) * error
    return ties


def tie_note(board: Leaderboard) -> str:
    """Return how many configurations are tied with the best; empty if it is alone."""
    n = sum(tied(board).values())
    if n < 2:
        return ""
    whole = len(board.configurations)
    which = f"all {whole}" if n == whole else f"the best and {n - 1} of {whole - 1} other"
    return (
        f"{which} configurations are tied: the 95 % interval of their difference to the best "
        "includes 0; more validation rows or seeds can separate them"
    )


def _mean(entry: Configuration, board: Leaderboard) -> float:
    return float(entry.mean(board.rank_by) or 0.0)


def _of_rows(trial: Trial, metric: str) -> Interval | None:
    value, n = trial.metrics.get(metric), trial.metrics.get("n_validation")
    if value is None or not n:
        return None
    if metric == "validation_accuracy":
        return _wilson(value, int(n))
    error = trial.metrics.get("loss_error") if metric == "validation_loss" else None
    if error is None:
        return None
    return Interval(value - _NORMAL * error, value + _NORMAL * error, error, _NORMAL)


def _wilson(share: float, n: int) -> Interval:
    """Return Wilson's score interval of a share of n rows (Wilson 1927)."""
    z2 = _NORMAL**2 / n
    middle = (share + z2 / 2) / (1 + z2)
    half = math.sqrt(share * (1 - share) * z2 + z2**2 / 4) / (1 + z2)
    return Interval(max(0.0, middle - half), min(1.0, middle + half), half / _NORMAL, _NORMAL)
