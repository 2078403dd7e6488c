"""What cells are ranked by."""

from __future__ import annotations

from collections.abc import Iterable

from ..base.errors import ConfigError, close_match
from ..base.settings import AUTO
from ..training.scorers import VALIDATION, Metric, metric_name, scorer_names, scorer_of

# What cells of every sweep are measured by; others are metrics asked for.
RANKINGS = ("validation_accuracy", "validation_loss")


def ranked_metric(rank_by: str, metrics: Iterable[Metric]) -> Metric | None:
    """Return the metric that cells have to measure to be ranked by it; None for others.

    Parameters
    ----------
    rank_by : str
        ``auto``, accuracy, loss, or a metric, each with or without ``validation_``.
    metrics : iterable of str or callable
        Metrics that cells measure anyway.

    Raises
    ------
    ConfigError
        For an unknown name, with the nearest one.
    """
    name = rank_by.removeprefix(VALIDATION)
    if rank_by == AUTO or VALIDATION + name in RANKINGS:
        return None
    given = {metric_name(metric): metric for metric in metrics}
    if name in given or name in scorer_names():
        return given.get(name, name)
    known = [AUTO, *RANKINGS, *given, *scorer_names()]
    raise ConfigError(f"unknown rank_by {rank_by!r}{close_match(rank_by, known)}")


def check_ranking(rank_by: str, metric: Metric | None, has_accuracy: bool) -> str:
    """Return the column to rank by; ``auto`` means the accuracy, in regression the loss.

    Parameters
    ----------
    rank_by : str
    metric : str or callable or None
        What :func:`ranked_metric` returns.
    has_accuracy : bool

    Raises
    ------
    ConfigError
        For an accuracy in a regression, or a function that does not tell whether higher is better.
    """
    if rank_by == AUTO:
        return "validation_accuracy" if has_accuracy else "validation_loss"
    if metric is not None:
        scorer = scorer_of(metric)
        _ = scorer.higher_is_better
        return scorer.column
    column = VALIDATION + rank_by.removeprefix(VALIDATION)
    if column == "validation_accuracy" and not has_accuracy:
        raise ConfigError(
            "rank_by must be validation_loss for a regression, which has no accuracy, got "
            "validation_accuracy; leave it out"
        )
    return column
