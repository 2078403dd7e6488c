"""What a run takes over from an earlier one of the same network, besides the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..ops.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    from .loop import Loop


@dataclass
class Continuation:
    """Where an earlier run ended.

    Attributes
    ----------
    state : ndarray or None
        The optimizer's, as kernels keep it; None: it begins anew.
    updates : int
        Of the weights so far, by which Adam corrects its moments.
    rate_factor : float
        By which an adaptive schedule has come to multiply the rate.
    best : float
        The best monitored value so far, lower being better.
    stale : int
        Epochs in a row that did not improve on it.
    monitor : str
        What it is a value of; a run that monitors something else begins anew.
    epochs : int
        Of all runs so far, by which schedules and random numbers go on.
    optimizer, schedule : str
        Those of the state and the rate; a run with others starts with fresh ones.
    """

    state: np.ndarray | None = None
    updates: int = 0
    rate_factor: float = 1.0
    best: float = math.inf
    stale: int = 0
    monitor: str = ""
    epochs: int = 0
    optimizer: str = ""
    schedule: str = ""

    @classmethod
    def of(cls, loop: Loop) -> Continuation:
        """Return where a loop has ended."""
        steps = loop.run.steps
        rule = loop.run.stopping
        return cls(
            steps.workspace.work.state.copy(),
            steps.iterations,
            loop.rate_controller.factor,
            loop.best.improvement.best,
            0 if rule is None else rule.improvement.stale,
            loop.run.config.monitor,
            max(0, loop.epochs.start - 1) + len(loop.run.history),
            loop.run.config.optimizer,
            loop.run.config.schedule,
        )

    def resume(self, loop: Loop) -> None:
        """Let a new loop begin there."""
        steps, config = loop.run.steps, loop.run.config
        if self.state is not None:
            if _state_of(self.optimizer) == _state_of(config.optimizer):
                steps.workspace.work.state[:] = self.state
                steps.iterations = self.updates
            if self.schedule == config.schedule:
                loop.rate_controller.factor = self.rate_factor
            loop.epochs = range(self.epochs + 1, max(config.epochs, self.epochs + 1) + 1)
        if self.monitor == config.monitor and self.best < math.inf:
            loop.best.resume(self.best)
            if loop.run.stopping is not None:
                loop.run.stopping.resume(self.best, self.stale)


def _state_of(optimizer: str) -> tuple[str, int, bool]:
    """Return the meaning of a state: SGD's velocity may include the rate."""
    rule = OPTIMIZERS.parse(optimizer)
    return rule.name, rule.state_buffers, rule.holds_rate
