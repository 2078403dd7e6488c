"""Common base of both estimators: checks, initial weights, choice of the solver, predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from ..base.table_rows import is_table
from ..model.averaging import mean_of
from ..model.task import Task
from ..ops.activations import ACTIVATIONS
from ..ops.kinds import DEFAULT_MIN_FREQUENCY
from ..ops.layers import Layer, Shape
from ..ops.scalers import Scaling
from ..ops.table_encoding import TableEncoding
from ..training.continuation import Continuation
from .callbacks import epoch_tasks, new_context, sort_callbacks
from .constraints import named_as_parameters
from .exporting import Exporting
from .hidden import (
    Matrix,
    drops_units,
    has_layers,
    hidden_layers,
    matrices_of,
    rows_of,
)
from .initial import check_layers, draw_layers
from .lbfgs import fit_lbfgs
from .models import fit_models
from .predicting import DTYPES, outputs_of_models
from .problem import Problem
from .recipes import (
    TakesRecipe,
    fit_recipe,
    forget_recipe,
    recipe_outputs,
    recipe_outputs_of_models,
)
from .restoring import AsBefore
from .row_weights import checked_weights
from .rows import named_columns, plain_rows
from .stochastic import fit_stochastic
from .tables import FROM_DTYPE, check_table, encode_problem, takes_table
from .targets import check_target_names
from .translate import LBFGS, check_together, loss_and_output


class BaseMLP(Exporting, TakesRecipe, CallbackSupportMixin, BaseEstimator, ABC):
    """Base class of both estimators: fitting and predicting; subclasses handle targets."""

    _target_checks: ClassVar[dict[str, Any]] = {}
    _continuation: Continuation | None = None
    # Of the fit: the list of layers, empty without one, and the shape of images, empty for rows.
    _layers: tuple[Layer, ...] = ()
    _input_shape: Shape = ()
    # Of the fit: how columns of a table become features; None for rows of numbers.
    _encoding: TableEncoding | None = None
    _kinds: tuple[str, ...] = ()
    # How features are scaled, fitted at the first fit; None before.
    _scaling: Scaling | None = None
    # Of the fit.
    _n_models: int = 1
    # Parameters that scikit-learn's estimators lack: defaults for subclasses that do not set them.
    loss: Any
    schedule: Any = None
    dropout: Any = 0.0
    layers: Any = None
    input_shape: Any = None
    scale: Any = None
    categorical_features: Any = FROM_DTYPE
    min_frequency: Any = DEFAULT_MIN_FREQUENCY
    weight_init: Any = None
    bias_init: Any = None
    n_models: Any = 1
    n_threads: Any = None
    callbacks: Any = None
    best_loss_: float | None

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """Return the names of the parameters; each fit asks, and reading them takes 0.1 ms."""
        names: list[str] = super()._get_param_names()
        return names

    def _set_parameters(self, parameters: dict[str, Any]) -> None:
        """Keep the arguments of ``__init__`` as they are."""
        # Not by get_params: a subclass has other parameters.
        for name, value in parameters.items():
            if name != "self":
                setattr(self, name, value)

    # --- targets ---

    @abstractmethod
    def _check_target(self, y: Any, first: bool, incremental: bool) -> tuple[np.ndarray, Task]:
        """Return the targets as a Task encodes them, and the task."""

    @abstractmethod
    def _check_validation_target(self, y: Any) -> np.ndarray:
        """Return the targets of validation rows as a Task encodes them."""

    def _plain_target(self, y: Any, name: str) -> Any:
        """Return targets for scikit-learn's checks, which would change some."""
        return plain_rows(y, name)

    def _note_classes(self, y: Any, classes: Any) -> None:
        """Store the classes of the first call of ``partial_fit``."""

    def _row_weights(
        self, y: np.ndarray, sample_weight: np.ndarray | None, incremental: bool
    ) -> np.ndarray | None:
        """Return the weights of rows, multiplied by those of their classes."""
        return sample_weight

    # --- fitting ---

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None
    ) -> Self:
        """Train from new weights, or with ``warm_start`` from the old ones.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, n_features)
            Columns of a frame may hold categories, dates and, beside such, gaps.
        y : array-like of shape (n,) or (n, n_outputs)
            For a classifier, labels of any kind, or a column of 0 and 1 for each of several labels.
        sample_weight : array-like of shape (n,), default=None
        X_val, y_val : array-like, default=None
            Validation rows, evaluated after each epoch; with early stopping instead of held-out
            ones.

        Returns
        -------
        self
        """
        fitted: Self = self._fit(X, y, sample_weight, X_val, y_val)
        return fitted

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        incremental: bool = False,
        classes: Any = None,
    ) -> Any:
        if self.recipe is not None:
            with AsBefore(self), named_as_parameters(self):
                fit_recipe(self, X, y, sample_weight, X_val, y_val)
            return self
        forget_recipe(self)
        own, theirs = sort_callbacks(self.callbacks)
        context = new_context(self, theirs)
        check_target_names(y, y_val)
        with AsBefore(self) as as_before, named_as_parameters(self):
            first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
            given = X
            X, y = self._check_rows(X, y, "", reset=first)
            if incremental:
                self._note_classes(y, classes)
            weights = checked_weights(sample_weight, X)
            problem = self._problem(X, y, weights, X_val, y_val, first, incremental)
            problem.accept = as_before.accept
            if is_table(X):
                encode_problem(self, problem, first)
            self._begin(problem, first)
            data = {"X": given if is_table(X) else X, "y": y}
            if weights is not None:
                data["metadata"] = {"sample_weight": weights}
            context.call_on_fit_task_begin(estimator=self, **data)
            callbacks = [*own, *epoch_tasks(self, context, data, incremental)]
            solve = fit_lbfgs if self.solver == LBFGS else fit_stochastic
            fit_models(self, problem, first, callbacks, solve)
            as_before.accept()
            context.call_on_fit_task_end(estimator=self, **data, reconstruction_attributes=dict)
        return self

    def _problem(
        self,
        X: Any,
        y: Any,
        sample_weight: np.ndarray | None,
        X_val: Any,
        y_val: Any,
        first: bool,
        incremental: bool,
    ) -> Problem:
        """Return the checked data of a fit; draws a seed if one is needed."""
        target, task = self._check_target(y, first, incremental)
        check_together(self, task.kind)
        random_state = check_random_state(self.random_state)
        seed = self._draw_seed(random_state)
        self.n_outputs_ = task.n_outputs
        return Problem(
            X, target, self._row_weights(target, sample_weight, incremental),
            self._given_validation(X_val, y_val), task, random_state, seed, incremental,
        )  # fmt: skip

    def _check_rows(self, X: Any, y: Any, suffix: str, reset: bool) -> tuple[Any, Any]:
        """Return checked rows and targets; ``suffix`` completes the names X and y."""
        if takes_table(self, X, reset):
            return check_table(self, X, y, suffix, reset)
        X = rows_of(self, X, f"X{suffix}", has_layers(self), reset)
        y = self._plain_target(y, f"y{suffix}")
        with named_columns(X, f"X{suffix}"):
            return validate_data(
                self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=DTYPES,
                reset=reset, **self._target_checks,
            )  # fmt: skip

    def _given_validation(self, X_val: Any, y_val: Any) -> tuple[Any, np.ndarray] | None:
        if (X_val is None) != (y_val is None):
            missing = "y_val" if y_val is None else "X_val"
            raise ValueError(f"X_val and y_val must be given together, got no {missing}.")
        if X_val is None:
            return None
        X_val, y_val = self._check_rows(X_val, y_val, "_val", reset=False)
        return X_val, self._check_validation_target(y_val)

    def _draw_seed(self, random_state: np.random.RandomState) -> int:
        """Return a seed for draws that scikit-learn does not make; 0, without a draw, otherwise."""
        drawn = (self.weight_init, self.bias_init)
        if drawn == (None, None) and not drops_units(self):
            return 0
        return int(random_state.randint(np.iinfo(np.int32).max))

    def _begin(self, problem: Problem, first: bool) -> None:
        """Prepare the network's attributes: new ones, or those of the previous fit."""
        found = matrices_of(self, problem.X.shape[1], problem.task.n_outputs)
        if first:
            self._initialize(problem.X, found, problem)
        else:
            check_layers(self, found)
        self._layers = hidden_layers(self) if has_layers(self) else ()
        _, output = loss_and_output(self.loss, problem.task.kind)
        self.out_activation_ = ACTIVATIONS.parse(output).sklearn_name or output
        activation = self.activation
        self._hidden_activation = activation if isinstance(activation, str) else [*activation]
        stops_by_score = self.early_stopping and self.solver != LBFGS
        if stops_by_score or self.best_loss_ is None:
            self.best_loss_ = None if stops_by_score else np.inf

    def _initialize(self, X: Any, found: list[Matrix], problem: Problem) -> None:
        self.n_iter_, self.t_ = 0, 0
        self._scaling = None
        self.n_layers_ = len(found) + 1
        narrow = X.dtype == np.float32 and self.solver != LBFGS
        dtype = np.dtype(np.float32 if narrow else np.float64)
        self.coefs_, self.intercepts_ = draw_layers(
            self, found, dtype, problem.random_state, problem.seed
        )
        self._continuation = None
        self.loss_curve_: list[float] = []
        self.best_loss_ = None
        self.validation_scores_ = self.best_validation_score_ = None
        self.validation_loss_curve_ = None

    # --- predicting ---

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the mean of the models' outputs, shape (n, n_outputs)."""
        if hasattr(self, "predictor_"):
            return recipe_outputs(self, X)
        return mean_of(self._outputs_of_models(X))

    def _outputs_of_models(self, X: Any) -> list[np.ndarray]:
        """Return the outputs of each model, each of shape (n, n_outputs)."""
        if hasattr(self, "predictor_"):
            return recipe_outputs_of_models(self, X)
        return outputs_of_models(self, X)

    def _is_stochastic(self) -> bool:
        if self.recipe is not None:
            raise AttributeError("partial_fit is not available with a recipe; use fit")
        if self.solver == LBFGS:
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
