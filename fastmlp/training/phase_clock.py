"""How long a tick is by which kernels count the phases of a step."""

from __future__ import annotations

import time

import numpy as np

from ..kernels.machine.phases import NAMES, read_ticks


class PhaseClock:
    """Compares the kernels' counter with Python's clock, from its making on.

    The longer ago it was made, the less it matters if the process lost its core between the looks
    at one and at the other.
    """

    def __init__(self) -> None:
        read_ticks()  # compiled or loaded before the first look
        self._started = time.perf_counter(), read_ticks()

    def seconds(self, ticks: np.ndarray) -> dict[str, float]:
        """Return the seconds of each phase.

        Parameters
        ----------
        ticks : ndarray of int64
            One number for each of ``kernels.machine.phases.NAMES``.

        Returns
        -------
        dict
            Empty where nothing was counted, or the machine has no counter.
        """
        clock, counter = self._started
        seconds, passed = time.perf_counter() - clock, read_ticks() - counter
        if passed <= 0 or not ticks.any():
            return {}
        return {name: float(n * seconds / passed) for name, n in zip(NAMES, ticks, strict=True)}
