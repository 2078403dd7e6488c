"""Valid parameters of the estimators, with scikit-learn's constraints and messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import (
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from ..base.errors import ConfigError
from ..base.random import MOST_MODELS
from ..ops.activations import ACTIVATIONS
from ..ops.initializers import INITIALIZERS
from ..ops.layers import Layer
from ..ops.losses import LOSSES
from ..ops.optimizers import OPTIMIZERS
from ..ops.scalers import SCALERS
from ..ops.schedules import SCHEDULES
from ..ops.spec import Registry


@cache
def valid_defaults(kind: Any) -> dict[str, Any]:
    """Return the defaults of an estimator's parameters that its constraints allow.

    They are checked once for a class: a check of all parameters takes as long as two epochs.
    """
    constraints = kind._parameter_constraints
    found: dict[str, Any] = {}
    for name, parameter in signature(kind).parameters.items():
        with suppress(ValueError):
            default = {name: parameter.default}
            validate_parameter_constraints(constraints, default, kind.__name__)
            found |= default
    return found


@contextmanager
def named_as_parameters(estimator: Any) -> Iterator[None]:
    """Name the invalid parameter of the estimator for a refused setting.

    ``partial_fit`` checks the parameters at its first call only, and they may change after it.
    """
    try:
        yield
    except ConfigError as error:
        try:
            estimator._validate_params()
        except ValueError as invalid:
            raise invalid from error
        raise


class SpecOf(StrOptions):
    """A name of a registry, or a name with parameters: ``leaky_relu(0.02)``.

    Parameters
    ----------
    registry : Registry
    *others : str
        Further names that are allowed.
    several : bool, default False
        Whether a list or tuple of such is asked for.
    """

    def __init__(self, registry: Registry[Any], *others: str, several: bool = False):
        super().__init__({*registry.names(), *others})
        self.registry, self.others, self.several = registry, others, several

    def is_satisfied_by(self, val: Any) -> bool:
        if self.several:
            return isinstance(val, (list, tuple)) and all(self._names_one(item) for item in val)
        return self._names_one(val)

    def _names_one(self, val: Any) -> bool:
        if not isinstance(val, str):
            return False
        if val in self.others:
            return True
        try:
            self.registry.parse(val)
        except ConfigError:
            return False
        return True

    def __str__(self) -> str:
        names = ", ".join(repr(name) for name in sorted(self.options))
        what = "a list of one str for each hidden layer" if self.several else "a str"
        return f"{what} among {{{names}}} (with parameters if wanted, like name(key=0.5))"


_COUNT = Interval(Integral, 1, None, closed="left")
_SHARE = Interval(Real, 0, 1, closed="left")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")

SHARED: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", _COUNT],
    "activation": [SpecOf(ACTIVATIONS, "logistic"), SpecOf(ACTIVATIONS, "logistic", several=True)],
    "solver": [SpecOf(OPTIMIZERS, "lbfgs")],
    "alpha": [_NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), _COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [_POSITIVE],
    "power_t": [_NOT_NEGATIVE],
    "max_iter": [_COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [_NOT_NEGATIVE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [_SHARE],
    "beta_1": [_SHARE],
    "beta_2": [_SHARE],
    "epsilon": [_POSITIVE],
    "n_iter_no_change": [_COUNT, Options(Real, {np.inf})],
    "max_fun": [_COUNT],
    "schedule": [SpecOf(SCHEDULES), None],
    "dropout": [_SHARE, "array-like"],
    "layers": [str, Layer, list, tuple, None],
    "input_shape": ["array-like", None],
    "scale": [SpecOf(SCALERS), None],
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    "min_frequency": [_COUNT],
    "weight_init": [SpecOf(INITIALIZERS), None],
    "bias_init": [SpecOf(INITIALIZERS), None],
    "recipe": [str, None],
    "n_models": [Interval(Integral, 1, MOST_MODELS, closed="both")],
    "n_threads": [_COUNT, None],
    "callbacks": [list, tuple, None],
}
CLASSIFIER: dict[str, Any] = {
    **SHARED,
    "loss": [SpecOf(LOSSES, "log_loss")],
    "class_weight": [dict, list, StrOptions({"balanced"}), None],
    "label_smoothing": [_SHARE],
}
REGRESSOR: dict[str, Any] = {**SHARED, "loss": [SpecOf(LOSSES)]}
