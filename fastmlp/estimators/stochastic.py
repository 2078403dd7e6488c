"""The solvers sgd, adam and others: a run of the training loop."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..base.errors import CallbackError, DivergenceError
from ..training.callbacks import Callback
from ..training.continuation import Continuation
from ..training.fit import finish
from ..training.loop import Loop
from ..training.run import Run
from .problem import Problem, circumstances, split, warn_of_batch_size
from .running import NOT_FINITE, Diverged, keep_curves, keep_weights, start_run
from .translate import train_config


def fit_stochastic(estimator: Any, problem: Problem, callbacks: list[Callback]) -> None:
    """Train with sgd, adam or another optimizer, and store the result.

    Raises
    ------
    ValueError
        If training diverges.
    """
    if estimator.early_stopping and problem.incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    run = _start(estimator, problem, callbacks)
    loop = Loop(run)
    _continue(estimator, problem, loop)
    try:
        _finish(run, loop)
    except DivergenceError as error:
        if not estimator.early_stopping:
            raise Diverged(f"{NOT_FINITE} ({error})") from error
        _keep(estimator, loop)
        _note_divergence(estimator)
        if estimator._continuation is not None:  # whose state led there
            estimator._continuation = replace(estimator._continuation, state=None)
        problem.warn(str(error), ConvergenceWarning)
        return
    except CallbackError as error:
        if len(run.history):
            _keep(estimator, loop)
            problem.accept()
        raise error.__cause__ or error from None
    _keep(estimator, loop)
    if loop.status == "interrupted":
        problem.warn("Training interrupted by user.", UserWarning)
    elif loop.status == "finished" and not problem.incremental:
        problem.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
        )


def _start(estimator: Any, problem: Problem, callbacks: list[Callback]) -> Run:
    parts = split(estimator, problem)
    rows = parts.X_train.shape[0]
    if problem.number == 1:
        warn_of_batch_size(estimator, rows)
    dtype = estimator.coefs_[0].dtype
    config = train_config(estimator, circumstances(estimator, problem, parts, dtype.name))
    run = start_run(estimator, problem, parts, config, callbacks)
    if estimator.shuffle:
        run.steps.orders.draw = _Orders(rows, problem.random_state)
    return run


_DRAWS = 64


class _Orders:
    """Shuffles rows as scikit-learn does: each epoch from the order of the last.

    Parameters
    ----------
    rows : int
    random_state : RandomState
    """

    def __init__(self, rows: int, random_state: np.random.RandomState):
        self._random_state = random_state
        self._order = np.arange(rows)
        self._drawn = 0
        self._states: list[Any] = []  # before every 64th draw: reading a state takes 30 us

    def __call__(self, epoch: int) -> np.ndarray:
        """Return the order of the next epoch."""
        if self._drawn % _DRAWS == 0:
            self._states.append(self._random_state.get_state(legacy=False))
        self._order = self._order.copy()
        self._draw()
        return self._order

    def _draw(self) -> None:
        self._drawn += 1
        self._random_state.shuffle(self._order)

    def end(self, epochs: int) -> None:
        """Leave the random state as after a number of epochs: others were drawn, but not used."""
        if epochs == self._drawn:
            return
        self._drawn = epochs // _DRAWS * _DRAWS
        self._random_state.set_state(self._states[epochs // _DRAWS])
        while self._drawn < epochs:
            self._draw()


def _finish(run: Run, loop: Loop) -> None:
    """Train, and leave the random state where the last epoch has left it."""
    try:
        finish(run, loop)
    finally:
        if isinstance(run.steps.orders.draw, _Orders):
            run.steps.orders.draw.end(max(0, run.epoch + 1 - loop.epochs.start))


def _continue(estimator: Any, problem: Problem, loop: Loop) -> None:
    """Restore the state of the previous fit, if there was one.

    With ``partial_fit`` also the optimizer's state; with ``warm_start`` not.
    """
    before: Continuation | None = estimator._continuation
    if before is not None:
        if not problem.incremental:
            before = replace(before, state=None)
        before.resume(loop)
    if problem.incremental:
        loop.epochs = range(loop.epochs.start, loop.epochs.start + 1)


def _keep(estimator: Any, loop: Loop) -> None:
    """Store weights, curves and counts in the estimator."""
    run, history = loop.run, loop.run.history
    keep_weights(estimator, run)
    estimator.t_ += len(history) * run.n_train
    estimator._continuation = Continuation.of(loop) if run.epoch else None
    keep_curves(estimator, run)


def _note_divergence(estimator: Any) -> None:
    """Count the epoch in which training diverged, and extend the curves by it."""
    estimator.n_iter_ += 1
    for curve in (
        estimator.loss_curve_, estimator.validation_scores_, estimator.validation_loss_curve_
    ):  # fmt: skip
        curve.append(math.nan)
