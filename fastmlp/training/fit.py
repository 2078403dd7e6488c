"""Training from settings and data to a result."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from ..base.errors import ConfigError
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
    """
    return finish(start(config, dataset, threads, callbacks, initial_weights))


def start(
    config: TrainConfig,
    dataset: Dataset,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
) -> Run:
    """Return a run with its data prepared and its network drawn; parameters as for :func:`fit`."""
    callbacks = tuple(callbacks)
    _check_types(config, dataset, callbacks)
    started = time.perf_counter()
    if config.classes:
        dataset = dataset.keep_classes(config.classes)
    resolved = resolve(config, dataset)
    prepared = prepare(dataset, resolved.config, resolved.task)
    run = Run(resolved.config, resolved.task, prepared, threads, callbacks, initial_weights)
    run.prepare_seconds = time.perf_counter() - started
    return run


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


def finish(run: Run) -> TrainResult:
    """Train a run that :func:`start` returned; result and errors as for :func:`fit`."""
    loop = Loop(run)
    diverged = loop.train()
    try:
        result = sum_up(loop)
    finally:
        run.tell("on_train_end")
    if diverged is not None:
        diverged.result = result
        raise diverged
    return result
