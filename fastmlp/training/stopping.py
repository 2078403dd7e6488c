"""The best weights of a run, according to a monitored quantity."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..ops.improvement import CUMULATIVE, Improvement

_HIGHER_IS_BETTER = ("accuracy", "score")


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

    Attributes
    ----------
    epoch : int or None
        The best epoch of this run.
    found : bool
        Whether there is a best epoch, of this run or an earlier one.
    """

    def __init__(self, monitor: str, min_delta: float, params: np.ndarray, rule: str = CUMULATIVE):
        self.monitor = monitor
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
        if self.improvement.observe(monitored(row, self.monitor)):
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
