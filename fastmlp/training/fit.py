"""Training: from settings and data to a result."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..base.errors import ConfigError, check_type
from ..data.dataset import Dataset
from .checkpoints import Checkpoints
from .compile_beside import compiled_beside
from .config import TrainConfig
from .datasets import selected_rows, selected_weights
from .ensemble import Ensemble
from .ensemble_checkpoints import EnsembleCheckpoints
from .events import Callback
from .identity import identity
from .interval import Interval
from .loop import Loop
from .outcome import outcome_of
from .parts import RunMetrics, metrics_by_part
from .prepare import prepare
from .resolve import resolve
from .result import TrainResult
from .run import Run
from .scorers import check_scorers


def fit(
    config: TrainConfig,
    dataset: Dataset,
    *,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
    sample_weight: np.ndarray | None = None,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    checkpoint_every: int | str | None = None,
    resume: bool = False,
) -> TrainResult:
    """Train a multilayer perceptron.

    Parameters
    ----------
    config : TrainConfig
        All settings; ``auto`` values are chosen according to the data.
    dataset : Dataset
        As returned by :func:`fastmlp.load_dataset`, or ``fastmlp.Dataset(X, y)``.
    threads : int, optional
        Maximum number of threads; default: all CPUs that this process may use. Changes no bit of
        the result.
    callbacks : iterable of Callback, optional
        Called at the start, during epochs, after every epoch and at the end.
    initial_weights : (list of ndarray, list of ndarray), optional
        Weights of shape (n_in, n_out) and biases of shape (n_out,) of each layer to start from;
        default: drawn from the config's initializers.
    sample_weight : array_like of shape (n,), optional
        Weight of the loss of each row of the dataset's ``X`` in training; the objective is the
        weighted mean over a batch.
    checkpoint_dir : path-like, optional
        Folder for checkpoints, of which the last two are kept. One is also written after Ctrl-C.
        Default: no checkpoints.
    checkpoint_every : int or str, optional
        Number of epochs, or a time such as ``"30s"``, ``"10m"`` or ``"1h"``, which also applies
        within epochs. Default: 1; with ``resume`` the value of the resumed run.
    resume : bool, default False
        Resume from the newest checkpoint in ``checkpoint_dir``, with the same bits as without the
        interruption; without a checkpoint, start a new run. Settings, data, version and the
        callbacks that have a ``state_dict`` must be the same.

    Returns
    -------
    TrainResult
        Also after Ctrl-C, with ``status`` "interrupted" and the model trained so far.

    Raises
    ------
    ConfigError
        If settings do not fit the data or each other. If ``checkpoint_dir`` cannot be created,
        contains checkpoints and ``resume`` is false, contains checkpoints of another run, or is
        used by another process or thread.
    DataError
        If the data do not fit the task, or all checkpoints are damaged.
    DivergenceError
        If a loss or a weight is not finite, or a loss exceeds ``loss_limit``. Its ``result`` has
        the best weights so far.
    CallbackError
        If a callback or a metric raised an exception. Its ``result`` has the model trained so far.
    """
    _check_checkpoint_options(checkpoint_dir, checkpoint_every, resume)
    _check_types(config, dataset, ())
    with compiled_beside(config, threads, dataset.task) as helper:
        run = start(config, dataset, threads, callbacks, initial_weights, sample_weight)
        helper.compile(run)
    if checkpoint_dir is None:
        return _with_sets(finish(run), dataset, threads)
    run_is = identity(run.config, dataset, sample_weight, initial_weights)
    opened = open_checkpoints(checkpoint_dir, checkpoint_every, run_is, resume)
    with closing(opened) as checkpoints:
        return _with_sets(finish(run, loop_of(run, checkpoints)), dataset, threads)


def _with_sets(result: TrainResult, dataset: Dataset, threads: int | None) -> TrainResult:
    """Return the result with the metrics of each part, which are computed when asked for."""
    evaluate = partial(metrics_by_part, result.predictor, result.config, dataset, threads)
    return replace(result, metrics=RunMetrics(result.metrics, evaluate))


def start(
    config: TrainConfig,
    dataset: Dataset,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
    sample_weight: np.ndarray | None = None,
) -> Run:
    """Return a run with prepared data and initial weights; parameters as for :func:`fit`."""
    try:
        callbacks = tuple(callbacks)
    except TypeError:
        raise ConfigError(
            f"callbacks must be several instances of Callback, got {callbacks!r:.80}; give a list"
        ) from None
    _check_types(config, dataset, callbacks)
    started = time.perf_counter()
    sample_weight = selected_weights(dataset, config, sample_weight)
    dataset = selected_rows(dataset, config)
    resolved = resolve(config, dataset)
    prepared = prepare(dataset, resolved.config, resolved.task, sample_weight)
    if initial_weights is not None:
        _check_weights(initial_weights, np.dtype(resolved.config.dtype))
    run = Run(resolved.config, prepared, threads, callbacks, initial_weights)
    targets = {"validation": prepared.y_validation, "test": prepared.y_test}
    check_scorers(run.scorers, prepared.task, targets)
    run.rules = resolved.rules
    run.prepare_seconds = time.perf_counter() - started
    return run


def _check_checkpoint_options(
    folder: str | os.PathLike[str] | None, every: int | str | None, resume: bool
) -> None:
    if every is not None:
        Interval.parse(every)
    if folder is None and (every is not None or resume):
        name = "resume" if resume else "checkpoint_every"
        raise ConfigError(f"{name} needs checkpoint_dir, the folder of the checkpoints; give it")


def _check_types(config: object, dataset: object, callbacks: tuple[object, ...]) -> None:
    for name, value, wanted, remedy in (
        ("config", config, TrainConfig, "for example TrainConfig(epochs=5)"),
        ("dataset", dataset, Dataset, "Dataset(X, y), or load_dataset(name)"),
        *(("callbacks", callback, Callback, "instances of it") for callback in callbacks),
    ):
        check_type(name, value, wanted, remedy)


def open_checkpoints(
    folder: str | os.PathLike[str],
    every: int | str | None,
    run_is: dict[str, Any],
    resume: bool = False,
) -> Checkpoints | EnsembleCheckpoints:
    """Return the checkpoints of a run or an ensemble.

    Parameters and errors as for :class:`~fastmlp.training.checkpoints.Checkpoints`.
    """
    is_ensemble = run_is["settings"]["n_models"] > 1
    return (EnsembleCheckpoints if is_ensemble else Checkpoints)(folder, every, run_is, resume)


def loop_of(
    run: Run, checkpoints: Checkpoints | EnsembleCheckpoints | None = None
) -> Loop | Ensemble:
    """Return what trains a run: with several models, an ensemble of which it is the first."""
    if run.config.n_models == 1:
        assert not isinstance(checkpoints, EnsembleCheckpoints)
        return Loop(run, checkpoints)
    assert not isinstance(checkpoints, Checkpoints)
    return Ensemble(run, checkpoints)


def finish(run: Run, loop: Loop | Ensemble | None = None) -> TrainResult:
    """Train a run that :func:`start` returned; result and errors as for :func:`fit`.

    Parameters
    ----------
    run : Run
    loop : Loop or Ensemble, optional
        Of the run; default: a new one.
    """
    loop = loop_of(run) if loop is None else loop
    result, error = loop.outcome() if isinstance(loop, Ensemble) else outcome_of(loop)
    if error is not None:
        error.result = result
        raise error
    return result


def _check_weights(weights: Any, dtype: np.dtype[Any]) -> None:
    """Raise ConfigError for initial weights that the network's dtype cannot represent."""
    if not (isinstance(weights, (tuple, list)) and len(weights) == 2):
        raise ConfigError(
            "initial_weights must be a list of weights and one of biases, an array for each layer, "
            f"got {weights!r:.80}; give ([w1, w2], [b1, b2])"
        )
    for array in (np.asarray(array) for arrays in weights for array in arrays):
        if array.dtype.kind not in "biuf":
            raise ConfigError(
                f"initial_weights must hold real numbers, got dtype {array.dtype}; convert them "
                "with astype(float)"
            )
        if array.size and np.isfinite(array).all() and np.abs(array).max() > np.finfo(dtype).max:
            raise ConfigError(
                f"initial_weights must be in the range of {dtype}, got {np.abs(array).max():.3g} "
                "in size; scale them"
            )
