"""One cell from its settings to a trial, on the calling thread of any process."""

from __future__ import annotations

import math
import threading
import time
from typing import NamedTuple

import numpy as np

from ..base.errors import TrainingError
from ..data.dataset import Dataset
from ..training.callbacks import Callback
from ..training.fit import finish
from ..training.history import History
from ..training.preparations import Preparations
from ..training.result import TrainResult
from ..training.run import Run
from .cells import Cell
from .leaderboard import Trial
from .study import Pruning

# One per process, shared by its threads.
preparations = Preparations()


class Outcome(NamedTuple):
    """The outcome of a cell: its trial, and its kept weights or None, of all networks in turn."""

    trial: Trial
    params: np.ndarray | None


class _Stop(Callback):
    """Ends a run as Ctrl-C would, which only the main thread receives."""

    reads_weights = False

    def __init__(self, stop: threading.Event):
        self.stop = stop

    def on_progress(self, run: Run) -> None:
        if self.stop.is_set():
            raise KeyboardInterrupt


def make_run(cell: Cell, dataset: Dataset, callbacks: list[Callback] | None = None) -> Run:
    """Return a cell's run for the calling thread."""
    prepared = preparations.get(dataset, cell.data_key, cell.resolved)
    return Run(cell.config, prepared, 1, callbacks or ())


def run_cell(
    cell: Cell,
    dataset: Dataset,
    stop: threading.Event | None = None,
    pruning: Pruning | None = None,
) -> Outcome | None:
    """Train a cell.

    Parameters
    ----------
    cell : Cell
    dataset : Dataset
        Without the classes that the cell leaves out.
    stop : threading.Event, optional
        Ends the run when it is set.
    pruning : Pruning, optional
        Ends the run after an epoch if it is worse than others.

    Returns
    -------
    Outcome or None
        Also of a cell that failed or diverged. None after ``stop``.

    Raises
    ------
    KeyboardInterrupt
        Without ``stop``, after Ctrl-C.
    """
    if stop is not None and stop.is_set():
        return None
    started = time.perf_counter()
    error: Exception | None = None
    result: TrainResult | None = None
    inference: dict[str, float] = {}
    rows: dict[str, float] = {}
    try:
        callbacks: list[Callback] = [] if stop is None else [_Stop(stop)]
        callbacks += [] if pruning is None else [pruning.callback()]
        run = make_run(cell, dataset, callbacks)
        result = finish(run)
        inference, rows = _inference(run, result.predictor.n_models)
    except TrainingError as failure:
        error, result = failure, failure.result
    except Exception as failure:  # any error; the other cells continue
        error = failure
    if result is not None and result.status == "interrupted":
        if stop is None or not stop.is_set():
            raise KeyboardInterrupt
        return None
    seconds = {"cell_seconds": time.perf_counter() - started}
    config = cell.config.to_dict()
    if result is None:
        text = f"{type(error).__name__}: {error}"
        failed = Trial(cell.key, cell.settings, config, "failed", text, {}, {}, {}, seconds)
        return Outcome(failed, None)
    timings = {**result.timings, **seconds, **inference}
    trial = Trial(
        cell.key, cell.settings, config, result.status, str(error or ""),
        _columns(result.history), _columns(result.iterations), _metrics(result) | rows, timings,
    )  # fmt: skip
    networks = result.predictor.networks
    params = np.concatenate([network.params for network in networks]) if trial.is_good else None
    return Outcome(trial, params)


def _metrics(result: TrainResult) -> dict[str, float | int | None]:
    measured = {name: v for name, v in result.metrics.items() if not name.startswith("test")}
    return {
        **measured,
        "epochs_run": result.epochs_run,
        "updates_run": result.updates_run,
        "best_epoch": result.best_epoch,
        "kept_epoch": result.kept_epoch,
        "n_parameters": result.predictor.n_models * result.model_facts()["n_parameters"],
    }


def _columns(history: History) -> dict[str, list[float]]:
    return {name: history[name] for name in history.columns} if len(history) else {}


def _inference(run: Run, n_models: int) -> tuple[dict[str, float], dict[str, float]]:
    """Evaluate the validation part; return its time, and the certainty of its metrics."""
    validation = run.prepared.validation
    if validation is None:
        return {}, {}
    started = time.perf_counter()
    for _ in range(n_models):
        found = run.evaluate(validation)
    seconds = time.perf_counter() - started
    assert found is not None
    n = len(validation.order)
    rows: dict[str, float] = {"n_validation": n}
    if math.isfinite(found.loss_error):
        rows["loss_error"] = found.loss_error
    return {"inference_seconds": seconds, "inference_rows": n}, rows
