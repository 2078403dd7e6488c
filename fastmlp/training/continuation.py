"""The state, besides weights, from which a new run continues an earlier one (warm starts)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..ops.optimizers import OPTIMIZERS
from .loop import Loop


@dataclass
class Continuation:
    """Where an earlier run ended.

    Attributes
    ----------
    state : ndarray or None
        The optimizer's state, in the layout of kernels; None: a fresh one.
    updates : int
        Updates so far, for Adam's bias correction.
    rate_factor : float
        Factor of the rate that an adaptive schedule has reached.
    best : float
        The best monitored value so far, lower being better.
    stale : int
        Consecutive epochs without improvement.
    monitor : str
        The monitored quantity; a run with another one starts afresh.
    epochs : int
        Epochs of all runs so far, for schedules and random numbers.
    optimizer, schedule : str
        Of the state and the rate; a run with others starts afresh.
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
        """Return the state of a finished loop."""
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
        """Start a new loop from this state."""
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
