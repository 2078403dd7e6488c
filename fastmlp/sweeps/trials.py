"""Trials of a study, batch by batch."""

from __future__ import annotations

from ..base.errors import ConfigError
from .cells import Cell, make_cells
from .grid import Grid
from .rounds import Rounds
from .search import NO_PRUNING
from .study import Asked, Pruning, Study


class Trials:
    """A running sweep whose cells are asked for.

    Each trial is a cell, or one for each seed.

    Parameters
    ----------
    grid : Grid
    rounds : Rounds
        Runs and records the cells of a batch. Its own cells are examples, and not run.

    Raises
    ------
    ConfigError
        Without Optuna; if trials are pruned and there are several seeds or numbers of epochs.
    """

    def __init__(self, grid: Grid, rounds: Rounds):
        search = rounds.search
        self.grid, self.rounds, self.search = grid, rounds, search
        epochs = {cell.config.epochs for cell in rounds.cells}
        if search.prune != NO_PRUNING:
            _check_pruned(grid, len(epochs))
        self.study = Study(
            grid, search.seed, search.batch, search.prune, rounds.rank_by, max(epochs)
        )

    def run(self) -> str:
        """Run all trials; return the status of the sweep."""
        size, n = self.search.batch, self.search.trials
        try:
            for first in range(0, n, size):
                last = min(first + size, n)
                # Always whole batches, so that more trials do not change the first ones.
                asked = self.study.ask(size)[: last - first]
                self._run(asked, f"trials {first + 1} to {last} of {n}")
        except KeyboardInterrupt:
            return "interrupted"
        return "finished"

    def _run(self, asked: list[Asked], title: str) -> None:
        cells = [self._cells(each) for each in asked]
        prunings: dict[str, Pruning] = {}
        for each, own in zip(asked, cells, strict=True):
            pruning = self.study.pruning(each)
            if pruning is not None:
                prunings.setdefault(own[0].key, pruning)
        distinct = {cell.key: cell for own in cells for cell in own}
        self.rounds.run_round(list(distinct.values()), title, prunings)
        found = {trial.key: trial for trial in self.rounds.store.trials()}
        for each, own in zip(asked, cells, strict=True):
            self.study.tell(each, [found[cell.key] for cell in own])

    def _cells(self, asked: Asked) -> list[Cell]:
        """Return the cells of a trial: one for each seed."""
        settings = asked.settings
        if "seed" not in self.grid.axes:
            return make_cells([settings], self.rounds.datasets)
        with_seeds = [self.grid.in_order({**settings, "seed": seed}) for seed in self.grid.seeds]
        return make_cells(with_seeds, self.rounds.datasets)


def _check_pruned(grid: Grid, n_epochs: int) -> None:
    axis = grid.axes.get("epochs", [0])
    if n_epochs > 1 or not isinstance(axis, list) or len(axis) > 1:
        raise ConfigError("epochs must be one number with prune, which shortens it; leave out one")
    if len(grid.seeds) > 1:
        raise ConfigError(
            f"prune needs a single seed, got {len(grid.seeds)}: trials are compared epoch by "
            "epoch; leave out one of them"
        )
