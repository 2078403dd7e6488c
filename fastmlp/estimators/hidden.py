"""The hidden layers of an estimator: sizes, or a list of layers; the shape of its images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import ConfigError, DataError
from ..base.image_rows import rows_of_images
from ..model.evaluator import NetworkLayout
from ..model.memory import float_dtype
from ..ops.activations import ACTIVATIONS
from ..ops.layer_lists import dense_layers, parse_layers, shapes
from ..ops.layers import Dense, Layer, Pair, Shape
from .rows import plain_rows

# The default of hidden_layer_sizes, which a list of layers replaces.
DEFAULT_SIZES = (100,)


class Matrix(NamedTuple):
    """The weights of a layer: shape, and the fans and activation for their initial values."""

    shape: Pair
    fans: Pair
    activation: str


def has_layers(estimator: Any) -> bool:
    """Whether the hidden layers are given as a list of layers."""
    layers = estimator.layers
    return layers is not None and (isinstance(layers, Layer) or len(layers) > 0)


def hidden_sizes(estimator: Any) -> list[int]:
    """Return the sizes of the hidden layers.

    Raises
    ------
    ValueError
        If one is no integer, or not above 0.
    """
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if not all(isinstance(size, Integral) for size in sizes):
        raise ConfigError(
            f"hidden_layer_sizes must hold integers, got {sizes}; give one int for each layer"
        )
    if np.any(np.array(sizes) <= 0):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def hidden_layers(estimator: Any) -> tuple[Layer, ...]:
    """Return the list of layers, each with its activation.

    Raises
    ------
    ConfigError
        For a layer that cannot be read, or parameters that the list would ignore.
    """
    activation = estimator.activation
    if not isinstance(activation, str):
        raise ConfigError(
            f"activation must be a str beside layers, got {activation!r}; write dense(64, tanh) "
            "in layers"
        )
    for name, default, remedy in (
        ("hidden_layer_sizes", DEFAULT_SIZES, "write dense(64) in layers"),
        ("dropout", 0, "write dropout(0.2) in layers"),
    ):
        value = getattr(estimator, name)
        if not np.array_equal(value, default):
            raise ConfigError(f"{name} does not go with layers, got {value!r}; {remedy}")
    completed = str(ACTIVATIONS.parse(activation))
    return tuple(layer.complete(completed) for layer in parse_layers(estimator.layers))


def drops_units(estimator: Any) -> bool:
    """Whether dropout draws random numbers in training."""
    if has_layers(estimator):
        return any(layer.trains_only for layer in parse_layers(estimator.layers))
    return bool(np.any(np.asarray(estimator.dropout) > 0))


def shape_of(estimator: Any) -> Shape | None:
    """Return the parameter ``input_shape`` as integers, or None.

    Raises
    ------
    ConfigError
        Unless it is three integers, beside ``layers``.
    """
    if estimator.input_shape is None:
        return None
    shape = tuple(estimator.input_shape)
    if not has_layers(estimator):
        raise ConfigError(
            f"input_shape is the shape of the images that layers take, got {shape} without layers; "
            "add layers, or leave it out"
        )
    if len(shape) != 3 or not all(isinstance(size, Integral) and int(size) > 0 for size in shape):
        raise ConfigError(
            f"input_shape must be height, width and channels, such as (28, 28, 1), got {shape}"
        )
    return tuple(map(int, shape))


def rows_of(estimator: Any, X: Any, name: str, are_images: bool, reset: bool = False) -> Any:
    """Return plain rows from masked arrays and, with a list of layers, from images.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X : array_like or sparse matrix
    name : str
        What the error messages call it.
    are_images : bool
        Whether a list of layers takes them.
    reset : bool, default False
        Whether they are the first rows of a new network, which decide on the shape of its images.

    Raises
    ------
    DataError
        For masked values, and for images of another shape than those of the fit.
    """
    X = plain_rows(X, name)
    if reset:
        estimator._input_shape = shape_of(estimator) or ()
    if not are_images:
        return X
    X, shape = rows_of_images(X, estimator._input_shape)
    if reset and not estimator._input_shape:
        estimator._input_shape = shape or ()
    if shape is not None and estimator._input_shape not in ((), shape):
        raise DataError(f"{name} must hold images of {estimator._input_shape}, got {shape}")
    return X


def matrices_of(estimator: Any, n_features: int, n_outputs: int) -> list[Matrix]:
    """Return the weights that the parameters ask for.

    Raises
    ------
    ConfigError
        If layers do not fit each other, or the features.
    """
    if not has_layers(estimator):
        return _matrices_of_sizes(estimator, n_features, n_outputs)
    shape = estimator._input_shape or (n_features,)
    _check_shape(estimator, shape, n_features)
    layers = (*hidden_layers(estimator), Dense(n_outputs))
    return _matrices(layers, shape, estimator.activation)


def network_layout(estimator: Any) -> NetworkLayout:
    """Return the layout of the network with the current weights.

    Raises
    ------
    ConfigError
        If weights of a layer are missing, or too many.
    """
    names = {record.sklearn_name: name for name, record in ACTIVATIONS.records.items()}
    output = names.get(estimator.out_activation_, estimator.out_activation_)
    weights = estimator.coefs_
    if len(weights) != estimator.n_layers_ - 1:
        raise ConfigError(
            f"coefs_ must hold {estimator.n_layers_ - 1} arrays, one for each layer with weights, "
            f"got {len(weights)}; assign all, or fit again"
        )
    dtype = float_dtype(weights[0].dtype)
    if estimator._layers:
        layers = (*estimator._layers, Dense(weights[-1].shape[1], output))
        shape = estimator._input_shape or (estimator.n_features_in_,)
        return NetworkLayout(layers, shape, dtype)
    # As in the fit, also after set_params.
    hidden: Any = getattr(estimator, "_hidden_activation", estimator.activation)
    if isinstance(hidden, str):
        hidden = [hidden] * (estimator.n_layers_ - 2)
    activations = [ACTIVATIONS.parse(name) for name in (*hidden, output)]
    found = dense_layers((array.shape[1] for array in weights), activations)
    return NetworkLayout(tuple(found), (weights[0].shape[0],), dtype)


def _matrices(layers: Sequence[Layer], input_shape: Shape, otherwise: str) -> list[Matrix]:
    """Return the weights of layers, the output layer last.

    Parameters
    ----------
    layers : sequence of Layer
    input_shape : tuple of int
    otherwise : str
        The activation that scales the output layer's initial weights if there are no hidden
        layers. Otherwise the last hidden layer's activation scales them, as in scikit-learn.
    """
    found: list[Matrix] = []
    for layer, inputs in zip(layers, shapes(layers, input_shape), strict=False):
        shape = layer.matrix_shape(inputs)
        if shape[1]:
            activation = getattr(layer, "activation", "identity")
            found.append(Matrix(shape, layer.fans(inputs), activation))
    last = found[-2].activation if len(found) > 1 else otherwise
    return [*found[:-1], found[-1]._replace(activation=last)]


def _matrices_of_sizes(estimator: Any, n_features: int, n_outputs: int) -> list[Matrix]:
    """Return the weights of the network that ``hidden_layer_sizes`` gives."""
    sizes, activation = hidden_sizes(estimator), estimator.activation
    same, otherwise = (activation, activation) if isinstance(activation, str) else ("", "identity")
    # The config refuses lists of activations of another length.
    activations = [same] * len(sizes) if same else [*activation, *["identity"] * len(sizes)]
    layers = [Dense(*pair) for pair in zip(sizes, activations, strict=False)]
    return _matrices([*layers, Dense(n_outputs)], (n_features,), otherwise)


def _check_shape(estimator: Any, shape: Shape, n_features: int) -> None:
    """Raise ConfigError unless the shape of the fit is that asked for, and fits the features."""
    if math.prod(shape) != n_features:
        raise ConfigError(
            f"input_shape must multiply to the number of features, {n_features}, got {shape}; give "
            "the height, the width and the channels of the images"
        )
    asked = shape_of(estimator)
    if asked not in (None, shape):
        wanted = shape if len(shape) == 3 else None
        raise ConfigError(
            f"input_shape must be {wanted} to train these weights further, got {asked}; set it "
            "back, or start again by fit with warm_start=False"
        )
