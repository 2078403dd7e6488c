"""Learning-rate schedules: the factor by which the base rate is multiplied, over time."""

from __future__ import annotations

from dataclasses import dataclass

from .improvement import Improvement
from .spec import Registry, Spec


class RateFactor:
    """The factor of a running schedule; this base stays at 1."""

    value = 1.0

    def observe(self, monitored: float) -> None:
        """Take note of the monitored quantity after an epoch (lower is better)."""


@dataclass(frozen=True)
class Schedule(Spec):
    """How the learning rate changes during training."""

    needs_monitor = False

    def start(self, base_rate: float) -> RateFactor:
        """Return a fresh running schedule."""
        return RateFactor()


SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.add
@dataclass(frozen=True)
class ConstantRate(Schedule):
    name = "constant"
    formula = "rate = base"


@SCHEDULES.add
@dataclass(frozen=True)
class Plateau(Schedule):
    name = "plateau"
    formula = (
        "rate *= factor after more than `patience` epochs without an improvement of the monitored "
        "quantity beyond min_delta, not below min_rate"
    )
    needs_monitor = True
    factor: float = 0.1
    patience: int = 10
    min_delta: float = 0.0
    min_rate: float = 0.0

    def __post_init__(self) -> None:
        self._require(0 < self.factor < 1, "factor", "between 0 and 1")
        self._require(self.patience >= 0, "patience", "at least 0")
        self._require(self.min_delta >= 0, "min_delta", "at least 0")
        self._require(self.min_rate >= 0, "min_rate", "at least 0")

    def start(self, base_rate: float) -> RateFactor:
        return _PlateauFactor(self, base_rate)


class _PlateauFactor(RateFactor):
    def __init__(self, schedule: Plateau, base_rate: float):
        self.schedule = schedule
        self.least = min(1.0, schedule.min_rate / base_rate)
        self.improvement = Improvement(schedule.min_delta)

    def observe(self, monitored: float) -> None:
        self.improvement.observe(monitored)
        if self.improvement.stale > self.schedule.patience:
            self.value = max(self.value * self.schedule.factor, self.least)
            self.improvement.stale = 0


SCHEDULES.alias(reduce_on_plateau="plateau")
