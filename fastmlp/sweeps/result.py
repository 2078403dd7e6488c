"""The result of a sweep: the winner, tables and plots."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import ConfigError
from ..base.notebook import html_of
from ..data.dataset import Dataset
from ..data.split import parts
from ..model.network import Network
from ..model.predictor import Predictor
from ..ops.losses import LOSSES
from ..reports.provenance import provenance
from ..training.config import TrainConfig
from ..training.fit import finish, fit
from ..training.result import TrainResult
from ..training.run import Run
from .cells import Cell, Datasets, cell_of
from .leaderboard import Leaderboard, Trial
from .reports.folder import write_sweep
from .reports.tables import cell_rows, configuration_rows
from .worker import make_run

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Best:
    """The winner of a sweep: the best trial of the configuration that ranks first.

    Attributes
    ----------
    config : TrainConfig
        All settings as they were used.
    settings : dict
        Those that were given.
    predictor : Predictor
    history : dict of str to list
    metrics : dict
        On the training and validation part, and on the test part, where no other cell is
        evaluated; None without a test part.
    """

    config: TrainConfig
    settings: dict[str, Any]
    predictor: Predictor
    history: dict[str, list[Any]]
    metrics: dict[str, Any]


class SweepResult:
    """Every configuration of a sweep, ranked.

    Attributes
    ----------
    leaderboard : Leaderboard
        Configurations, the best first, each with its trials.
    trials : list of Trial
        Each cell: settings, history, metrics, timings, status, error.
    status : {"finished", "interrupted"}
    folder : Path or None
    """

    def __init__(
        self,
        leaderboard: Leaderboard,
        trials: list[Trial],
        status: str,
        datasets: Datasets,
        params: Callable[[str, int, int], bytes | None],
        folder: Path | None,
        cells: Mapping[str, Cell],
    ):
        self.leaderboard, self.trials, self.status = leaderboard, trials, status
        self.folder = folder
        self._datasets, self._params, self._cells = datasets, params, cells
        self._best: Best | None = None
        self._best_data: Dataset | None = None

    @property
    def best(self) -> Best:
        """The winner.

        Raises
        ------
        ConfigError
            If no cell has finished.
        """
        if self._best is None:
            raise ConfigError(
                "there is no best configuration: no cell of the sweep has finished; look at the "
                "errors in .table, or resume"
            )
        return self._best

    @property
    def best_metrics(self) -> dict[str, Any] | None:
        """The winner's metrics; None if no cell has finished."""
        return None if self._best is None else self._best.metrics

    @cached_property
    def table(self) -> list[dict[str, Any]]:
        """A row for each configuration, the best first: settings, means and spreads over seeds."""
        return configuration_rows(self.leaderboard)

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """A row for each cell, in the order of the table."""
        return cell_rows(self.leaderboard, self.trials)

    @property
    def frame(self) -> pandas.DataFrame:
        """The table as a pandas DataFrame.

        Raises
        ------
        ConfigError
            If pandas is not installed.
        """
        return _frame(self.table)

    @property
    def cell_frame(self) -> pandas.DataFrame:
        """The cells as a pandas DataFrame; errors as for :attr:`frame`."""
        return _frame(self.cells)

    def load_best(self) -> None:
        """Build the winner's model from its weights and evaluate it on the test set."""
        found = self._winner()
        if found is None:
            return
        trial, cell, dataset = found
        run = make_run(cell, dataset)
        kept = self._params(trial.key, run.network.params.nbytes, cell.config.n_models)
        if kept is not None:
            predictor = _with_params(run, np.frombuffer(kept, run.network.dtype))
        elif self.status == "interrupted":
            return
        else:
            predictor = finish(run).predictor  # the same bits
        metrics = {**trial.metrics, **_test_metrics(run, predictor, dataset)}
        self._best_data = self._datasets.by_key[cell.data_key]
        self._best = Best(cell.config, trial.settings, predictor, trial.history, metrics)

    def retrain_best(
        self,
        out: str | os.PathLike[str] | None = None,
        *,
        epochs: int | None = None,
        threads: int | None = None,
        plots: bool = True,
        overwrite: bool = False,
    ) -> TrainResult:
        """Train the winner again for all epochs, with the schedule ``plateau``.

        Parameters
        ----------
        out : path-like, optional
            Run folder; default: ``best`` in the folder of the sweep, or none without one.
        epochs : int, optional
            Default: the winner's.
        threads : int, optional
            Default: all CPUs that this process may use.
        plots, overwrite : bool
            As for :func:`fastmlp.save_run`.
        """
        from ..reports.run_folder import save_run

        best = self.best
        config = best.config.replace(
            schedule="plateau", early_stopping=0, epochs=epochs or best.config.epochs
        )
        if out is None and self.folder is not None:
            out = self.folder / "best"
        dataset = self._best_data
        assert dataset is not None
        result = fit(config, dataset, threads=threads)
        if out is not None:
            save_run(result, dataset, out, plots=plots, overwrite=overwrite)
        return result

    def figures(self) -> dict[str, Figure]:
        """Draw every plot of the sweep as a whole; by name, such as ``overview`` and ``parallel``.

        Heat maps are ``heat-A-B``, for each pair of axes; see :mod:`fastmlp.sweeps.reports.plots`
        for plots into an axes of your own.
        """
        from ..reports.figures import style
        from .reports.pictures import sweep_figures

        with style():
            drawn = sweep_figures(self.leaderboard)
            return {name.removesuffix(".png"): draw() for name, draw in drawn}

    def curves(self, rank: int = 1) -> Figure:
        """Draw loss and accuracy of the configuration of a rank, over the epochs."""
        from ..reports.figures import style
        from .reports.pictures import ConfigurationFigure

        board = self.leaderboard
        if not 1 <= rank <= len(board.configurations):
            raise ConfigError(f"rank must be 1 to {len(board.configurations)}, got {rank}")
        with style():
            figure = ConfigurationFigure(board.axes, board.has_accuracy)
            return figure.draw(board.configurations[rank - 1])

    def save(self, folder: str | os.PathLike[str], plots: bool = True) -> Path:
        """Write tables, a page and plots into a folder, replacing older ones."""
        seeds = sorted({trial.config["seed"] for trial in self.trials})
        data = [(dataset.name, key) for key, dataset in self._datasets.by_key.items()]
        return write_sweep(
            folder, self.leaderboard, self.trials, self.best_metrics, plots,
            provenance(seeds, data, "one for each cell"),
        )  # fmt: skip

    def _winner(self) -> tuple[Trial, Cell, Dataset] | None:
        """Return the best trial of the best configuration whose data are available."""
        for entry in self.leaderboard.good:
            rank_by = self.leaderboard.rank_by
            trial = min(entry.good, key=lambda trial: (*trial.score(rank_by), trial.key))
            cell = self._cells.get(trial.key) or cell_of(trial, self._datasets)
            if cell is not None:
                return trial, cell, self._datasets.of_cell(cell)
        return None

    def __repr__(self) -> str:
        text = f"<SweepResult {self.status}: {len(self.trials)} cells"
        if self._best is None:
            return f"{text}>"
        value = self._best.metrics[self.leaderboard.rank_by]
        name = self.leaderboard.good[0].name(self.leaderboard.axes)
        return f"{text}, best {name}: {self.leaderboard.rank_by} {value:.4f}>"

    def _repr_html_(self) -> str:
        return html_of(self)


