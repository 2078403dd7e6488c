"""A sweep from its grid to its result."""

from __future__ import annotations

import contextlib
import json
import os
import time
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from .._version import __version__
from ..base.errors import ConfigError, check_type
from ..base.folders import held_folder
from ..base.toml import read_toml
from ..data.dataset import Dataset
from ..reports.tables import Table
from .cells import Cell, Datasets, Loader, cost, make_cells, varying, with_epochs
from .grid import APPLIES, DEFAULTS, Grid
from .leaderboard import Leaderboard, Trial, label, rank, value_text
from .progress import Standing, Watcher
from .ranking import check_ranking, ranked_metric
from .result import SweepResult
from .runner import Runner
from .search import Search
from .store import Store

# Settings that determine the unit of a loss. If targets are scaled, it is in scaled units.
_UNITS = ("task", "loss", "target_scale")


def run_sweep(
    grid: Mapping[str, Any] | Grid | str | os.PathLike[str],
    dataset: Dataset | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    budget: int = 0,
    halving: int = 0,
    min_epochs: int = 1,
    search_seed: int = 0,
    rank_by: str = "auto",
    retry_failed: bool = False,
    jobs: int | None = None,
    backend: str = "threading",
    address: str | None = None,
    plots: bool = True,
    watcher: Watcher | None = None,
    load: Loader | None = None,
) -> SweepResult:
    """Train every configuration of a grid and rank them by validation results.

    Parameters
    ----------
    grid : mapping, Grid or path-like
        Axes and settings, see :class:`~fastmlp.sweeps.grid.Grid`; or a TOML file of them.
    dataset : Dataset, optional
        Default: loaded by the grid's ``data``, see :func:`fastmlp.load_dataset`.
    out : path-like, optional
        Folder of the sweep: a store of all cells, tables, pictures and a page. Default: none.
    resume : bool, default False
        Resume the sweep in ``out``: finished cells are not run again.
    overwrite : bool, default False
        Replace a sweep in ``out``.
    budget : int, default 0
        Random search: the number of cells to draw from the grid. 0: all cells.
    halving : int, default 0
        Successive halving: each round keeps the best 1 / halving of the configurations for halving
        times as many epochs; the last round has all epochs. 0: all cells run for all epochs.
    min_epochs : int, default 1
        Smallest number of epochs of the first round of halving.
    search_seed : int, default 0
        Seed of the random search.
    rank_by : str, default "auto"
        ``validation_accuracy``, ``validation_loss``, or a metric such as ``roc_auc``, on the
        validation part; a metric is measured in all cells. auto: accuracy for classification, loss
        for regression.
    retry_failed : bool, default False
        With ``resume``: run cells again that failed (not those that diverged).
    jobs : int, optional
        How many cells at a time; default: all CPUs that this process may use.
    backend : {"threading", "loky", "dask"}, default "threading"
    address : str, optional
        Of a Dask scheduler.
    plots : bool, default True
        Whether to draw pictures into ``out``.
    watcher : Watcher, optional
        Told of every finished cell.
    load : callable, optional
        Returns the dataset that a config names, instead of :func:`fastmlp.load_dataset`.

    Returns
    -------
    SweepResult
        Also after Ctrl-C, with ``status`` "interrupted" and the cells done until then.

    Raises
    ------
    ConfigError
        Before anything runs: for an unknown or empty axis, a bad value, an illegal combination, a
        setting that applies to no cell, or an ``out`` that cannot be used.
    DataError
        If the data do not fit the task, or the store in ``out`` is damaged.
    """
    if isinstance(grid, (str, os.PathLike)):
        grid = read_toml(grid, "grid")
    grid = grid if isinstance(grid, Grid) else Grid(grid)
    if dataset is not None:
        check_type("dataset", dataset, Dataset, "Dataset(X, y), or load_dataset(name)")
    if watcher is not None:
        check_type("watcher", watcher, Watcher, "an instance of it")
    search = Search(budget, search_seed, halving, min_epochs)
    runner = Runner(jobs, backend, address)
    datasets = Datasets(dataset, load)
    metric = ranked_metric(rank_by, grid.metrics)
    grid = grid if metric is None else grid.measuring(metric)
    cells = plan_cells(grid, search, datasets)
    has_accuracy = all(cell.resolved.task.has_accuracy for cell in cells)
    rank_by = check_ranking(rank_by, metric, has_accuracy)
    if rank_by == "validation_loss":
        _warn_of_units(cells)
    if resume and out is None:
        raise ConfigError("resume needs out, the folder of the sweep to resume; give it")
    if retry_failed and not resume:
        raise ConfigError("retry_failed is for resume alone; add it, or leave retry_failed out")
    with nullcontext() if out is None else held_folder(out, "out") as folder:
        store = Store(folder, resume, overwrite)
        try:
            _check_same(store, grid, search, rank_by, datasets)
            if retry_failed:
                store.forget("failed")
            sweep = _Sweep(cells, store, runner, datasets, search, rank_by, watcher or Watcher())
            status = sweep.run()
            result = SweepResult(
                sweep.leaderboard(),
                sweep.trials(),
                status,
                datasets,
                store.params,
                folder,
                sweep.known,
            )
            result.load_best()
        finally:
            store.close()
        if folder is not None:
            result.save(folder, plots=plots and status == "finished")
    return result


