"""The settings of an estimator with a recipe: the recipe's, changed by given parameters."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from ..base.errors import ConfigError
from ..training.config import TrainConfig
from .hidden import hidden_sizes
from .translate import LBFGS, optimizer_of

# Settings that are used if the recipe stops by none, and early_stopping is True.
_PATIENCE, _HELD_OUT = 10, 0.1
# Parameters of scikit-learn's that have no setting, or that belong to a solver of its own.
_WITHOUT_SETTING = {
    "learning_rate": "use schedule",
    "power_t": "use schedule",
    "max_fun": "it is for solver 'lbfgs'",
    "warm_start": "fit with a recipe starts from new weights",
}
_OF_SOLVERS = ("momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon")


def _stopping(estimator: Any) -> dict[str, Any]:
    if not estimator.early_stopping:
        return {"early_stopping": 0}
    config = TrainConfig.from_recipe(estimator.recipe)
    found: dict[str, Any] = {}
    if not config.early_stopping:
        found["early_stopping"] = _PATIENCE + 1
    if not config.validation:
        found["validation"] = _HELD_OUT
    return found


def _patience(estimator: Any) -> dict[str, Any]:
    patience = estimator.n_iter_no_change
    # scikit-learn stops after more than n_iter_no_change epochs.
    found = {"early_stopping": 0 if math.isinf(patience) else int(patience) + 1}
    # Without early stopping it stops by the training loss.
    return found if estimator.early_stopping in (True, None) else found | {"monitor": "train_loss"}


def _loss(estimator: Any) -> dict[str, Any]:
    return {"loss": "auto" if estimator.loss == "log_loss" else estimator.loss}


# The settings of each parameter that a recipe may choose: None leaves the choice to it.
SETTINGS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "hidden_layer_sizes": lambda e: {"hidden_layer_sizes": tuple(hidden_sizes(e))},
    "activation": lambda e: {"activation": e.activation},
    "solver": lambda e: {"optimizer": optimizer_of(e)},
    "alpha": lambda e: {"l2": float(e.alpha), "penalty_per_row": True},
    "batch_size": lambda e: {"batch_size": 200 if e.batch_size == "auto" else e.batch_size},
    "learning_rate_init": lambda e: {"learning_rate": e.learning_rate_init},
    "max_iter": lambda e: {"epochs": e.max_iter},
    "shuffle": lambda e: {"sampling": "shuffle" if e.shuffle else "in_order"},
    "tol": lambda e: {"min_delta": e.tol, "improvement": "single"},
    "early_stopping": _stopping,
    "validation_fraction": lambda e: {"validation": e.validation_fraction},
    "n_iter_no_change": _patience,
    "loss": _loss,
    "label_smoothing": lambda e: {"label_smoothing": e.label_smoothing},
    "schedule": lambda e: {"schedule": e.schedule},
    "dropout": lambda e: {"dropout": e.dropout},
    "weight_init": lambda e: {"weight_init": e.weight_init},
    "bias_init": lambda e: {"bias_init": e.bias_init},
    "layers": lambda e: {"layers": e.layers},
    "input_shape": lambda e: {"input_shape": tuple(e.input_shape)},
    "min_frequency": lambda e: {"min_frequency": e.min_frequency},
    "scale": lambda e: {"scale": e.scale},
    "n_models": lambda e: {"n_models": e.n_models},
}


def open_parameters(estimator: Any) -> list[str]:
    """Return the parameters of an estimator, or its class, that a recipe may choose."""
    return [name for name in estimator._get_param_names() if name in SETTINGS]


def config_of(estimator: Any, seed: int) -> TrainConfig:
    """Return the settings of a fit: the recipe's, and in their place those of parameters.

    Raises
    ------
    ConfigError
        For an unknown recipe, or a parameter that would be ignored.
    """
    _check_parameters(estimator)
    changes: dict[str, Any] = {}
    for name in open_parameters(estimator):
        if getattr(estimator, name) is not None:
            changes |= SETTINGS[name](estimator)
    return TrainConfig.from_recipe(estimator.recipe).replace(
        **changes, data="auto", split="none", seed=seed
    )


def _check_parameters(estimator: Any) -> None:
    defaults = _defaults(type(estimator))
    for name, remedy in _WITHOUT_SETTING.items():
        value = getattr(estimator, name)
        if value != defaults[name]:
            raise ConfigError(f"{name} does not go with a recipe, got {value!r}; {remedy}")
    if estimator.solver == LBFGS:
        raise ConfigError("solver 'lbfgs' does not go with a recipe; use 'adam', or leave it out")
    for name in _OF_SOLVERS:
        value = getattr(estimator, name)
        if estimator.solver is None and value != defaults[name]:
            raise ConfigError(
                f"{name} belongs to a solver of the estimator's own, got {value!r} with the "
                "recipe's; give solver, too"
            )


def _defaults(kind: type) -> Mapping[str, Any]:
    from .base import BaseMLP

    # A subclass may have other parameters than the estimator that it is derived from.
    own = next(base for base in kind.__mro__ if BaseMLP in base.__bases__)
    return {name: p.default for name, p in inspect.signature(own).parameters.items()}
