"""The solver lbfgs: SciPy's L-BFGS-B over loss and gradient of all rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.utils.optimize import _check_optimize_result
from sklearn.utils.parallel import _get_threadpool_controller

from ..base.errors import CallbackError
from ..training.callbacks import Callback
from ..training.full_batch import LossAndGradient
from ..training.measures import MEASURES
from ..training.run import Run
from .problem import Problem, circumstances, split
from .running import NOT_FINITE, Diverged, keep_curves, keep_weights, start_run
from .translate import full_batch_config


def fit_lbfgs(estimator: Any, problem: Problem, callbacks: list[Callback]) -> None:
    """Minimise the objective of all rows, and store the result.

    Always in float64: the line search needs the precision.

    Raises
    ------
    ValueError
        If training diverges.
    """
    run = _start(estimator, problem, callbacks)
    objective = LossAndGradient(run)
    follower = _Follower(run, objective)
    outcome = None
    try:
        run.tell("on_setup")
        run.tell("on_train_begin")
        # SciPy's own vectors are short: two BLAS threads on a busy machine took ten times as long.
        with _get_threadpool_controller().limit(limits=1, user_api="blas"):
            outcome = minimize(
                objective,
                objective.parameters(),
                method="L-BFGS-B",
                jac=True,
                callback=follower,
                options={
                    "maxfun": estimator.max_fun,
                    "maxiter": estimator.max_iter,
                    "gtol": estimator.tol,
                },
            )
        objective.put(outcome.x)
    except KeyboardInterrupt:
        objective.put(follower.parameters)
        problem.warn("Training interrupted by user.", UserWarning)
    except CallbackError as error:
        if len(run.history):
            objective.put(follower.parameters)
            _keep(estimator, run, None)
            problem.accept()
        raise error.__cause__ or error from None
    finally:
        run.tell("on_train_end")
    _keep(estimator, run, outcome)


class _Follower:
    """Records every iteration as an epoch, and calls the run's callbacks."""

    def __init__(self, run: Run, objective: LossAndGradient):
        self.run, self.objective = run, objective
        self.parameters = objective.parameters()

    def __call__(self, intermediate_result: OptimizeResult) -> None:
        run, self.parameters = self.run, intermediate_result.x.copy()
        self.objective.put(self.parameters)
        run.epoch += 1
        row = {
            "epoch": run.epoch,
            "learning_rate": None,
            "train_loss": None,
            "train_accuracy": None,
            "penalty": run.penalty(),
            **run.loss_and_accuracy("validation", run.prepared.validation),
            "train_objective": reported_loss(run, intermediate_result.fun),
        }
        if run.prepared.validation is not None:
            row["validation_score"] = MEASURES["validation_score"](run, row)
        run.tell_epoch(run.history.append(**row))
        if run.stop_status:
            raise StopIteration
        run.turn.after_epoch(run.epoch)


def reported_loss(run: Run, objective: float) -> float:
    """Return the loss of the current network, as scikit-learn reports it."""
    if run.steps.loss_divisor == 1:
        return float(objective)
    penalty = run.penalty()
    return (float(objective) - penalty) / run.steps.loss_divisor + penalty


def _start(estimator: Any, problem: Problem, callbacks: list[Callback]) -> Run:
    parts = split(estimator, problem)
    config = full_batch_config(estimator, circumstances(estimator, problem, parts, "float64"))
    return start_run(estimator, problem, parts, config, callbacks)


def _keep(estimator: Any, run: Run, outcome: OptimizeResult | None) -> None:
    if not np.isfinite(run.network.params).all():
        raise Diverged(NOT_FINITE)
    keep_weights(estimator, run)
    estimator._continuation = None  # of another solver
    keep_curves(estimator, run)
    if outcome is None:
        return
    estimator.loss_ = reported_loss(run, outcome.fun)
    if not run.stop_status:
        estimator.n_iter_ = _check_optimize_result("lbfgs", outcome, estimator.max_iter)
