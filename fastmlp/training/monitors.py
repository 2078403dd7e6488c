"""What can be monitored: columns of every history, metrics, and columns that callbacks declare."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..base.errors import ConfigError, close_match
from ..base.settings import AUTO
from .config import TrainConfig
from .events import Callback
from .history import EPOCH_COLUMNS, MEASURE_COLUMNS
from .scorers import VALIDATION, Scorer, metric_name, scorer_names, scorers_of
from .setting_checks import MONITORS

NO_COLUMNS: Mapping[str, bool] = MappingProxyType({})


class Monitor(NamedTuple):
    """A column of the history that is monitored."""

    column: str
    higher_is_better: bool

    def value(self, row: dict[str, Any]) -> float:
        """Return the value in a row of the history, lower is better.

        An undefined metric, or a column that a callback did not add, is the worst value.

        Raises
        ------
        ConfigError
            If the run never has such a value.
        """
        value = row.get(self.column)
        if value is None:
            if self.column not in MONITORS:
                return math.inf
            raise ConfigError(
                f"monitor {self.column} has no value in this run: there is no validation set, or "
                "the task is a regression; monitor train_loss instead"
            )
        return -float(value) if self.higher_is_better else float(value)


def find_monitor(
    name: str, scorers: Iterable[Scorer] = (), columns: Mapping[str, bool] = NO_COLUMNS
) -> Monitor:
    """Return what a name monitors.

    Parameters
    ----------
    name : str
        A column of every history, a metric or its column, or a column of a callback.
    scorers : iterable of Scorer
        The metrics of the run.
    columns : mapping of str to bool
        The columns that callbacks declare, and whether higher is better.

    Raises
    ------
    ConfigError
        For an unknown name, with the nearest one.
    """
    by_name = {known: scorer for scorer in scorers for known in (scorer.name, scorer.column)}
    if name in by_name:
        return Monitor(by_name[name].column, by_name[name].higher_is_better)
    known = {**columns, **MONITORS}
    column = VALIDATION + name if VALIDATION + name in MONITORS else name  # accuracy
    if column not in known:
        raise ConfigError(f"unknown monitor {name!r}{close_match(name, [*known, *by_name])}")
    return Monitor(column, known[column])


def declared_columns(callbacks: Iterable[Callback]) -> dict[str, bool]:
    """Return the columns that callbacks declare, and whether higher is better."""
    return {
        name: better
        for callback in callbacks
        for name, better in callback.monitored_columns.items()
    }


def scorers_for(config: TrainConfig, callbacks: Iterable[Callback] = ()) -> tuple[Scorer, ...]:
    """Return the metrics that a config asks for, with the one that is monitored.

    Raises
    ------
    ConfigError
        For an unknown monitor, with the nearest one; for a monitored metric without a validation
        part; and as :func:`~fastmlp.training.scorers.scorers_of`.
    """
    columns = (*EPOCH_COLUMNS, *MEASURE_COLUMNS)
    given = [metric_name(metric) for metric in config.metrics]
    declared = declared_columns(callbacks)
    name = config.monitor.removeprefix(VALIDATION)
    if config.monitor in declared or {config.monitor, VALIDATION + name} & {AUTO, *MONITORS}:
        return scorers_of(config.metrics, columns)
    if name not in (*given, *scorer_names()):
        known = [*MONITORS, *declared, *given, *scorer_names()]
        raise ConfigError(f"unknown monitor {config.monitor!r}{close_match(config.monitor, known)}")
    if config.validation == 0:
        raise ConfigError(
            f"monitor {config.monitor} needs a validation set, but validation is 0; set validation "
            "to 0.1, for example, or monitor to train_loss"
        )
    return scorers_of((*config.metrics, *(() if name in given else (name,))), columns)
