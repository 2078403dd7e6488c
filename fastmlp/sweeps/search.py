"""Selection of cells: all cells of a grid, random draws, and successive halving."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ..base.errors import ConfigError
from ..base.random import Purpose, stream
from .grid import MOST_CELLS, Grid, config_of

# In a grid of few cells, most draws would be of cells drawn before.
_TRIES = 100


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

    Raises
    ------
    ConfigError
        For a number out of its range.
    """

    budget: int = 0
    seed: int = 0
    halving: int = 0
    min_epochs: int = 1

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

    def to_dict(self) -> dict[str, int]:
        """Return the parameters as plain numbers."""
        return asdict(self)

    def settings(self, grid: Grid) -> list[dict[str, Any]]:
        """Return the distinct settings of the cells to run.

        Raises
        ------
        ConfigError
            For a grid that cannot be enumerated or drawn from.
        """
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
