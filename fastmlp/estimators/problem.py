"""The checked data of a fit, and their parts for training and validation."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import DataError
from ..data.split import Parts
from ..model.launch import WORTH_A_TEAM, check_threads
from ..model.task import Task
from ..training.prepare import Prepared
from ..training.turns import Turn
from .translate import Circumstances, loss_and_output


def _warn_caller(text: str, category: type[Warning]) -> None:
    """Warn the caller of ``fit``, from a solver."""
    warnings.warn(text, category, stacklevel=7)


@dataclass
class Problem:
    """The checked data and the initial state of a fit.

    Attributes
    ----------
    X, y : ndarray
        Rows and labels, indicators or numbers.
    sample_weight : ndarray, shape (n,), or None
    validation : (ndarray, ndarray) or None
        The rows and targets given for validation.
    task : Task
    random_state : RandomState
    seed : int
        Of dropout, and of initializers.
    incremental : bool
        Whether it is one more epoch of ``partial_fit``.
    accept : callable
        Called once the estimator holds the trained weights; a later error then keeps them.
    parts : Parts or None
        The parts of a table, which are split before they are encoded; of an ensemble, those of its
        first model.
    prepared : Prepared or None
        Of an ensemble: the parts for kernels, which its models share.
    number : int
        Of the model in an ensemble, from 1.
    turn : Turn or None
        Of the model in an ensemble.
    warn : callable
        Called with a text and a category.
    """

    X: Any
    y: np.ndarray
    sample_weight: np.ndarray | None
    validation: tuple[Any, np.ndarray] | None
    task: Task
    random_state: np.random.RandomState
    seed: int
    incremental: bool
    accept: Callable[[], None] = lambda: None
    parts: Parts | None = None
    prepared: Prepared | None = None
    number: int = 1
    turn: Turn | None = None
    warn: Callable[[str, type[Warning]], None] = _warn_caller


def circumstances(estimator: Any, problem: Problem, parts: Parts, dtype: str) -> Circumstances:
    """Return the facts that settings depend on."""
    loss, output = loss_and_output(estimator.loss, problem.task.kind)
    return Circumstances(
        task=problem.task.kind,
        loss=loss,
        output=output,
        dtype=dtype,
        rows=parts.X_train.shape[0],
        weighted=parts.weight_train is not None,
        validation=parts.X_validation is not None,
        samples_seen=int(estimator.t_),
        incremental=problem.incremental,
        seed=problem.seed,
    )


def split(estimator: Any, problem: Problem) -> Parts:
    """Return the parts of a fit: the rows given for validation, or some held out for stopping.

    Rows are held out as scikit-learn does it, by the same random numbers.

    Raises
    ------
    ValueError
        If less than two rows would be held out, or all of them have weight 0.
    """
    if problem.parts is not None:
        return problem.parts
    X, y, weight = problem.X, problem.y, problem.sample_weight
    if problem.validation is not None:
        X_val, y_val = problem.validation
        return Parts(X, y, X_val, y_val, None, None, weight)
    if not estimator.early_stopping or estimator.solver == "lbfgs":
        return Parts(X, y, None, None, None, None, weight)
    # Not at the top: it takes most of a second to import.
    from sklearn.model_selection import train_test_split

    train, held_out = train_test_split(
        np.arange(X.shape[0]),
        random_state=problem.random_state,
        test_size=estimator.validation_fraction,
        stratify=y if problem.task.kind == "binary" else None,
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' "
            "or the size of your dataset."
        )
    weights = (None, None) if weight is None else (weight[train], weight[held_out])
    if weights[1] is not None and not weights[1].any():
        raise DataError(
            f"some row held out for early_stopping must have a weight above 0, got 0 for all "
            f"{len(held_out)}; raise validation_fraction, drop the rows of weight 0, or pass X_val "
            "and y_val"
        )
    return Parts(X[train], y[train], X[held_out], y[held_out], None, None, *weights)


def warn_of_batch_size(estimator: Any, rows: int) -> None:
    """Warn of a batch larger than the data, as scikit-learn does."""
    if not isinstance(estimator.batch_size, str) and estimator.batch_size > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=8,
        )


def team(estimator: Any, work: float) -> int:
    """Return the number of threads for ``work`` multiply-adds.

    At most ``n_threads``, the usable CPUs and ``OMP_NUM_THREADS``, which loky sets to divide the
    CPUs among its workers.
    """
    if work < WORTH_A_TEAM:
        return 1
    limits = [check_threads(None)]
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    if allowed.isdecimal():
        limits.append(max(1, int(allowed)))
    if estimator.n_threads is not None:
        limits.append(int(estimator.n_threads))
    return min(limits)
