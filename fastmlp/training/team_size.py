"""How many threads the next slice of an epoch is worth.

On a machine with other work to do, a team waits for whichever member has lost its core: two threads
beside one busy process on two cores took 2.9 times as long as one thread. The size of a team
changes no bit of the result, so it may follow the clock.
"""

from __future__ import annotations

_FIRST_PAUSE, _LONGEST_PAUSE = 8, 128  # slices, some 0.3 and 5 s


class TeamSize:
    """Sends a team away when one thread alone would be as fast, and tries again later.

    Parameters
    ----------
    threads : int
        The size of the full team.
    """

    def __init__(self, threads: int):
        self._full = threads
        self._alone = 0  # slices still to be done by one thread
        self._pause = _FIRST_PAUSE

    @property
    def threads(self) -> int:
        """How many threads should do the next slice."""
        return 1 if self._alone > 0 else self._full

    def count(self, waited: float) -> None:
        """Take note of the share of its time that a member waited in the slice just done."""
        if self._alone > 0:
            self._alone -= 1
        elif self._full * (1 - waited) < 1.1:
            self._alone = self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        else:
            self._pause = _FIRST_PAUSE
