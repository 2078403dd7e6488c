"""Learning-rate schedules: factors of the base rate over time.

A schedule is a pure function of the update's number, except for ``plateau`` and ``adaptive``, which
depend on the monitored quantity. Each has ``warmup=``, epochs of linear increase before it starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..base.elementary import cos2pi, log2, power, whole_power
from ..base.settings import ABOVE_0, BETWEEN_0_AND_1, SHARE, Range, at_least
from .improvement import Improvement
from .spec import Registry, Spec, within

DECAY = Range("above 0 and at most 1", lambda value: 0 < value <= 1)
LEAST = Range("between 0 and 1", lambda value: 0 <= value <= 1)


class RateController:
    """A factor that depends on the monitored quantity; in this base class it is 1."""

    factor = 1.0

    def observe(self, monitored: float) -> None:
        """Record the monitored quantity of an epoch (lower is better)."""

    def lower(self) -> bool:
        """Lower the factor instead of stopping; return whether it was lowered."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""
        return {"factor": self.factor}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of :meth:`state_dict`."""
        self.factor = float(state["factor"])


class Course(NamedTuple):
    """The facts of a run that a schedule depends on: updates of an epoch, all updates after the
    warm-up, and rows of an epoch.
    """

    steps_per_epoch: int
    total: int
    rows_per_epoch: int


@dataclass(frozen=True, kw_only=True)
class Schedule(Spec):
    """How the learning rate changes during training."""

    needs_monitor = False
    needs_stopping = False
    warmup: float = within(at_least(0), 0.0)

    @property
    def is_constant(self) -> bool:
        """Whether the factor is 1 for every update."""
        return type(self)._factor is Schedule._factor and not self.warmup

    def factors(
        self, first: int, last: int, steps_per_epoch: int, epochs: int, rows_per_epoch: int = 1
    ) -> np.ndarray:
        """Return the factors of updates ``first`` to ``last`` (exclusive, from 0), float64.

        Parameters
        ----------
        first, last : int
        steps_per_epoch : int
            Updates of an epoch.
        epochs : int
            Of the whole run.
        rows_per_epoch : int, default 1
            Samples of an epoch.
        """
        step = np.arange(first, last)
        warmup_steps = round(self.warmup * steps_per_epoch)
        total = max(1, epochs * steps_per_epoch - warmup_steps)
        course = Course(steps_per_epoch, total, rows_per_epoch)
        after = np.maximum(step - warmup_steps, 0)
        if not warmup_steps:
            return self._factor(step, course)
        rising = (step + 1) / max(1, warmup_steps)
        return np.where(
            step < warmup_steps,
            rising * self._factor(np.zeros(1, np.int64), course),
            self._factor(after, course),
        )

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        """Return the factors of updates ``step`` after the warm-up."""
        return np.ones(len(step))

    def controller(self, base_rate: float) -> RateController:
        """Return the factor that depends on the monitored quantity."""
        return RateController()


SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.add
class ConstantRate(Schedule):
    name = "constant"
    formula = "rate = base"


@SCHEDULES.add
@dataclass(frozen=True)
class StepDecay(Schedule):
    name = "step"
    formula = "rate = base * factor^floor(epoch / every), epochs counted from 0"
    every: int = within(at_least(1), 10)
    factor: float = within(DECAY, 0.1)

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        return np.asarray(whole_power(self.factor, step // course.steps_per_epoch // self.every))


@SCHEDULES.add
@dataclass(frozen=True)
class Exponential(Schedule):
    name = "exponential"
    formula = "rate = base * factor^epoch, epochs counted from 0"
    factor: float = within(DECAY, 0.95)

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        return np.asarray(whole_power(self.factor, step // course.steps_per_epoch))


@SCHEDULES.add
@dataclass(frozen=True)
class Inverse(Schedule):
    name = "inverse"
    formula = "rate = base / t^power, t the update's number from 1"
    power: float = within(ABOVE_0, 0.5)

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        return power(step + 1.0, -self.power)


@SCHEDULES.add
@dataclass(frozen=True)
class InverseScaling(Schedule):
    name = "invscaling"
    formula = (
        "rate = base / (1 + s)^power, s the samples gone through before the epoch, `seen` in "
        "earlier runs among them; base in the first epoch (scikit-learn)"
    )
    power: float = within(at_least(0), 0.5)
    seen: int = within(at_least(0), 0)

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        epoch = step // course.steps_per_epoch
        samples = self.seen + epoch * course.rows_per_epoch
        return np.where(epoch > 0, power(samples + 1.0, -self.power), 1.0)


@SCHEDULES.add
@dataclass(frozen=True)
class Cosine(Schedule):
    name = "cosine"
    formula = (
        "rate = base * (least + (1 - least) (1 + cos(pi t / T)) / 2), t of T updates after the "
        "fraction `flat` of the run, base before (Loshchilov & Hutter 2017)"
    )
    least: float = within(LEAST, 0.0)
    flat: float = within(SHARE, 0.0)

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        progress = (step / course.total - self.flat) / (1.0 - self.flat)
        return _cosine(1.0, self.least, np.clip(progress, 0.0, 1.0))


@SCHEDULES.add
@dataclass(frozen=True)
class CosLog(Schedule):
    name = "coslog"
    formula = (
        "rate = base * (1 - cos(2 pi log2(1 + (2^cycles - 1) t / T))) / 2, t of T updates: cycles "
        "that double in length, each from 0 to base and back (Holzmüller et al. 2024)"
    )
    cycles: int = within(at_least(1), 4)

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        progress = np.minimum(step / course.total, 1.0)
        turns = log2(1.0 + (2**self.cycles - 1) * progress)
        return np.asarray((1.0 - cos2pi(turns)) / 2.0)


@SCHEDULES.add
@dataclass(frozen=True)
class OneCycle(Schedule):
    name = "one_cycle"
    formula = (
        "rate rises by half a cosine from base / start to base in the first `rise` of the run, "
        "then falls to base / (start * end) (Smith & Topin 2019, as PyTorch's OneCycleLR)"
    )
    rise: float = within(BETWEEN_0_AND_1, 0.3)
    start: float = within(at_least(1), 25.0)
    end: float = within(at_least(1), 10_000.0)

    def _factor(self, step: np.ndarray, course: Course) -> np.ndarray:
        peak = max(self.rise * course.total - 1, 1e-9)
        low = 1.0 / self.start
        up = _cosine(low, 1.0, np.minimum(step / peak, 1.0))
        fall = max(course.total - 1 - peak, 1e-9)
        down = _cosine(1.0, low / self.end, np.clip((step - peak) / fall, 0.0, 1.0))
        return np.where(step <= peak, up, down)


@SCHEDULES.add
@dataclass(frozen=True)
class Plateau(Schedule):
    name = "plateau"
    formula = (
        "rate *= factor after more than `patience` epochs without an improvement of the monitored "
        "quantity beyond min_delta, not below min_rate"
    )
    needs_monitor = True
    factor: float = within(BETWEEN_0_AND_1, 0.1)
    patience: int = within(at_least(0), 10)
    min_delta: float = within(at_least(0), 0.0)
    min_rate: float = within(at_least(0), 0.0)

    def controller(self, base_rate: float) -> RateController:
        return _PlateauController(self, base_rate)


class _PlateauController(RateController):
    def __init__(self, schedule: Plateau, base_rate: float):
        self.schedule = schedule
        self.least = min(1.0, schedule.min_rate / base_rate)
        self.improvement = Improvement(schedule.min_delta)

    def observe(self, monitored: float) -> None:
        self.improvement.observe(monitored)
        if self.improvement.stale > self.schedule.patience:
            self.factor = max(self.factor * self.schedule.factor, self.least)
            self.improvement.stale = 0

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), **self.improvement.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.improvement.load_state_dict(state)


@SCHEDULES.add
@dataclass(frozen=True)
class Adaptive(Schedule):
    name = "adaptive"
    formula = (
        "rate *= factor where early stopping would stop, which it does once the rate is at most "
        "min_rate (scikit-learn)"
    )
    needs_stopping = True
    factor: float = within(BETWEEN_0_AND_1, 0.2)
    min_rate: float = within(ABOVE_0, 1e-6)

    def controller(self, base_rate: float) -> RateController:
        return _AdaptiveController(self, base_rate)


class _AdaptiveController(RateController):
    def __init__(self, schedule: Adaptive, base_rate: float):
        self.schedule, self.base_rate = schedule, base_rate

    def lower(self) -> bool:
        if self.base_rate * self.factor <= self.schedule.min_rate:
            return False
        self.factor *= self.schedule.factor
        return True


def _cosine(start: float, end: float, progress: np.ndarray) -> np.ndarray:
    """Return values from ``start`` to ``end`` along half a cosine."""
    return end + (start - end) * (1.0 + cos2pi(progress / 2.0)) / 2.0


SCHEDULES.alias(reduce_on_plateau="plateau", coslog4="coslog(4)")
