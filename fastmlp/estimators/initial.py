"""The weights that an estimator starts from: drawn as scikit-learn draws them, or its own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..base.random import Purpose, stream
from ..ops.activations import ACTIVATIONS
from ..ops.initializers import INITIALIZERS

Layers = tuple[list[np.ndarray], list[np.ndarray]]


def draw_layers(
    estimator: Any,
    units: list[int],
    dtype: np.dtype,
    random_state: np.random.RandomState,
    seed: int,
) -> Layers:
    """Return weights (n_in, n_out) and biases (n_out,) of each layer.

    Without ``weight_init`` and ``bias_init`` they are the numbers that scikit-learn draws from the
    same random state: U(-b, b), b = sqrt(6 / (n_in + n_out)), for the logistic activation
    sqrt(2 / ...) (Glorot & Bengio 2010); biases likewise.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    units : list of int
        Inputs, hidden layers, outputs.
    dtype : dtype
    random_state : RandomState
        Its state advances by the numbers drawn.
    seed : int
        Of the streams from which ``weight_init`` and ``bias_init`` draw.
    """
    weights: list[np.ndarray] = []
    biases: list[np.ndarray] = []
    for layer, (n_in, n_out) in enumerate(pairwise(units)):
        bound = np.sqrt(_factor(estimator, layer) / (n_in + n_out))
        for kind, shape, fans, arrays in (
            ("weight_init", (n_in, n_out), (n_in, n_out), weights),
            ("bias_init", (n_out,), (n_out, n_out), biases),
        ):
            spec = getattr(estimator, kind)
            if spec is None:
                drawn = random_state.uniform(-bound, bound, shape)
            else:
                purpose = Purpose.WEIGHTS if kind == "weight_init" else Purpose.BIASES
                rng = stream(seed, purpose, step=layer)
                drawn = INITIALIZERS.parse(spec).sample(rng, shape, *fans)
            arrays.append(drawn.astype(dtype, copy=False))
    return weights, biases


def check_layers(estimator: Any, units: list[int]) -> None:
    """Refuse layers that differ from those of the existing weights."""
    weights = estimator.coefs_
    own = [array.shape[0] for array in weights] + [weights[-1].shape[1]]
    if units != own:
        raise ConfigError(
            f"hidden_layer_sizes must be {tuple(own[1:-1])} to train these weights further, "
            f"which lead from {own[0]} features to {own[-1]} outputs, got {tuple(units[1:-1])} "
            f"with {units[0]} features and {units[-1]} outputs; set it back, or start again by "
            "fit with warm_start=False"
        )


def _factor(estimator: Any, layer: int) -> float:
    """Return Glorot's factor by the activation of the layer, the last hidden one's for outputs."""
    activation = estimator.activation
    if not isinstance(activation, str):
        activation = [*activation, "identity"][min(layer, len(activation) - 1)]
    return ACTIVATIONS.parse(activation).sklearn_init_factor