def plan_cells(grid: Grid, search: Search, datasets: Datasets) -> list[Cell]:
    """Return the cells of a sweep; errors as for :func:`run_sweep`."""
    datasets.check_names([*grid.axes, *(n for axes in grid.by_mode.values() for n in axes)])
    settings = search.settings(grid)
    grid.check_applies(settings)
    cells = make_cells(settings, datasets)
    if search.halving and len({cell.config.epochs for cell in cells}) > 1:
        raise ConfigError(
            "epochs must be one number with halving, which sets those of each round; leave out "
            "one of them"
        )
    return cells


def list_cells(
    grid: Mapping[str, Any], search: Mapping[str, int], load: Loader | None = None
) -> Table:
    """Return the cells of a sweep as a table; errors as for :func:`run_sweep`."""
    options = {"seed" if name == "search_seed" else name: v for name, v in search.items()}
    cells = plan_cells(Grid(grid), Search(**options), Datasets(None, load))
    names = dict.fromkeys(name for cell in cells for name in cell.settings)
    return Table(
        ("cell", *map(label, names)),
        [
            (str(i), *(value_text(cell.settings.get(name)) for name in names))
            for i, cell in enumerate(cells, start=1)
        ],
    )


def _warn_of_units(cells: list[Cell]) -> None:
    """Warn if cells are ranked by losses of different kinds or units."""
    values = {
        name: sorted({str(getattr(cell.resolved.config, name)) for cell in cells})
        for name in _UNITS
    }
    differing = [f"{name} {', '.join(found)}" for name, found in values.items() if len(found) > 1]
    if differing:
        warnings.warn(
            "the ranking compares losses that are not of one kind or unit, since cells differ in "
            f"{' and in '.join(differing)}; give one value of each, or compare the errors of the "
            "models' predictions",
            stacklevel=3,
        )


class _Sweep:
    """A running sweep."""

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
                self._run_round(cells, title)
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

    def _run_round(self, cells: list[Cell], title: str) -> None:
        self.known |= {cell.key: cell for cell in cells}
        recorded = self.store.keys()
        missing = [cell for cell in cells if cell.key not in recorded]
        costs = {cell.key: cost(cell, self.datasets) for cell in missing}
        standing = Standing(title, varying(cells), len(cells), len(missing), sum(costs.values()))
        self.watcher.on_start(standing, self.leaderboard())
        try:
            self.runner.compile(missing, self.datasets)
            standing.started = time.perf_counter()
            with contextlib.closing(self.runner.run(missing, self.datasets)) as outcomes:
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


def _check_same(store: Store, grid: Grid, search: Search, rank_by: str, datasets: Datasets) -> None:
    """Record the identity of the sweep; ConfigError if the store is of another one."""
    before = store.data()
    names = sorted(datasets.by_key)
    if before is not None and not before & set(names):
        raise ConfigError(
            "resume needs the data that the sweep began with, got others; load those, or choose "
            "another folder"
        )
    ranked_by = store.fact("rank_by")
    if ranked_by not in (None, rank_by):
        raise ConfigError(
            f"rank_by must be that of the sweep to resume, {ranked_by}, got {rank_by}; leave it"
            " out, or choose another folder"
        )
    if store.fact("version") != __version__:
        warnings.warn(
            f"the sweep was begun by fastmlp {store.fact('version')}, this is {__version__}: "
            "results of both are in one table",
            stacklevel=3,
        )
    store.set_facts(
        data=json.dumps(names),
        rank_by=rank_by,
        grid=json.dumps(grid.to_dict()),
        search=json.dumps(search.to_dict()),
    )
