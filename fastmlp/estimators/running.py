"""Runs of estimators, and the results that an estimator keeps."""

from __future__ import annotations

import math
from typing import Any

from ..data.split import Parts
from ..ops.losses import LOSSES
from ..training.callbacks import Callback
from ..training.config import TrainConfig
from ..training.prepare import prepare_parts
from ..training.run import Run
from .callbacks import Printer
from .compiling import compiled_once
from .problem import Problem, team

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


def start_run(
    estimator: Any, problem: Problem, parts: Parts, config: TrainConfig, callbacks: list[Callback]
) -> Run:
    """Return a run from the estimator's weights, with its kernels compiled or on disk."""
    prepared = prepare_parts(parts, config, problem.task)
    measures = ["train_objective"]
    if prepared.validation is not None:
        measures.append("validation_score")
    weights = estimator.coefs_, estimator.intercepts_
    work = float(parts.X_train.shape[0]) * sum(array.size for array in estimator.coefs_)
    with compiled_once(config) as first:
        run = Run(config, prepared, team(estimator, work), callbacks, weights, measures)
        if first:
            run.compile()
            run.evaluate(prepared.train, rows=1)  # as predictions will
    # scikit-learn's squared error is a mean over the outputs, while its gradient is the sum's.
    is_mean = LOSSES.parse(config.loss).sklearn_averages_outputs
    run.loss_divisor = problem.task.n_outputs if is_mean else 1
    if estimator.verbose:
        run.callbacks.append(Printer(estimator))  # after the stopping rule, which it reports
    return run


def keep_weights(estimator: Any, run: Run) -> None:
    """Give the estimator the network's weights and biases."""
    estimator.coefs_ = [weights.copy() for weights in run.network.weights]
    estimator.intercepts_ = [biases.copy() for biases in run.network.biases]


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
        *(loss / run.loss_divisor for loss in validation_losses),
    ]
    # A fit that diverged has left a NaN.
    finite = [score for score in estimator.validation_scores_ if math.isfinite(score)]
    if finite:
        estimator.best_validation_score_ = max(finite)
