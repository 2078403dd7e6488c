"""A network: its layers, their shapes, one flat buffer of parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..base.random import Purpose, stream
from ..kernels import buffers
from ..ops.activations import ACTIVATIONS, Activation, Identity
from ..ops.initializers import Initializer
from ..ops.layer_lists import dense_layers, multiply_adds, shape_text, shapes
from ..ops.layers import Dense, Layer, Pair, Shape
from .memory import aligned_zeros, float_dtype, padded
from .stages import Stage, row_bytes, stages

# Memory that a process can address on most machines. Below it, sizes with a block's rows and an
# optimizer's state fit the 64-bit integers of kernels.
MOST_BYTES = 1 << 47


class Network:
    """Layers, one after the other, and their parameters.

    Parameters
    ----------
    layers : sequence of Layer
        With activations, where a layer has one; the last one is dense.
    input_shape : tuple of int
        ``(features,)``, or ``(height, width, channels)`` of images.
    dtype : str or dtype, default "float32"
        ``float32`` or ``float64``.

    Attributes
    ----------
    shapes : list of tuple of int
        Of the inputs, and of each layer's outputs.
    weighted : tuple of int
        The indices of the layers with weights.
    activations : tuple of Activation
        Of the layers with weights.
    multiply_adds : int
        Of a forward pass of a row. (Counting takes 4 us, a twentieth of a prediction of one row.)
    params : ndarray, shape (n_padded,)
        All weights, then all biases, each row padded with zeros to whole 64-byte vectors.
    weights : list of ndarray, shape (fan_in, units)
        Views into ``params``, for the layers with weights.
    biases : list of ndarray, shape (units,)
        Views into ``params``.
    table : ndarray of int64, shape (depth, LAYER_FIELDS)
        Sizes and offsets of weights and biases, for the layers with weights.

    Raises
    ------
    ConfigError
        If a layer cannot take the outputs of the layer before, or no machine has the memory.
    """

    def __init__(
        self, layers: Sequence[Layer], input_shape: Sequence[int], dtype: str | np.dtype = "float32"
    ):
        self.layers, self.dtype = tuple(layers), float_dtype(dtype)
        self.input_shape: Shape = tuple(int(size) for size in input_shape)
        if not self.layers or min(self.input_shape, default=0) < 1:
            raise ConfigError(
                "a network must have inputs and at least one layer, got input shape "
                f"{self.input_shape} and {len(self.layers)} layers"
            )
        self.shapes = shapes(self.layers, self.input_shape)
        self.multiply_adds = multiply_adds(self.layers, self.shapes)
        matrices = [
            layer.matrix_shape(inputs)
            for layer, inputs in zip(self.layers, self.shapes, strict=False)
        ]
        self.weighted = tuple(index for index, matrix in enumerate(matrices) if matrix[1])
        matrices = [matrices[index] for index in self.weighted]
        self.activations = tuple(_activation(self.layers[index]) for index in self.weighted)
        _check_memory(self.layers, self.shapes, matrices, self.dtype)
        self.table = _layout(matrices, self.dtype)
        last = self.table[-1]
        self.params = aligned_zeros(int(last[buffers.B] + last[buffers.LD_OUT]), self.dtype)
        self.weights, self.biases = self.gradient_views(self.params)

    @classmethod
    def of_sizes(
        cls,
        layer_sizes: Sequence[int],
        activations: Sequence[Activation],
        dtype: str | np.dtype = "float32",
    ) -> Network:
        """Return a network of dense layers.

        Parameters
        ----------
        layer_sizes : sequence of int
            Inputs, hidden layers, outputs.
        activations : sequence of Activation
            One for each layer except the inputs.
        dtype : str or dtype, default "float32"
        """
        sizes = [int(size) for size in layer_sizes]
        if len(sizes) < 2 or min(sizes) < 1:
            raise ConfigError(
                f"layer_sizes must hold two sizes or more, each at least 1, got {tuple(sizes)}"
            )
        if len(activations) != len(sizes) - 1:
            raise ConfigError(
                f"activations must be one for each of the {len(sizes) - 1} layers, "
                f"got {len(activations)}"
            )
        return cls(dense_layers(sizes[1:], activations), sizes[:1], dtype)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.layers, self.input_shape, self.dtype, self.params

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Create the views again: copied one by one, they would not share memory."""
        *layout, params = state
        Network.__init__(self, *layout)
        self.params[...] = params

    @property
    def gives_probabilities(self) -> bool:
        """Whether outputs are probabilities: of a softmax or a sigmoid."""
        return self.activations[-1].gives_probabilities

    @property
    def depth(self) -> int:
        """The number of layers with weights."""
        return len(self.weighted)

    @property
    def n_inputs(self) -> int:
        """The number of features."""
        return math.prod(self.input_shape)

    @property
    def n_outputs(self) -> int:
        """The number of outputs."""
        return math.prod(self.shapes[-1])

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The number of features, and of the units of each layer with weights."""
        return (self.n_inputs, *(biases.size for biases in self.biases))

    @property
    def row_work(self) -> int:
        """The larger of the number of parameters and the multiply-adds of a row."""
        return max(int(self.params.size), self.multiply_adds)

    @property
    def row_bytes(self) -> int:
        """The memory of the inputs and of the outputs of all stages for a row."""
        return row_bytes(self.layers, self.shapes, self.dtype)

    def stages(self, training: bool = True) -> list[Stage]:
        """Return the layers as kernels compute them; see :func:`stages`."""
        return stages(self.layers, self.shapes, training)

    @property
    def is_dense(self) -> bool:
        """Whether all layers are dense: then sizes and activations describe the network."""
        return all(isinstance(layer, Dense) for layer in self.layers)

    def forms(self) -> list[str]:
        """Return the form that is chosen for each layer with several, as a line of text."""
        found = []
        for stage in self.stages():
            if stage.layer is not None and stage.layer.forms.get(stage.kernels):
                last = stage.number + (2 if stage.window != (1, 1) else 1)  # type: ignore[operator]
                names = ", ".join(map(str, self.layers[stage.number : last]))
                found.append(f"{names}: {stage.layer.forms[stage.kernels]}")
        return found

    def describe(self) -> str:
        """Return the sizes of a dense network, or the input shape and the layers of another."""
        if self.is_dense:
            return "-".join(map(str, self.layer_sizes))
        return ", ".join(map(str, [shape_text(self.input_shape), *self.layers]))

    @property
    def stores_images(self) -> bool:
        """Whether any layer takes images only."""
        return any(not layer.takes_rows for layer in self.layers)

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

    def layer_facts(self) -> list[dict[str, Any]]:
        """Return the name, the output shape and the number of parameters of each layer."""
        parameters = dict.fromkeys(range(len(self.layers)), 0)
        for index, weights, biases in zip(self.weighted, self.weights, self.biases, strict=True):
            parameters[index] = weights.size + biases.size
        return [
            {"name": str(layer), "output_shape": list(shape), "parameters": parameters[index]}
            for index, (layer, shape) in enumerate(zip(self.layers, self.shapes[1:], strict=True))
        ]

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

    def initialize(
        self,
        weight_init: Initializer,
        bias_init: Initializer,
        seed: int,
        output_init: Initializer | None = None,
    ) -> None:
        """Draw all weights and biases; each layer has its own random stream.

        ``output_init`` is that of the weights of the last layer, by default as the others'.
        """
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            index = self.weighted[layer]
            fan_in, fan_out = self.layers[index].fans(self.shapes[index])
            units = biases.size
            rng = stream(seed, Purpose.WEIGHTS, step=layer)
            of_weights, of_biases = self.layers[index].initial or (weight_init, bias_init)
            if layer == self.depth - 1 and output_init is not None:
                of_weights = output_init
            weights[...] = of_weights.sample(rng, weights.shape, fan_in, fan_out)
            rng = stream(seed, Purpose.BIASES, step=layer)
            biases[...] = of_biases.sample(rng, biases.shape, units, units)

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


def _activation(layer: Layer) -> Activation:
    return ACTIVATIONS.parse(getattr(layer, "activation", Identity.name))


def _check_memory(
    layers: Sequence[Layer], shapes: Sequence[Shape], matrices: Sequence[Pair], dtype: np.dtype
) -> None:
    """Raise ConfigError for sizes that no machine can hold; Python's integers do not overflow."""
    weights = sum(n_in * padded(n_out, dtype) for n_in, n_out in matrices)
    outputs = sum(padded(math.prod(shape), dtype) for shape in shapes)
    for count, what in ((weights, "weights"), (outputs, "outputs of a sample")):
        if count * dtype.itemsize > MOST_BYTES:
            raise ConfigError(
                f"layers must make at most {MOST_BYTES >> 40} TB of {what}, got "
                f"{shape_text(shapes[0])} inputs and {', '.join(map(str, layers)):.80}; "
                "make layers smaller"
            )


def _layout(matrices: Sequence[Pair], dtype: np.dtype) -> np.ndarray:
    """Return the kernels' table of layers with weights, with the columns that depend on sizes.

    All weights are before all biases, each row padded.
    """
    table = np.zeros((len(matrices), buffers.LAYER_FIELDS), np.int64)
    table[:, [buffers.N_IN, buffers.N_OUT]] = matrices
    table[:, [buffers.LD_IN, buffers.LD_OUT]] = [
        [padded(size, dtype) for size in matrix] for matrix in matrices
    ]
    size = 0
    for row in table:
        row[buffers.W] = size
        size += row[buffers.N_IN] * row[buffers.LD_OUT]
    for row in table:
        row[buffers.B] = size
        size += row[buffers.LD_OUT]
    return table
