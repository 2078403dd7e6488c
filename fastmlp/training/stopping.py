"""Early stopping and the best weights of a run, according to a monitored quantity."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..base.errors import ConfigError, close_match
from ..ops.improvement import CUMULATIVE, FIRST, LAST, Improvement
from ..ops.schedules import RateController
from .events import Callback
from .setting_checks import MONITORS

_HIGHER_IS_BETTER = ("accuracy", "score")


class Stoppable(Protocol):
    """Protocol: the part of a run that early stopping uses."""

    rate_controller: RateController

    def request_stop(self, status: str) -> None:
        """Stop after this epoch."""


class Monitoring(Callback):
    """A callback whose state is the improvement of a monitored quantity."""

    improvement: Improvement

    def state_dict(self) -> dict[str, Any]:
        return self.improvement.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.improvement.load_state_dict(state)


class EarlyStopping(Monitoring):
    """Stops after ``patience`` consecutive epochs without improvement.

    Parameters
    ----------
    patience : int
    monitor : str, default "validation_loss"
        A column of the history; for accuracies, higher is better.
    min_delta : float, default 0.0
        Smallest change that counts as an improvement.
    improvement : {"cumulative", "single"}, default "cumulative"
        cumulative: small gains add up to ``min_delta``; single: one epoch must gain it.

    Raises
    ------
    ConfigError
        For a patience below 1, or an unknown monitor.
    """

    def __init__(
        self,
        patience: int,
        monitor: str = "validation_loss",
        min_delta: float = 0.0,
        improvement: str = CUMULATIVE,
    ):
        if patience < 1:
            raise ConfigError(f"patience must be at least 1, got {patience}")
        self.patience, self.monitor = patience, known_monitor(monitor)
        self.min_delta, self.rule = min_delta, improvement
        self._before: tuple[float, int] | None = None

    def resume(self, best: float, stale: int) -> None:
        """Start the next run from the state of an earlier one."""
        self._before = best, stale

    def on_train_begin(self, run: Any) -> None:
        # New for each run, so that a callback can be used for several runs.
        self.improvement = Improvement(self.min_delta, self.rule)
        if self._before is not None:
            (self.improvement.best, self.improvement.stale), self._before = self._before, None

    def on_epoch_end(self, run: Stoppable, row: dict[str, Any]) -> None:
        self.improvement.observe(monitored(row, self.monitor))
        if self.improvement.stale >= self.patience:
            if run.rate_controller.lower():
                self.improvement.stale = 0
            else:
                run.request_stop("stopped early")


class BestWeights:
    """Monitors a column of the history and keeps a copy of the best weights.

    Parameters
    ----------
    monitor : str
        A column of the history; for accuracies, higher is better.
    min_delta : float
        Smallest change that counts as an improvement.
    params : ndarray
        The current parameters; copied at the start, too.
    rule : {"cumulative", "single"}, default "cumulative"
        See :class:`~fastmlp.ops.improvement.Improvement`.
    ties : {"first", "last"}, default "first"
        Which of several epochs with the best value is the best.

    Attributes
    ----------
    epoch : int or None
        The best epoch of this run.
    found : bool
        Whether there is a best epoch, of this run or an earlier one.
    """

    def __init__(
        self,
        monitor: str,
        min_delta: float,
        params: np.ndarray,
        rule: str = CUMULATIVE,
        ties: str = FIRST,
    ):
        self.monitor, self.ties = monitor, ties
        self.improvement = Improvement(min_delta, rule)
        self.params = params.copy()
        self.epoch: int | None = None
        self.found = False

    def resume(self, best: float) -> None:
        """Take the initial weights as the best weights of an earlier run."""
        self.improvement.best = best
        self.found = True

    def state_dict(self) -> dict[str, Any]:
        """Return the state, without ``params``."""
        return {**self.improvement.state_dict(), "epoch": self.epoch, "found": self.found}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of :meth:`state_dict`."""
        self.improvement.load_state_dict(state)
        self.epoch = None if state["epoch"] is None else int(state["epoch"])
        self.found = bool(state["found"])

    def observe(self, row: dict[str, Any], params: np.ndarray) -> None:
        """Record the row of an epoch, and keep its weights if it is the best so far."""
        value, before = monitored(row, self.monitor), self.improvement.best
        is_tie = self.ties == LAST and value == before
        if self.improvement.observe(value) or is_tie:
            self.params[:] = params
            self.epoch, self.found = row["epoch"], True


def monitored(row: dict[str, Any], monitor: str) -> float:
    """Return the monitored value of a row of the history, lower is better.

    Raises
    ------
    ConfigError
        If the run has no such value.
    """
    value = row[monitor]
    if value is None:
        raise ConfigError(
            f"monitor {monitor} has no value in this run: there is no validation set, or the task "
            "is a regression; monitor train_loss instead"
        )
    return -float(value) if monitor.endswith(_HIGHER_IS_BETTER) else float(value)


def known_monitor(monitor: str) -> str:
    """Return the name of a monitored column; ConfigError if it is unknown."""
    if monitor not in MONITORS:
        raise ConfigError(f"unknown monitor {monitor!r}{close_match(str(monitor), MONITORS)}")
    return monitor
