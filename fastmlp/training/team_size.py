"""The number of threads for the next slice of an epoch.

On a busy machine, a team waits for the member that has lost its core: with one other busy process
on two cores, two threads took 2.9 times as long as one. The size of a team changes no bit of the
result, so it may depend on the clock.
"""

from __future__ import annotations

_FIRST_PAUSE, _LONGEST_PAUSE = 8, 128  # slices, about 0.3 and 5 s


class TeamSize:
    """Switches to one thread if a team is not faster, and tries the team again later.

    Parameters
    ----------
    threads : int
        The size of the full team.
    """

    def __init__(self, threads: int):
        self._full = threads
        self._alone = 0  # remaining slices for one thread
        self._pause = _FIRST_PAUSE

    @property
    def threads(self) -> int:
        """The number of threads for the next slice."""
        return 1 if self._alone > 0 else self._full

    def count(self, waited: float) -> None:
        """Record the fraction of time that a member waited in the last slice."""
        if self._alone > 0:
            self._alone -= 1
        elif self._full * (1 - waited) < 1.1:
            self._alone = self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        else:
            self._pause = _FIRST_PAUSE