def _with_params(run: Run, params: np.ndarray) -> Predictor:
    """Return a run's predictor with the weights of one network, or of several of an ensemble."""
    network, *others = (
        _network_of(run.network, part) for part in params.reshape(-1, run.network.params.size)
    )
    return run.predictor.replace(network=network, more_networks=others)


def _network_of(like: Network, params: np.ndarray) -> Network:
    network = Network(like.layers, like.input_shape, like.dtype)
    network.params[:] = params
    return network


def _test_metrics(run: Run, predictor: Predictor, dataset: Dataset) -> dict[str, float | None]:
    """Evaluate the test part, which the prepared data of cells lack."""
    config, task = run.config, run.task
    split = parts(dataset, **config.split_settings)
    names = ("loss", "accuracy", *(scorer.name for scorer in run.scorers))
    if split.X_test is None or split.y_test is None:
        return {f"test_{name}": None for name in names}
    found = predictor.evaluate(split.X_test, split.y_test, LOSSES.parse(config.loss))
    scores = [scorer(task, split.y_test, found.outputs) for scorer in run.scorers]
    values = (found.loss, run.accuracy(found.hit_rate), *scores)
    return {f"test_{name}": value for name, value in zip(names, values, strict=True)}


def _frame(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError:
        raise ConfigError(
            "a DataFrame needs pandas, which is not installed; install it, or use .table"
        ) from None
    return pandas.DataFrame(rows)
