"""Selection of cells: all of a grid, random draws, successive halving, or trials of Optuna."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ..base.errors import ConfigError, close_match
from ..base.random import Purpose, stream
from .grid import MOST_CELLS, Grid, config_of

# In a grid of few cells, most draws would be of cells drawn before.
_TRIES = 100
GRID, NO_PRUNING = "grid", "none"
METHODS = (GRID, "tpe")
PRUNINGS = (NO_PRUNING, "median", "hyperband")
MOST_TRIALS = 10_000


@dataclass(frozen=True)
class Search:
    """How a grid is searched.

    Parameters
    ----------
    budget : int, default 0
        Number of cells drawn at random; 0: all cells.
    seed : int, default 0
        Seed of the draws.
    halving : int, default 0
        Successive halving: each round keeps the best 1 / halving of the cells for halving times as
        many epochs; the last round has all epochs. 0: all cells run for all epochs.
    min_epochs : int, default 1
        Smallest number of epochs of the first round.
    method : {"grid", "tpe"}, default "grid"
        tpe: cells are trials that Optuna suggests.
    trials : int, default 0
        Number of trials of tpe.
    prune : {"none", "median", "hyperband"}, default "none"
        How trials are stopped that are worse than trials of earlier batches.
    batch : int, default 4
        Number of trials of tpe that are chosen at a time.

    Raises
    ------
    ConfigError
        For a number out of its range.
    """

    budget: int = 0
    seed: int = 0
    halving: int = 0
    min_epochs: int = 1
    method: str = GRID
    trials: int = 0
    prune: str = NO_PRUNING
    batch: int = 4

    def __post_init__(self) -> None:
        for name, least, holds in (
            ("budget", "0, for all cells, or more", self.budget >= 0),
            ("seed", "at least 0 and below 2**64", 0 <= self.seed < 2**64),
            ("halving", "0, for none, or at least 2", self.halving == 0 or self.halving >= 2),
            ("min_epochs", "at least 1", self.min_epochs >= 1),
        ):
            if not holds:
                raise ConfigError(f"{name} must be {least}, got {getattr(self, name)}")
        if self.min_epochs > 1 and not self.halving:
            raise ConfigError(
                f"min_epochs is for halving alone, got {self.min_epochs}; leave it out, or set "
                "halving to 3"
            )
        for name, value, known in (
            ("search", self.method, METHODS), ("prune", self.prune, PRUNINGS),
        ):  # fmt: skip
            if value not in known:
                raise ConfigError(f"unknown {name} {value!r}{close_match(str(value), known)}")
        if self.asks:
            self._check_trials()
        else:
            self._check_no_trials()

    def _check_no_trials(self) -> None:
        for name, shown in (("trials", "trials"), ("prune", "prune"), ("batch", "trial_batch")):
            if getattr(self, name) != getattr(Search, name):
                raise ConfigError(
                    f"{shown} is for search tpe alone, got {getattr(self, name)}; leave it out, or "
                    "set search to tpe"
                )

    def _check_trials(self) -> None:
        for name, value, usual in (("trials", self.trials, 40), ("trial_batch", self.batch, 4)):
            if not 1 <= value <= MOST_TRIALS:
                raise ConfigError(
                    f"{name} must be 1 to {MOST_TRIALS:,} with search tpe, got {value}; set it to "
                    f"{usual}, for example"
                )
        for name in ("budget", "halving"):
            if getattr(self, name):
                raise ConfigError(
                    f"{name} does not go with search tpe, got {getattr(self, name)}; use trials "
                    "and prune"
                )

    @property
    def asks(self) -> bool:
        """Whether cells are chosen by the results of earlier ones."""
        return self.method != GRID

    def to_dict(self) -> dict[str, int | str]:
        """Return the parameters as plain numbers."""
        return asdict(self)

    def settings(self, grid: Grid) -> list[dict[str, Any]]:
        """Return the distinct settings of the cells to run; with trials, of one of each mode.

        Raises
        ------
        ConfigError
            For a grid that cannot be enumerated or drawn from.
        """
        if self.asks:
            grid.check_values()
            return grid.examples()
        is_small = not grid.distributions and grid.n_combinations() <= max(self.budget, 1)
        if not self.budget or is_small:
            return list(grid.settings())
        if self.budget > MOST_CELLS:
            raise ConfigError(f"budget must be at most {MOST_CELLS:,}, got {self.budget:,}")
        grid.check_values()
        drawn: dict[object, dict[str, Any]] = {}
        for number in range(_TRIES * self.budget):
            settings = self._draw(grid, number)
            drawn.setdefault(config_of(settings), settings)
            if len(drawn) == self.budget:
                break
        return list(drawn.values())

    def rounds(self, epochs: int) -> list[int]:
        """Return the epochs of each round, the last of them ``epochs``."""
        if not self.halving:
            return [epochs]
        numbers = [epochs]
        while numbers[0] // self.halving >= self.min_epochs:
            numbers.insert(0, numbers[0] // self.halving)
        return numbers

    def survivors(self, n: int) -> int:
        """Return the number of ``n`` configurations that advance to the next round."""
        return max(1, math.ceil(n / self.halving))

    def _draw(self, grid: Grid, number: int) -> dict[str, Any]:
        """Draw cell ``number``: by a stream of its own, so that a larger budget adds cells."""
        rng = stream(self.seed, Purpose.SEARCH, step=number)

        def value(axis: Any) -> Any:
            return axis[rng.integers(len(axis))] if isinstance(axis, list) else axis.draw(rng)

        mode = value(grid.modes)
        drawn = {name: value(axis) for name, axis in grid.axes_of(mode).items()}
        return grid.in_order({"mode": mode, **drawn})
