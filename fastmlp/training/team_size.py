"""The number of threads for the next slice of an epoch.

A team is not always faster than one thread. If another process is busy, it waits for the member
that has lost its core: with one on two cores, two threads took 2.9 times as long as one. And the
two CPUs of a virtual machine may be one core: then two threads took 1.2 to 1.5 times as long. The
size of a team changes no bit of the result, so it may depend on the clock.
"""

from __future__ import annotations

_FIRST_PAUSE, _LONGEST_PAUSE = 8, 128  # slices, about 0.3 and 5 s
_FIRST_TRIAL = 2  # slices
_GAIN = 0.95  # of the seconds of a block, below which the other size is better


class TeamSize:
    """Chooses between a team and one thread, by trying the other now and then.

    Parameters
    ----------
    threads : int
        The size of the full team.
    """

    def __init__(self, threads: int):
        self._full = threads
        self._better = threads
        self._is_trial = False  # of the other size
        self._seconds = 0.0  # of a block, with the better size
        self._until_trial = _FIRST_TRIAL  # slices
        self._pause = _FIRST_PAUSE

    @property
    def threads(self) -> int:
        """The number of threads for the next slice."""
        return self._other if self._is_trial else self._better

    @property
    def _other(self) -> int:
        return 1 if self._better == self._full else self._full

    def count(self, blocks: int, seconds: float, waited: float) -> None:
        """Record the last slice: its blocks and seconds, and the fraction that a member waited."""
        if self._full == 1 or blocks == 0:
            return
        if self._is_trial:
            is_gain = seconds / blocks < _GAIN * self._seconds
            self._pause = _FIRST_PAUSE if is_gain else min(2 * self._pause, _LONGEST_PAUSE)
            self._better = self._other if is_gain else self._better
            self._is_trial, self._until_trial = False, self._pause
            return
        self._seconds = seconds / blocks
        self._until_trial -= 1
        waits_too_long = self._better > 1 and self._full * (1 - waited) < 1.1
        self._is_trial = waits_too_long or self._until_trial <= 0
