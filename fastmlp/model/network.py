"""A multilayer perceptron: layer sizes, activations, one flat buffer of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..base.random import Purpose, stream
from ..kernels import buffers
from ..ops.activations import Activation
from ..ops.initializers import Initializer
from .memory import aligned_zeros, float_dtype, padded

# Memory that a process can address on most machines. Below it, sizes with a block's rows and an
# optimizer's state fit the 64-bit integers of kernels.
MOST_BYTES = 1 << 47


class Network:
    """Dense layers ``a_l = f_l(a_{l-1} W_l + b_l)``.

    Parameters
    ----------
    layer_sizes : sequence of int
        Inputs, hidden layers, outputs; at least two, each at least 1.
    activations : sequence of Activation
        One for each layer except the inputs.
    dtype : str or dtype, default "float32"
        ``float32`` or ``float64``.

    Attributes
    ----------
    params : ndarray, shape (n_padded,)
        All weights, then all biases, each row padded with zeros to whole 64-byte vectors.
    weights : list of ndarray, shape (n_in, n_out)
        Views into ``params``.
    biases : list of ndarray, shape (n_out,)
        Views into ``params``.
    table : ndarray of int64, shape (depth, LAYER_FIELDS)
        Sizes and offsets of each layer's weights and biases.
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activations: Sequence[Activation],
        dtype: str | np.dtype = "float32",
    ):
        self.layer_sizes = tuple(int(size) for size in layer_sizes)
        self.activations = tuple(activations)
        self.dtype = float_dtype(dtype)
        if len(self.layer_sizes) < 2 or min(self.layer_sizes) < 1:
            raise ConfigError(
                f"layer_sizes must hold two sizes or more, each at least 1, got {self.layer_sizes}"
            )
        if len(self.activations) != len(self.layer_sizes) - 1:
            raise ConfigError(
                f"activations must be one for each of the {len(self.layer_sizes) - 1} layers, "
                f"got {len(self.activations)}"
            )
        _check_memory(self.layer_sizes, self.dtype)
        self.table = _layout(self.layer_sizes, self.dtype)
        last = self.table[-1]
        self.params = aligned_zeros(int(last[buffers.B] + last[buffers.LD_OUT]), self.dtype)
        self.weights, self.biases = self.gradient_views(self.params)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.layer_sizes, self.activations, self.dtype, self.params

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Create the views again: copied one by one, they would not share memory."""
        *layout, params = state
        Network.__init__(self, *layout)
        self.params[...] = params

    @property
    def depth(self) -> int:
        """The number of layers with weights."""
        return len(self.activations)

    @property
    def flat_weights(self) -> np.ndarray:
        """The part of ``params`` with all weights, including padding."""
        return self.params[: self.table[0, buffers.B]]

    @property
    def n_weights(self) -> int:
        """The number of weights, without padding."""
        return sum(weights.size for weights in self.weights)

    @property
    def n_biases(self) -> int:
        """The number of biases."""
        return sum(biases.size for biases in self.biases)

    def gradient_views(self, flat: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return views of the weights and the biases in a buffer with the layout of ``params``."""
        weights, biases = [], []
        for row in self.table:
            n_in, n_out, width = row[buffers.N_IN], row[buffers.N_OUT], row[buffers.LD_OUT]
            start = row[buffers.W]
            rows = flat[start : start + n_in * width].reshape(n_in, width)
            weights.append(rows[:, :n_out])
            biases.append(flat[row[buffers.B] : row[buffers.B] + n_out])
        return weights, biases

    def initialize(self, weight_init: Initializer, bias_init: Initializer, seed: int) -> None:
        """Draw all weights and biases; each layer has its own random stream."""
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            fan_in, fan_out = weights.shape
            rng = stream(seed, Purpose.WEIGHTS, step=layer)
            weights[...] = weight_init.sample(rng, weights.shape, fan_in, fan_out)
            rng = stream(seed, Purpose.BIASES, step=layer)
            biases[...] = bias_init.sample(rng, biases.shape, fan_out, fan_out)

    def set_weights(self, weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> None:
        """Overwrite all weights, each (n_in, n_out), and biases, each (n_out,).

        Raises
        ------
        ConfigError
            If their number or a shape does not fit the layers, or an element is not finite.
        """
        kinds = (("weights", weights, self.weights), ("biases", biases, self.biases))
        for name, given, own in kinds:
            shapes = [np.shape(array) for array in given]
            if shapes != [view.shape for view in own]:
                wanted = ", ".join(str(view.shape) for view in own)
                got = ", ".join(str(shape) for shape in shapes)
                raise ConfigError(f"{name} must have the shapes {wanted}, got {got}")
            if not all(np.isfinite(array).all() for array in given):
                raise ConfigError(f"{name} must be finite, got NaN or infinity")
        for _, given, own in kinds:
            for view, array in zip(own, given, strict=True):
                view[...] = array


def _check_memory(sizes: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise ConfigError for sizes that no machine can hold; Python's integers do not overflow."""
    weights = sum(n_in * padded(n_out, dtype) for n_in, n_out in pairwise(sizes))
    if weights * dtype.itemsize > MOST_BYTES:
        raise ConfigError(
            f"layer_sizes must make at most {MOST_BYTES >> 40} TB of weights, got "
            f"{', '.join(map(str, sizes)):.80}; make layers smaller"
        )


def _layout(sizes: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return the kernels' table of layers, with the columns that depend on the layer sizes.

    All weights are before all biases, each row padded.
    """
    table = np.zeros((len(sizes) - 1, buffers.LAYER_FIELDS), np.int64)
    table[:, buffers.N_IN], table[:, buffers.N_OUT] = sizes[:-1], sizes[1:]
    table[:, buffers.LD_IN] = [padded(size, dtype) for size in sizes[:-1]]
    table[:, buffers.LD_OUT] = [padded(size, dtype) for size in sizes[1:]]
    size = 0
    for row in table:
        row[buffers.W] = size
        size += row[buffers.N_IN] * row[buffers.LD_OUT]
    for row in table:
        row[buffers.B] = size
        size += row[buffers.LD_OUT]
    return table
