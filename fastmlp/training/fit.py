"""Training from settings and data to a result."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from ..base.errors import CallbackError, ConfigError, TrainingError
from ..data.dataset import Dataset
from .callbacks import Callback
from .config import TrainConfig
from .loop import Loop
from .prepare import prepare
from .resolve import resolve
from .result import TrainResult
from .run import Run
from .summary import sum_up


def fit(
    config: TrainConfig,
    dataset: Dataset,
    *,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
    sample_weight: np.ndarray | None = None,
) -> TrainResult:
    """Train a multilayer perceptron.

    Parameters
    ----------
    config : TrainConfig
        All settings; what is ``auto`` is chosen by the data.
    dataset : Dataset
        As returned by :func:`fastmlp.load_dataset`, or ``fastmlp.Dataset(X, y)``.
    threads : int, optional
        At most how many threads; default: all CPUs that this process may use. Changes no bit of the
        result.
    callbacks : iterable of Callback, optional
        Told of the start, the progress, every epoch and the end.
    initial_weights : (list of ndarray, list of ndarray), optional
        Weights of shape (n_in, n_out) and biases of shape (n_out,) of each layer to start from;
        default: drawn from the config's initialisers.
    sample_weight : array_like of shape (n,), optional
        A weight for each row of the dataset's ``X``, of its loss in training; the objective is the
        weighted mean over a batch.

    Returns
    -------
    TrainResult
        Also after Ctrl-C, with ``status`` "interrupted" and what was trained until then.

    Raises
    ------
    ConfigError
        If settings do not go with the data or with each other.
    DataError
        If the data do not fit the task.
    DivergenceError
        If a loss or weight is no longer finite, or a loss exceeds a million, and a million times
        the first. Its ``result`` holds the best weights so far.
    CallbackError
        If a callback raised an exception. Its ``result`` holds what was trained until then.
    """
    return finish(start(config, dataset, threads, callbacks, initial_weights, sample_weight))


def start(
    config: TrainConfig,
    dataset: Dataset,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
    sample_weight: np.ndarray | None = None,
) -> Run:
    """Return a run with its data prepared and its network drawn; parameters as for :func:`fit`."""
    callbacks = tuple(callbacks)
    _check_types(config, dataset, callbacks)
    started = time.perf_counter()
    if config.classes:
        dataset, sample_weight = _keep_classes(dataset, config.classes, sample_weight)
    resolved = resolve(config, dataset)
    prepared = prepare(dataset, resolved.config, resolved.task, sample_weight)
    run = Run(resolved.config, prepared, threads, callbacks, initial_weights)
    run.prepare_seconds = time.perf_counter() - started
    return run


def _keep_classes(
    dataset: Dataset, classes: tuple[str, ...], sample_weight: np.ndarray | None
) -> tuple[Dataset, np.ndarray | None]:
    """Return the rows of some classes, and their weights."""
    kept = dataset.keep_classes(classes)
    if sample_weight is None or np.shape(sample_weight) != dataset.y.shape:
        return kept, sample_weight
    rows = np.isin(dataset.y, [] if kept.classes is None else kept.classes)
    return kept, np.asarray(sample_weight)[rows]


def _check_types(config: object, dataset: object, callbacks: tuple[object, ...]) -> None:
    for name, value, wanted, remedy in (
        ("config", config, TrainConfig, "TrainConfig(epochs=5), say"),
        ("dataset", dataset, Dataset, "Dataset(X, y), or load_dataset(name)"),
        *(("callbacks", callback, Callback, "instances of it") for callback in callbacks),
    ):
        if not isinstance(value, wanted):
            raise ConfigError(
                f"{name} must be of type {wanted.__name__}, got {value!r:.80}; give {remedy}"
            )


def finish(run: Run, loop: Loop | None = None) -> TrainResult:
    """Train a run that :func:`start` returned; result and errors as for :func:`fit`.

    Parameters
    ----------
    run : Run
    loop : Loop, optional
        Of the run, where it begins as an earlier one ended.
    """
    loop = Loop(run) if loop is None else loop
    error: TrainingError | None = loop.train()
    try:
        result = sum_up(loop)
    finally:
        try:
            run.tell("on_train_end")
        except CallbackError as late:
            error = error or late
    if error is not None:
        error.result = result
        raise error
    return result
