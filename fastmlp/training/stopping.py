"""When to stop, and which weights were the best: one rule, on one monitored quantity."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..ops.improvement import Improvement


class BestWeights:
    """Follows the monitored column of the history and keeps a copy of the best weights.

    Parameters
    ----------
    monitor : str
        A column of the history; for accuracies, higher is better.
    min_delta : float
        By how much a value must improve on the best one.
    params : ndarray
        The live parameters; copied, also at the start.
    """

    def __init__(self, monitor: str, min_delta: float, params: np.ndarray):
        self.monitor = monitor
        self.improvement = Improvement(min_delta)
        self.params = params.copy()
        self.epoch: int | None = None

    def observe(self, row: dict[str, Any], params: np.ndarray) -> None:
        """Take note of an epoch's row, and keep its weights if it is the best so far."""
        if self.improvement.observe(monitored(row, self.monitor)):
            self.params[:] = params
            self.epoch = row["epoch"]


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
            "is a regression; monitor train_loss, say"
        )
    return -float(value) if monitor.endswith("accuracy") else float(value)
