"""The progress of a sweep, and the base class of its watchers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .leaderboard import Leaderboard, Trial


@dataclass
class Standing:
    """The progress of a sweep, or of a round of it.

    Parameters
    ----------
    title : str
        Of the round; empty for the first.
    axes : list of str
        The settings in which its cells differ.
    n_cells : int
    n_missing : int
        Those that were not in the store.
    cost : float
        About how many seconds these take on one thread.

    Attributes
    ----------
    done : int
        Finished cells among the missing ones.
    cost_done : float
    started : float
        ``time.perf_counter()`` when the first began.
    """

    title: str
    axes: list[str]
    n_cells: int
    n_missing: int
    cost: float
    done: int = 0
    cost_done: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    @property
    def elapsed(self) -> float:
        """Seconds since the first cell began."""
        return time.perf_counter() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the finished part of the work; None before the first cell has finished."""
        if not self.cost_done:
            return None
        return self.elapsed * max(0.0, self.cost / self.cost_done - 1)


class Watcher:
    """Base class of callbacks of a sweep; override the methods that you need."""

    def on_start(self, standing: Standing, board: Leaderboard) -> None:
        """Called before the first cell of a round; the board has the cells in the store."""

    def on_trial(self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]) -> None:
        """Called after a cell has been recorded; ``board()`` ranks the cells in the store."""

    def on_end(self, standing: Standing, board: Leaderboard) -> None:
        """Called after the last cell of a round, also after an error."""
