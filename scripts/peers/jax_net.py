"""A network in JAX, from its layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fastmlp.ops.layers import Conv2d, Dense, Dropout, MaxPool2d, pair

from .contender import weight_scale
from .nets import Stage, padding

Parameters = list[tuple[Any, Any]]  # weights and biases of each layer that has them

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda Z: Z,
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": partial(jax.nn.gelu, approximate=False),
}


class JaxNet:
    """The functions of a network; its parameters are arguments.

    Parameters
    ----------
    stages : list of Stage
    channels_first : bool
        Whether images are (rows, channels, height, width), instead of channels last.
    """

    def __init__(self, stages: list[Stage], channels_first: bool):
        self.stages, self.channels_first = stages, channels_first
        self.drops = any(isinstance(stage.layer, Dropout) for stage in stages)

    def draw(self, rng: np.random.Generator, activation: str) -> Parameters:
        """Return random weights, and biases of 0."""
        found: Parameters = []
        for stage in filter(lambda stage: stage.is_weighted, self.stages):
            scale = weight_scale(activation, *stage.layer.fans(stage.inputs))
            weights = rng.standard_normal(self._weight_shape(stage), np.float32) * scale
            biases = jnp.zeros(stage.outputs[-1], jnp.float32)
            found.append((jnp.asarray(weights, jnp.float32), biases))
        return found

    def _weight_shape(self, stage: Stage) -> tuple[int, ...]:
        layer = stage.layer
        if not isinstance(layer, Conv2d):
            return layer.matrix_shape(stage.inputs)
        kernel, channels = pair(layer.kernel_size), stage.inputs[2]
        if self.channels_first:
            return (layer.filters, channels, *kernel)
        return (*kernel, channels, layer.filters)

    def scores(self, params: Parameters, X: Any, key: Any = None, is_training: bool = False) -> Any:
        """Return the inputs of the softmax or the sigmoid.

        Parameters
        ----------
        params : list of (weights, biases)
        X : array of shape (n, n_features)
        key : random key, optional
            For dropout; without it nothing is dropped.
        is_training : bool, default False
            Whether gradients are computed, which are fast for another form of pooling.
        """
        left = iter(params)
        for number, stage in enumerate(self.stages):
            layer = stage.layer
            if isinstance(layer, Conv2d):
                X = self._convolution(stage, layer, *next(left), X)
            elif isinstance(layer, MaxPool2d):
                X = self._max_pool(stage, layer, X, is_training)
            elif isinstance(layer, Dropout):
                X = X if key is None else _dropped(layer, X, jax.random.fold_in(key, number))
            else:
                assert isinstance(layer, Dense)
                weights, biases = next(left)
                X = ACTIVATIONS[layer.activation](X.reshape(X.shape[0], -1) @ weights + biases)
        return X

    def _images(self, stage: Stage, X: Any) -> Any:
        """Return the inputs of a layer of images; those of the first one are rows."""
        height, width, channels = stage.inputs
        shape = (channels, height, width) if self.channels_first else stage.inputs
        return X.reshape(-1, *shape)

    def _convolution(self, stage: Stage, layer: Conv2d, weights: Any, biases: Any, X: Any) -> Any:
        names = ("NCHW", "OIHW", "NCHW") if self.channels_first else ("NHWC", "HWIO", "NHWC")
        Z = lax.conv_general_dilated(
            self._images(stage, X), weights, pair(layer.stride), padding(stage),
            dimension_numbers=names,
        )  # fmt: skip
        return ACTIVATIONS[layer.activation](
            Z + (biases[:, None, None] if self.channels_first else biases)
        )

    def _max_pool(self, stage: Stage, layer: MaxPool2d, X: Any, is_training: bool) -> Any:
        """Return the largest element of each window.

        Measured: the gradient of reduce_window makes E3's updates 1.5 times as long, while
        predictions with it take half the time.
        """
        X, size = self._images(stage, X), pair(layer.size)
        first = 2 if self.channels_first else 1
        if not is_training or layer.stride != layer.size:
            window, strides = [1] * 4, [1] * 4
            window[first : first + 2] = size
            strides[first : first + 2] = pair(layer.stride or layer.size)
            return lax.reduce_window(X, -jnp.inf, lax.max, window, strides, "VALID")
        shape = list(X.shape)
        for axis in (0, 1):  # windows that do not fit are left out
            X = lax.slice_in_dim(X, 0, stage.outputs[axis] * size[axis], axis=first + axis)
        height, width, _ = stage.outputs
        shape[first : first + 2] = (height, size[0], width, size[1])
        return X.reshape(shape).max((first + 1, first + 3))


def _dropped(layer: Dropout, X: Any, key: Any) -> Any:
    kept = jax.random.bernoulli(key, 1 - layer.rate, X.shape)
    return jnp.where(kept, X / (1 - layer.rate), 0)
