"""Running the cells of a sweep and recording them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .cells import Cell, Datasets, cost, varying, with_epochs
from .grid import APPLIES, DEFAULTS
from .leaderboard import Leaderboard, Trial, rank
from .progress import Standing, Watcher
from .runner import NO_PRUNINGS, Runner
from .search import Search
from .store import Store
from .study import Pruning


class Rounds:
    """A running sweep: its cells, in one round or in rounds of halving.

    Attributes
    ----------
    known : dict of str to Cell
        The cells that were run or found in the store, by their keys.
    """

    def __init__(
        self, cells: list[Cell], store: Store, runner: Runner, datasets: Datasets, search: Search,
        rank_by: str, watcher: Watcher,
    ):  # fmt: skip
        self.cells, self.store, self.runner, self.datasets = cells, store, runner, datasets
        self.search, self.rank_by, self.watcher = search, rank_by, watcher
        self.known: dict[str, Cell] = {}

    def run(self) -> str:
        """Run the missing cells; return the status of the sweep."""
        rounds = self.search.rounds(self.cells[0].config.epochs)
        cells = self.cells
        try:
            for number, epochs in enumerate(rounds):
                if self.search.halving:
                    cells = [with_epochs(cell, epochs) for cell in cells]
                title = f"round {number + 1}/{len(rounds)}" if len(rounds) > 1 else ""
                self.run_round(cells, title)
                if number + 1 < len(rounds):
                    cells = self._survivors(cells)
        except KeyboardInterrupt:
            return "interrupted"
        return "finished"

    def trials(self) -> list[Trial]:
        """Return all cells in the store, each with values of all settings given for any of them."""
        trials = self.store.trials()
        names = dict.fromkeys(n for cell in self.cells for n in cell.settings)
        names |= dict.fromkeys(name for trial in trials for name in trial.settings)
        return [replace(trial, settings=self._settings(trial, list(names))) for trial in trials]

    def leaderboard(self) -> Leaderboard:
        """Rank all cells in the store."""
        return rank(self.trials(), self.rank_by, bool(self.search.halving))

    def run_round(
        self, cells: list[Cell], title: str, prunings: Mapping[str, Pruning] = NO_PRUNINGS
    ) -> None:
        """Run the cells that are not in the store.

        Parameters
        ----------
        cells : list of Cell
        title : str
            Shown in the progress.
        prunings : mapping of str to Pruning, optional
            By the keys of cells.
        """
        self.known |= {cell.key: cell for cell in cells}
        recorded = self.store.keys()
        missing = [cell for cell in cells if cell.key not in recorded]
        costs = {cell.key: cost(cell, self.datasets) for cell in missing}
        standing = Standing(title, varying(cells), len(cells), len(missing), sum(costs.values()))
        self.watcher.on_start(standing, self.leaderboard())
        try:
            self.runner.compile(missing, self.datasets)
            standing.started = time.perf_counter()
            with contextlib.closing(self.runner.run(missing, self.datasets, prunings)) as outcomes:
                for trial, params in outcomes:
                    self.store.record(trial, self.rank_by, params)
                    standing.done += 1
                    standing.cost_done += costs[trial.key]
                    self.watcher.on_trial(trial, standing, self.leaderboard)
        finally:
            self.watcher.on_end(standing, self.leaderboard())

    def _survivors(self, cells: list[Cell]) -> list[Cell]:
        """Return the cells that advance to the next round, with all seeds of a configuration."""
        keys = {cell.key for cell in cells}
        trials = [trial for trial in self.trials() if trial.key in keys]
        board = rank(trials, self.rank_by)
        kept = board.configurations[: self.search.survivors(len(board.configurations))]
        going_on = {trial.key for entry in kept for trial in entry.trials if entry.good}
        return [cell for cell in cells if cell.key in going_on] or cells[:1]

    def _settings(self, trial: Trial, names: list[str]) -> dict[str, Any]:
        cell = self.known.get(trial.key)
        given = trial.settings if cell is None else cell.settings
        values = {**DEFAULTS, **trial.config}
        return {
            name: given.get(name, trial.config[name])
            for name in names
            if name in given or name not in APPLIES or APPLIES[name][0](values)
        }
