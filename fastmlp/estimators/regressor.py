"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils.metaestimators import available_if

from ..base.errors import DataError
from ..model.averaging import check_several, deviation_of, mean_of
from ..model.task import Task
from ..ops.losses import LOSSES
from .base import BaseMLP
from .constraints import REGRESSOR
from .documentation import documented
from .rows import plain_rows
from .targets import check_outputs, flat, real_numbers


@documented
class MLPRegressor(RegressorMixin, BaseMLP):
    """Multilayer perceptron for regression, a replacement of scikit-learn's class of this name.

    The parameters down to ``max_fun`` are scikit-learn 1.9's, with its meanings and defaults, and
    the same ``random_state`` gives its results but for rounding. docs/estimators.md says what is
    the same and what is new.

    Parameters
    ----------
    loss : str, default="squared_error"
        ``squared_error``, ``poisson`` (for y of at least 0), or another of fastmlp's for numbers:
        ``absolute_error``, ``huber(delta=1)``, ``mean_squared_error``.
    {parameters}
    {further_parameters}

    Attributes
    ----------
    validation_scores_, validation_loss_curve_ : list of float or None
        R² and loss (without the penalty) on the validation rows after each epoch, if there
        are any.
    {attributes}

    Examples
    --------
    >>> from fastmlp import MLPRegressor
    >>> from sklearn.datasets import make_regression
    >>> X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> model = MLPRegressor(random_state=1, max_iter=2000, tol=0.1).fit(X[:150], y[:150])
    >>> round(model.score(X[150:], y[150:]), 1)
    1.0
    """

    _parameter_constraints: dict[str, Any] = REGRESSOR
    loss: Any = "squared_error"
    _target_checks: ClassVar[dict[str, Any]] = {"y_numeric": True}

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        schedule: str | None = None,
        dropout: Any = 0.0,
        weight_init: str | None = None,
        bias_init: str | None = None,
        layers: Any = None,
        input_shape: Any = None,
        scale: str | None = None,
        categorical_features: Any = "from_dtype",
        min_frequency: int = 5,
        recipe: str | None = None,
        n_models: int = 1,
        n_threads: int | None = None,
        callbacks: Any = None,
    ):
        self._set_parameters(locals())

    @available_if(lambda estimator: estimator._is_stochastic())
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train one epoch more on some rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, n_features)
        y : array-like of shape (n,) or (n, n_outputs)
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation between the models, too.

        Returns
        -------
        y : ndarray, shape (n,) or (n, n_outputs)
        std : ndarray of the same shape
            With ``return_std``, which needs ``n_models`` of 2 or more.
        """
        if not return_std:
            return self._shaped(self._outputs(X))
        of_models = self._outputs_of_models(X)
        check_several(len(of_models))
        return self._shaped(mean_of(of_models)), self._shaped(deviation_of(of_models))

    def _shaped(self, outputs: np.ndarray) -> np.ndarray:
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def _plain_target(self, y: Any, name: str) -> Any:
        return real_numbers(plain_rows(y, name), name)

    def _check_target(self, y: Any, first: bool, incremental: bool) -> tuple[np.ndarray, Task]:
        y = flat(y)
        if not first:
            check_outputs(y, "y", self.n_outputs_)
        self._check_sign(y, "y")
        return y, Task("regression", 1 if y.ndim == 1 else y.shape[1])

    def _check_validation_target(self, y: Any) -> np.ndarray:
        y = flat(y)
        check_outputs(y, "y_val", self.n_outputs_)
        self._check_sign(y, "y_val")
        return y

    def _check_sign(self, y: np.ndarray, name: str) -> None:
        if self.loss is None:  # the recipe's, which is checked when the data are resolved
            return
        least, _ = LOSSES.parse(self.loss).target_range
        if np.any(y < least):
            raise DataError(
                f"{name} must be at least {least:g} for loss {self.loss!r}; use 'squared_error'"
            )
