"""The learning rates of a run's updates."""

from __future__ import annotations

import numpy as np

from ..ops.schedules import SCHEDULES
from .config import TrainConfig

_AT_ONCE = 4096  # updates


class Rates:
    """Learning rates by epoch: the schedule's, times the factor of its controller.

    Parameters
    ----------
    config : TrainConfig
    steps_per_epoch : int
    rows_per_epoch : int

    Attributes
    ----------
    controller : RateController
        Changes the rates according to the monitored quantity.
    """

    def __init__(self, config: TrainConfig, steps_per_epoch: int, rows_per_epoch: int):
        self._base = float(config.learning_rate)
        self._schedule = SCHEDULES.parse(config.schedule)
        self._course = steps_per_epoch, config.epochs, rows_per_epoch
        self.controller = self._schedule.controller(self._base)
        # Of some epochs: the number of the first, and the factor of the controller.
        self._known: tuple[np.ndarray, int, float] = (np.zeros(0), 1, 1.0)

    def of(self, epoch: int, count: int = 1) -> np.ndarray:
        """Return the rate of each update of ``count`` epochs, as things stand."""
        factor, steps = self.controller.factor, self._course[0]
        known, first, known_factor = self._known
        start, end = (epoch - first) * steps, (epoch - first + count) * steps
        if factor != known_factor or start < 0 or end > len(known):
            begin, left = (epoch - 1) * steps, self._course[1] - epoch + 1
            several = max(count, min(left, _AT_ONCE // steps))  # the next will be asked for, too
            factors = self._schedule.factors(begin, begin + several * steps, *self._course)
            known, start, end = self._base * factor * factors, 0, count * steps
            self._known = known, epoch, factor
        return known[start:end]

    def have_changed(self) -> bool:
        """Whether the controller has changed the rates since they were asked for."""
        return self.controller.factor != self._known[2]
