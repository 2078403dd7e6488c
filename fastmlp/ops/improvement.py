"""The one rule for "it got better": for early stopping, best weights and plateau rates."""

from __future__ import annotations

import math


class Improvement:
    """Follows a quantity whose lower values are better.

    Parameters
    ----------
    min_delta : float
        By how much a value must undercut the best one to count.

    Attributes
    ----------
    best : float
        The best value so far, infinity before the first.
    stale : int
        How many observations in a row brought no improvement.
    """

    def __init__(self, min_delta: float = 0.0):
        self.min_delta = min_delta
        self.best = math.inf
        self.stale = 0

    def observe(self, value: float) -> bool:
        """Take note of a value; return whether it improved on the best. NaN never does."""
        if value < self.best - self.min_delta:
            self.best = value
            self.stale = 0
            return True
        self.stale += 1
        return False
