"""The duration of the ticks that kernels count in phases and layers of a step."""

from __future__ import annotations

import time

import numpy as np

from ..kernels.machine.phases import NAMES, read_ticks


class PhaseClock:
    """Compares the kernels' counter with Python's clock since its creation.

    Over a long time, the delay between reading the counter and reading the clock has little effect.
    """

    def __init__(self) -> None:
        read_ticks()  # compiled or loaded before the first measurement
        self._started = time.perf_counter(), read_ticks()

    def seconds(self, ticks: np.ndarray) -> dict[str, float]:
        """Return the seconds of each phase.

        Parameters
        ----------
        ticks : ndarray of int64
            For each of ``kernels.machine.phases.NAMES``.

        Returns
        -------
        dict
            Empty if nothing was counted, or the machine has no counter.
        """
        seconds = self.durations(ticks)
        return dict(zip(NAMES, seconds.tolist(), strict=True)) if seconds.any() else {}

    def durations(self, ticks: np.ndarray) -> np.ndarray:
        """Convert an array of ticks to seconds; 0 on machines without a counter."""
        clock, counter = self._started
        seconds, passed = time.perf_counter() - clock, read_ticks() - counter
        durations: np.ndarray = ticks * (seconds / passed if passed > 0 else 0.0)
        return durations
