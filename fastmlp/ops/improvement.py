"""The one rule for "it got better": for early stopping, best weights and plateau rates."""

from __future__ import annotations

import math
from typing import Any

CUMULATIVE, SINGLE = "cumulative", "single"


class Improvement:
    """Follows a quantity whose lower values are better.

    Parameters
    ----------
    min_delta : float
        By how much a value must undercut the best one to count.
    rule : {"cumulative", "single"}, default "cumulative"
        cumulative: the best is the last value that counted, so that several small steps together
        can count. single: the best is the lowest of all, and one value alone must undercut it by
        ``min_delta``, or equal that mark, as scikit-learn's estimators have it.

    Attributes
    ----------
    best : float
        The best value so far, infinity before the first.
    stale : int
        How many observations in a row did not count.
    """

    def __init__(self, min_delta: float = 0.0, rule: str = CUMULATIVE):
        self.min_delta = min_delta
        self.rule = rule
        self.best = math.inf
        self.stale = 0

    def observe(self, value: float) -> bool:
        """Take note of a value; return whether it is the best now. NaN never is."""
        is_best = value < self.best - (self.min_delta if self.rule == CUMULATIVE else 0.0)
        counts = is_best if self.rule == CUMULATIVE else value <= self.best - self.min_delta
        self.stale = 0 if counts else self.stale + 1
        if is_best:
            self.best = value
        return is_best

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands."""
        return {"best": self.best, "stale": self.stale}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken."""
        self.best, self.stale = float(state["best"]), int(state["stale"])
