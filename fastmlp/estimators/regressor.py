"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils.metaestimators import available_if

from ..base.errors import DataError
from ..model.task import Task
from ..ops.losses import LOSSES
from .base import BaseMLP
from .constraints import REGRESSOR
from .rows import plain_rows
from .targets import check_outputs, flat, real_numbers


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
    hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
        Units of each hidden layer.
    activation : str or list of str, default="relu"
        Of the hidden layers: ``identity``, ``logistic``, ``tanh``, ``relu``, or another of
        fastmlp's such as ``gelu`` and ``leaky_relu(0.02)``; a list gives each layer its own.
    solver : str, default="adam"
        ``lbfgs``, ``sgd`` and ``adam`` as in scikit-learn, which take their settings from the
        parameters below; or another of fastmlp's optimizers with its own settings, such as
        ``adamw(weight_decay=0.05)`` and ``rmsprop``.
    alpha : float, default=0.0001
        Strength of the L2 penalty, alpha / (2 rows of the batch) Σ w².
    batch_size : int, default="auto"
        Rows of an update; auto: 200, or all where there are fewer. Not for lbfgs.
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        How the rate of sgd changes; see ``schedule`` for other solvers.
    learning_rate_init : float, default=0.001
        The rate at the start. Not for lbfgs.
    power_t : float, default=0.5
        The exponent of invscaling.
    max_iter : int, default=200
        At most how many epochs; of lbfgs, iterations.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    random_state : int, RandomState instance or None, default=None
        Of first weights, held-out rows and orders, which are scikit-learn's for the same state.
    tol : float, default=1e-4
        By how much an epoch has to improve on the best loss, or score, to count.
    verbose : bool, default=False
        Whether to print losses to stdout.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights of the last one.
    momentum : float, default=0.9
        Of sgd.
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether to stop by the score on held-out rows, whose best weights are then kept, and not by
        the training loss.
    validation_fraction : float, default=0.1
        Share of the rows held out, unless ``fit`` is given ``X_val``.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of adam.
    n_iter_no_change : int, default=10
        Stop after more than this number of consecutive epochs without improvement.
    max_fun : int, default=15000
        At most how many evaluations, for lbfgs.
    schedule : str or None, default=None
        A schedule of fastmlp's, such as ``cosine(warmup=2)`` or ``plateau(patience=3)``, in place
        of ``learning_rate`` and with every solver but lbfgs.
    dropout : float or list of float, default=0.0
        Share of the hidden units dropped in training, of all layers or of each. Not with lbfgs.
    weight_init, bias_init : str or None, default=None
        An initializer of fastmlp's, such as ``he_normal``; None: as in scikit-learn.
    n_threads : int or None, default=None
        At most how many threads; None: the CPUs that the process may use. Changes no bit.
    callbacks : list or None, default=None
        Of ``fastmlp.Callback``, or of scikit-learn's protocol as ``set_callbacks`` takes them.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights, shape (n_in, n_out), and biases, shape (n_out,), of each layer.
    loss_, best_loss_ : float
        The last and the lowest training loss, penalty included; ``best_loss_`` is None with early
        stopping.
    loss_curve_ : list of float
        The training loss of each epoch; of lbfgs, of each iteration.
    validation_scores_, validation_loss_curve_ : list of float or None
        R² and loss (without the penalty) on the validation rows after each epoch, if there
        are any.
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs of the last fit, and samples gone through in all.
    n_layers_, n_outputs_ : int
    out_activation_ : str
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X has such names.

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
        n_threads: int | None = None,
        callbacks: Any = None,
    ):
        self._set_parameters(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None
    ) -> MLPRegressor:
        """Train from new weights, or with ``warm_start`` from the old ones.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, n_features)
        y : array-like of shape (n,) or (n, n_outputs)
        sample_weight : array-like of shape (n,), default=None
        X_val, y_val : array-like, default=None
            Validation rows, evaluated after each epoch; with early stopping instead of held-out
            ones.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

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

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, n_features)

        Returns
        -------
        y : ndarray, shape (n,) or (n, n_outputs)
        """
        outputs = self._outputs(X)
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
        least, _ = LOSSES.parse(self.loss).target_range
        if np.any(y < least):
            raise DataError(
                f"{name} must be at least {least:g} for loss {self.loss!r}; use 'squared_error'"
            )
