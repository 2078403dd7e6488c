"""Runs of estimators, and the results that an estimator keeps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from ..base.files import locked
from ..data.split import Parts
from ..ops.layer_lists import multiply_adds, shapes
from ..ops.losses import LOSSES
from ..training.callbacks import Callback
from ..training.compile_beside import compiled_beside
from ..training.config import TrainConfig
from ..training.kernel_folder import kept_in, temporary_note
from ..training.layers import kernels_of, network_layers
from ..training.network_checks import check_network
from ..training.prepare import prepare_parts
from ..training.run import Run
from .callbacks import Printer, fitted_attributes
from .problem import Problem, team

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


class Diverged(ValueError):
    """A fit whose weights are no longer finite, or whose loss has exploded."""


_LOCK = "fastmlp.lock"
_ready: set[tuple[object, ...]] = set()  # what this process has compiled


def start_run(
    estimator: Any, problem: Problem, parts: Parts, config: TrainConfig, callbacks: list[Callback]
) -> Run:
    """Return a run from the estimator's weights, with its kernels compiled or on disk."""
    if estimator._layers:
        check_network(config, problem.X.shape[1], problem.task.n_outputs)
    prepared = problem.prepared
    if prepared is None:
        prepared = prepare_parts(parts, config, problem.task, scaling=estimator._scaling)
        problem.prepared = prepared
    estimator._scaling = prepared.scaling
    measures = ["train_objective"]
    if prepared.validation is not None:
        measures.append("validation_score")
    weights = estimator.coefs_, estimator.intercepts_
    work = float(parts.X_train.shape[0]) * _row_work(estimator, problem, config) * config.epochs
    with compiled_once(config) as first:
        with compiled_beside(config, estimator.n_threads) if first else nullcontext() as helper:
            threads = team(estimator, work)
            run = Run(config, prepared, threads, callbacks, weights, measures, problem.number)
            if helper is not None:
                helper.compile(run)
        if first:
            run.compile()
            run.evaluate(prepared.train, rows=1)  # as predictions will
    if problem.turn is not None:
        run.turn = run.steps.turn = problem.turn
    # scikit-learn's squared error is a mean over the outputs, while its gradient is the sum's.
    is_mean = LOSSES.parse(config.loss).sklearn_averages_outputs
    run.steps.loss_divisor = problem.task.n_outputs if is_mean else 1
    if estimator.verbose:
        # After the stopping rule, which it reports.
        run.callbacks.append(Printer(estimator, problem.turn is not None))
    run.turn.after_compiling()
    return run


def _row_work(estimator: Any, problem: Problem, config: TrainConfig) -> int:
    """Return the number of multiply-adds of a forward pass of a row."""
    if not estimator._layers:
        return sum(array.size for array in estimator.coefs_)
    layers = network_layers(config, problem.task.n_outputs)
    return multiply_adds(layers, shapes(layers, config.input_shape or (problem.X.shape[1],)))


@contextmanager
def compiled_once(config: TrainConfig) -> Iterator[bool]:
    """Let one process at a time create and compile a run with these settings.

    The workers of a search begin together: each would take half a minute to compile the same.

    Yields
    ------
    bool
        Whether it is the first time.
    """
    needs = (config.dtype, config.mode, kernels_of(config), config.output_activation, config.loss,
             config.optimizer)  # fmt: skip
    if needs in _ready:
        yield False
        return
    if (note := temporary_note()) is not None:
        warnings.warn(note, stacklevel=2)
    with _lock():
        yield True
    _ready.add(needs)


def _lock() -> AbstractContextManager[None]:
    """Return a lock between processes, if kernels are kept on disk."""
    folder = kept_in()
    if folder is None:
        return nullcontext()
    with suppress(OSError):
        Path(folder).mkdir(parents=True, exist_ok=True)
    return locked(Path(folder) / _LOCK)


def keep_weights(estimator: Any, run: Run) -> None:
    """Give the estimator the network's weights and biases, and the number of epochs."""
    for name, value in fitted_attributes(run).items():
        setattr(estimator, name, value)


def keep_curves(estimator: Any, run: Run) -> None:
    """Extend the estimator's curves by a run's."""
    losses = run.history["train_objective"]
    estimator.loss_curve_ = [*estimator.loss_curve_, *losses]
    if losses:
        estimator.loss_ = losses[-1]
    if estimator.best_loss_ is not None:
        estimator.best_loss_ = min([estimator.best_loss_, *losses])
    if run.prepared.validation is None:
        return
    scores, validation_losses = run.history["validation_score"], run.history["validation_loss"]
    estimator.validation_scores_ = [*(estimator.validation_scores_ or ()), *scores]
    estimator.validation_loss_curve_ = [
        *(estimator.validation_loss_curve_ or ()),
        *(loss / run.steps.loss_divisor for loss in validation_losses),
    ]
    # A fit that diverged has left a NaN.
    finite = [score for score in estimator.validation_scores_ if math.isfinite(score)]
    if finite:
        estimator.best_validation_score_ = max(finite)
