"""The duration of the ticks that kernels count in phases of a step."""

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
        clock, counter = self._started
        seconds, passed = time.perf_counter() - clock, read_ticks() - counter
        if passed <= 0 or not ticks.any():
            return {}
        return {name: float(n * seconds / passed) for name, n in zip(NAMES, ticks, strict=True)}
