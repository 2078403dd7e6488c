"""A sweep from its grid to its result."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from .._version import __version__
from ..base.errors import ConfigError, check_type
from ..base.folders import held_folder
from ..base.toml import read_toml
from ..data.dataset import Dataset
from ..reports.tables import Table
from .cells import Cell, Datasets, Loader, make_cells
from .grid import Grid
from .leaderboard import label, value_text
from .progress import Watcher
from .ranking import check_ranking, ranked_metric
from .result import SweepResult
from .rounds import Rounds
from .runner import Runner
from .search import GRID, Search
from .store import Store
from .trials import Trials

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
    search: str = "grid",
    trials: int = 0,
    prune: str = "none",
    trial_batch: int = 4,
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
        Seed of the random search, and of trials.
    search : {"grid", "tpe"}, default "grid"
        tpe: cells are trials that Optuna chooses by the results of earlier ones, from lists and
        distributions of the grid. Needs the extra ``search``.
    trials : int, default 0
        Number of trials of tpe.
    prune : {"none", "median", "hyperband"}, default "none"
        Optuna's pruner, which stops trials that are worse than those of earlier batches, according
        to ``rank_by`` after each epoch.
    trial_batch : int, default 4
        Number of trials that are chosen at a time, and run in parallel. Results depend on it, and
        on nothing else of how cells are run.
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
    search_for = Search(
        budget, search_seed, halving, min_epochs, search, trials, prune, trial_batch
    )
    runner = Runner(jobs, backend, address)
    datasets = Datasets(dataset, load)
    metric = ranked_metric(rank_by, grid.metrics)
    grid = grid if metric is None else grid.measuring(metric)
    cells = plan_cells(grid, search_for, datasets)
    has_accuracy = all(cell.resolved.task.has_accuracy for cell in cells)
    is_chosen, rank_by = rank_by != "auto", check_ranking(rank_by, metric, has_accuracy)
    if rank_by == "validation_loss":
        _warn_of_units(cells)
    if resume and out is None:
        raise ConfigError("resume needs out, the folder of the sweep to resume; give it")
    if retry_failed and not resume:
        raise ConfigError("retry_failed is for resume alone; add it, or leave retry_failed out")
    with nullcontext() if out is None else held_folder(out, "out") as folder:
        store = Store(folder, resume, overwrite)
        try:
            if not is_chosen:
                rank_by = store.fact("rank_by") or rank_by
            _check_same(store, grid, search_for, rank_by, datasets)
            if retry_failed:
                store.forget("failed")
            watcher = watcher or Watcher()
            rounds = Rounds(cells, store, runner, datasets, search_for, rank_by, watcher)
            status = Trials(grid, rounds).run() if search_for.asks else rounds.run()
            result = SweepResult(
                rounds.leaderboard(),
                rounds.trials(),
                status,
                datasets,
                store.params,
                folder,
                rounds.known,
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
    grid: Mapping[str, Any], search: Mapping[str, Any], load: Loader | None = None
) -> Table:
    """Return the cells of a sweep as a table; errors as for :func:`run_sweep`."""
    fields = {"search_seed": "seed", "search": "method", "trial_batch": "batch"}
    options = {fields.get(name) or name: value for name, value in search.items()}
    if Search(**options).asks:
        raise ConfigError(
            "search tpe chooses cells by the results of earlier ones, so they cannot be listed "
            "before; leave out list"
        )
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
    stored = json.loads(store.fact("search") or "null")
    if stored is not None and search.asks | (stored.get("method", GRID) != GRID):
        now = search.to_dict()
        for name in now:
            if name != "trials" and stored.get(name) != now[name]:
                raise ConfigError(
                    f"search must be that of the sweep to resume, with {name} {stored.get(name)}, "
                    f"got {now[name]}; only trials may change"
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
