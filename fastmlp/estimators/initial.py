"""The weights that an estimator starts from: drawn as scikit-learn draws them, or its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..base.random import Purpose, stream
from ..ops.activations import ACTIVATIONS
from ..ops.initializers import INITIALIZERS
from ..ops.layers import Pair
from .hidden import Matrix, has_layers

Layers = tuple[list[np.ndarray], list[np.ndarray]]


def draw_layers(
    estimator: Any,
    matrices: Sequence[Matrix],
    dtype: np.dtype,
    random_state: np.random.RandomState,
    seed: int,
) -> Layers:
    """Return weights (n_in, n_out) and biases (n_out,) of each layer with weights.

    Without ``weight_init`` and ``bias_init`` they are the numbers that scikit-learn draws from the
    same random state: U(-b, b), b = sqrt(6 / (fan_in + fan_out)), for the logistic activation
    sqrt(2 / ...) (Glorot & Bengio 2010); biases likewise. The fans of a convolution are Keras'.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    matrices : sequence of Matrix
        Of the layers with weights, the output layer last.
    dtype : dtype
    random_state : RandomState
        Its state advances by the numbers drawn.
    seed : int
        Of the streams from which ``weight_init`` and ``bias_init`` draw.
    """
    weights: list[np.ndarray] = []
    biases: list[np.ndarray] = []
    for layer, matrix in enumerate(matrices):
        n_out = matrix.shape[1]
        factor = ACTIVATIONS.parse(matrix.activation).sklearn_init_factor
        bound = np.sqrt(factor / sum(matrix.fans))
        kinds: tuple[tuple[str, tuple[int, ...], Pair, list[np.ndarray]], ...] = (
            ("weight_init", matrix.shape, matrix.fans, weights),
            ("bias_init", (n_out,), (n_out, n_out), biases),
        )
        for kind, shape, fans, arrays in kinds:
            spec = getattr(estimator, kind)
            if spec is None:
                drawn = random_state.uniform(-bound, bound, shape)
            else:
                purpose = Purpose.WEIGHTS if kind == "weight_init" else Purpose.BIASES
                rng = stream(seed, purpose, step=layer)
                drawn = INITIALIZERS.parse(spec).sample(rng, shape, *fans)
            arrays.append(drawn.astype(dtype, copy=False))
    return weights, biases


def check_layers(estimator: Any, matrices: Sequence[Matrix]) -> None:
    """Refuse layers that differ from those of the existing weights."""
    own = [array.shape for array in estimator.coefs_]
    wanted = [matrix.shape for matrix in matrices]
    if wanted == own:
        return
    if has_layers(estimator) or estimator._layers:
        raise ConfigError(
            f"layers must have weights of the shapes {_texts(own)} to train these further, got "
            f"{_texts(wanted)}; set them back, or start again by fit with warm_start=False"
        )
    units, sizes = ([matrix[0] for matrix in shapes] + [shapes[-1][1]] for shapes in (wanted, own))
    raise ConfigError(
        f"hidden_layer_sizes must be {tuple(sizes[1:-1])} to train these weights further, "
        f"which lead from {sizes[0]} features to {sizes[-1]} outputs, got {tuple(units[1:-1])} "
        f"with {units[0]} features and {units[-1]} outputs; set it back, or start again by "
        "fit with warm_start=False"
    )


def _texts(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))
