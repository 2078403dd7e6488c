"""Training, timed by the result's own account of its updates."""

from __future__ import annotations

import fastmlp

from ._cases import missing


class _StepClock:
    """A clock that advances only while weights are updated."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


clock = _StepClock()


def train(settings: fastmlp.TrainConfig, data: fastmlp.Dataset, threads: int) -> None:
    """Train, and advance the clock by the seconds of one epoch's updates.

    Raises
    ------
    NotImplementedError
        If the commit lacks a setting; RuntimeError where nothing may be missing.
    """
    try:
        result = fastmlp.fit(settings, data, threads=threads)
    except fastmlp.ConfigError as error:
        raise missing(str(error)) from error
    seconds = result.timings.get("step_seconds")
    if seconds is None:
        raise missing("the result does not say how long its steps took")
    clock.seconds += seconds / settings.epochs
