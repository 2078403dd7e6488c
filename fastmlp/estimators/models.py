"""The models of an estimator with ``n_models``: an estimator for each, trained side by side."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.parallel import _get_threadpool_controller

from ..base.errors import ConfigError
from ..base.random import model_seed
from ..training.callbacks import Callback
from ..training.side_by_side import side_by_side
from ..training.turns import Turn, Turns
from .problem import Problem, split, team
from .running import Diverged
from .translate import LBFGS

Note = tuple[str, type[Warning]]
Solve = Callable[[Any, Problem, list[Callback]], None]
# What a fit leaves in the estimator of a model.
_FITTED = (
    "coefs_", "intercepts_", "n_iter_", "t_", "loss_", "loss_curve_", "best_loss_",
    "best_validation_score_", "validation_scores_", "validation_loss_curve_", "_continuation",
)  # fmt: skip


def models_of(estimator: Any) -> list[Any]:
    """Return what holds the weights of each model: the estimator itself, then the others."""
    return [estimator, *getattr(estimator, "estimators_", ())[1:]]


def fit_models(
    estimator: Any, problem: Problem, first: bool, callbacks: list[Callback], solve: Solve
) -> None:
    """Train the model of an estimator, or several of them, and store the results.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        With the weights of the first model.
    problem : Problem
    first : bool
        Whether the weights are new.
    callbacks : list of Callback
    solve : callable
        Trains one model.

    Raises
    ------
    ConfigError
        If weights are to be trained further, of another number of models.
    ValueError
        If all models diverge.
    """
    n_models = int(estimator.n_models)
    if not first and estimator._n_models != n_models:
        raise ConfigError(
            f"n_models must be {estimator._n_models} to train these further, got {n_models}; set "
            "it back, or start again by fit with warm_start=False"
        )
    estimator._n_models = n_models
    if n_models == 1:
        vars(estimator).pop("estimators_", None)
        solve(estimator, problem, callbacks)
        return
    problem.parts = split(estimator, problem)
    is_lbfgs = estimator.solver == LBFGS
    # Here, because each model would restore what it found, in any order.
    one_blas_thread = _get_threadpool_controller().limit(limits=1, user_api="blas")
    with one_blas_thread if is_lbfgs else nullcontext():
        models = Models(estimator, problem, first)
        models.fit(callbacks, solve)
    _warn_of(problem, models.notes())


class Models:
    """The models of a fit.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        The first model; receives the results.
    problem : Problem
        Of the first model, with its parts.
    first : bool
        Whether the weights are new.
    """

    def __init__(self, estimator: Any, problem: Problem, first: bool):
        self.estimator, self.problem = estimator, problem
        # The solvers of all models change their problem; that of the estimator stays as it is.
        self.models = [(estimator, replace(problem))]
        if first:
            seed = _seed(estimator.random_state, problem.random_state)
            numbers = range(2, estimator.n_models + 1)
            others = [_model(estimator, model_seed(seed, number)) for number in numbers]
        else:
            others = [_model_further(estimator, model) for model in models_of(estimator)[1:]]
        for model in others:
            random_state = check_random_state(model.random_state)
            own = replace(problem, random_state=random_state, seed=model._draw_seed(random_state))
            model._begin(own, first)
            self.models.append((model, own))
        self._trained: set[int] = set()
        self._diverged: dict[int, Diverged] = {}
        self._notes: dict[Note, list[int]] = {}

    def fit(self, callbacks: list[Callback], solve: Solve) -> None:
        """Train all models; see :func:`fit_models`."""
        accept, n_models = self.problem.accept, len(self.models)
        of_models = [
            [callback.of_model(number) for callback in callbacks]
            for number in range(1, n_models + 1)
        ]
        turns = Turns(team(self.estimator, math.inf), n_models)
        try:
            side_by_side(
                turns,
                lambda number, turn: self._fit_one(number, turn, of_models[number - 1], solve),
            )
        except BaseException:
            if self._trained:
                self._store()
                accept()
            raise
        if len(self._diverged) == n_models:
            raise self._diverged[1]
        self._store()

    def _fit_one(self, number: int, turn: Turn, callbacks: list[Callback], solve: Solve) -> None:
        model, problem = self.models[number - 1]
        problem.number, problem.turn = number, turn
        problem.prepared = self.models[0][1].prepared  # of the first model, which begins alone
        problem.accept = partial(self._trained.add, number)
        problem.warn = partial(self._note, number)
        try:
            solve(model, problem, callbacks)
        except Diverged as error:
            self._diverged[number] = error
        else:
            if model.n_iter_:  # else it was interrupted
                self._trained.add(number)

    def _note(self, number: int, text: str, category: type[Warning]) -> None:
        self._notes.setdefault((text, category), []).append(number)

    def _store(self) -> None:
        """Give the estimator the trained models; of none, the first as it is."""
        kept = [self.models[number - 1][0] for number in sorted(self._trained)]
        kept = kept or [self.estimator]
        if kept[0] is not self.estimator:
            _copy_fitted(kept[0], self.estimator)
        else:
            kept[0] = _model(self.estimator, self.estimator.random_state)
        self.estimator.estimators_ = kept

    def notes(self) -> list[Note]:
        """Return what models have warned of, each text once, and which models are left out."""
        of = f"of {len(self.models)}"
        left_out = [
            (f"model {number} {of} is left out of the ensemble: {error}", RuntimeWarning)
            for number, error in sorted(self._diverged.items())
        ]
        return [
            *left_out,
            *(
                (f"{text} (models {', '.join(map(str, sorted(numbers)))} {of})", category)
                for (text, category), numbers in self._notes.items()
            ),
        ]


def _warn_of(problem: Problem, notes: Iterable[Note]) -> None:
    for note in notes:
        problem.warn(*note)


def _seed(given: Any, random_state: np.random.RandomState) -> int:
    """Return the seed of an ensemble; draws nothing from the random state."""
    if given is not None and not isinstance(given, np.random.RandomState):
        return int(given)
    copied: np.random.RandomState = copy.deepcopy(random_state)
    return int(copied.randint(2**32, dtype=np.uint64))


def _model(estimator: Any, random_state: Any) -> Any:
    """Return a copy of an estimator for one of its models."""
    model = copy.copy(estimator)
    vars(model).pop("estimators_", None)
    model.n_models, model._n_models, model.random_state = 1, 1, random_state
    return model


def _model_further(estimator: Any, before: Any) -> Any:
    """Return a copy of an estimator with the results of one of its models."""
    model = _model(estimator, before.random_state)
    _copy_fitted(before, model)
    return model


def _copy_fitted(source: Any, target: Any) -> None:
    found = vars(source)
    vars(target).update({name: found[name] for name in _FITTED if name in found})
