"""The rule for an improvement, for early stopping, best weights and plateau rates."""

from __future__ import annotations

import math
from typing import Any

CUMULATIVE, SINGLE = "cumulative", "single"
FIRST, LAST = "first", "last"  # of equally good epochs


class Improvement:
    """Monitors a quantity whose lower values are better.

    Parameters
    ----------
    min_delta : float
        Smallest decrease that counts as an improvement.
    rule : {"cumulative", "single"}, default "cumulative"
        cumulative: the best is the last value that counted, so that small gains add up. single:
        the best is the lowest of all, and one value must be at least ``min_delta`` below it, as in
        scikit-learn's estimators.

    Attributes
    ----------
    best : float
        The best value so far, infinity before the first.
    stale : int
        Consecutive observations that did not count.
    """

    def __init__(self, min_delta: float = 0.0, rule: str = CUMULATIVE):
        self.min_delta = min_delta
        self.rule = rule
        self.best = math.inf
        self.stale = 0

    def observe(self, value: float) -> bool:
        """Record a value; return whether it is the best so far. NaN never is."""
        is_best = value < self.best - (self.min_delta if self.rule == CUMULATIVE else 0.0)
        counts = is_best if self.rule == CUMULATIVE else value <= self.best - self.min_delta
        self.stale = 0 if counts else self.stale + 1
        if is_best:
            self.best = value
        return is_best

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""
        return {"best": self.best, "stale": self.stale}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of :meth:`state_dict`."""
        self.best, self.stale = float(state["best"]), int(state["stale"])
