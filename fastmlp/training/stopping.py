"""Early stopping and the best weights of a run, according to a monitored quantity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from ..base.errors import ConfigError
from ..ops.improvement import CUMULATIVE, FIRST, LAST, Improvement
from ..ops.schedules import RateController
from .events import Callback
from .monitors import Monitor, find_monitor
from .scorers import Scorer

Later = Callable[[int], np.ndarray]


class Stoppable(Protocol):
    """Protocol: the part of a run that early stopping uses."""

    rate_controller: RateController

    def request_stop(self, status: str) -> None:
        """Stop after this epoch."""


class Monitoring(Callback):
    """A callback whose state is the improvement of a monitored quantity.

    Parameters
    ----------
    monitor : str
        A column of every history, a metric of the run, or a column that a callback declares.
    """

    improvement: Improvement

    def __init__(self, monitor: str):
        self.monitor = monitor
        self.monitored: Monitor | None = None

    def find(self, scorers: Iterable[Scorer], columns: Mapping[str, bool]) -> None:
        """Find what is monitored in a run; parameters and errors as for :func:`find_monitor`."""
        self.monitored = find_monitor(self.monitor, scorers, columns)

    def value(self, row: dict[str, Any]) -> float:
        """Return the monitored value of a row, lower is better."""
        if self.monitored is None:
            self.monitored = find_monitor(self.monitor)
        return self.monitored.value(row)

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
        A column of every history; a metric that the run computes, as ``"roc_auc"``; or a column
        that a callback before this one declares.
    min_delta : float, default 0.0
        Smallest change that counts as an improvement.
    improvement : {"cumulative", "single"}, default "cumulative"
        cumulative: small gains add up to ``min_delta``; single: one epoch must gain it.

    Raises
    ------
    ConfigError
        For a patience below 1; for an unknown monitor when the run starts.
    """

    reads_weights = False

    def __init__(
        self,
        patience: int,
        monitor: str = "validation_loss",
        min_delta: float = 0.0,
        improvement: str = CUMULATIVE,
    ):
        if patience < 1:
            raise ConfigError(f"patience must be at least 1, got {patience}")
        super().__init__(monitor)
        self.patience = patience
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
        self.improvement.observe(self.value(row))
        if self.improvement.stale >= self.patience:
            if run.rate_controller.lower():
                self.improvement.stale = 0
            else:
                run.request_stop("stopped early")


class BestWeights:
    """Follows the monitored quantity and keeps a copy of the best weights.

    Parameters
    ----------
    min_delta : float
        Smallest change that counts as an improvement.
    params : ndarray
        The initial parameters, which are copied.
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
        min_delta: float,
        params: np.ndarray,
        rule: str = CUMULATIVE,
        ties: str = FIRST,
    ):
        self.ties = ties
        self.improvement = Improvement(min_delta, rule)
        self._params = params.copy()
        self._later: Later | None = None
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

    @property
    def params(self) -> np.ndarray:
        """The parameters of the best epoch, or the initial ones."""
        self.settle()
        return self._params

    def settle(self) -> None:
        """Copy the parameters of the best epoch, if that was deferred."""
        if self._later is not None and self.epoch is not None:
            self._params[:], self._later = self._later(self.epoch), None

    def observe(
        self, epoch: int, value: float, params: np.ndarray, later: Later | None = None
    ) -> None:
        """Record an epoch, and keep its parameters if it is the best so far.

        Parameters
        ----------
        epoch : int
        value : float
            The monitored value, lower is better.
        params : ndarray
        later : callable, optional
            Returns the parameters after an epoch, given its number, until :meth:`settle`; in place
            of ``params``, because the next epoch is often better.
        """
        is_tie = self.ties == LAST and value == self.improvement.best
        if self.improvement.observe(value) or is_tie:
            self._later = later
            if later is None:
                self._params[:] = params
            self.epoch, self.found = epoch, True
