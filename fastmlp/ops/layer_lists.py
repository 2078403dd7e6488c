"""Lists of layers: their grammar, their shapes, and the size of the network that they make."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from ..base.errors import ConfigError
from .activations import Activation
from .layers import LAYERS, Dense, Layer, Shape
from .spec import split_list


def dense_layers(sizes: Iterable[int], activations: Iterable[Activation]) -> list[Layer]:
    """Return dense layers of these sizes, one activation for each."""
    return [
        Dense(int(size), str(activation))
        for size, activation in zip(sizes, activations, strict=True)
    ]


def shape_text(shape: Shape) -> str:
    """Return a shape such as 28x28x1."""
    return "x".join(map(str, shape))


def parse_layers(layers: str | Layer | Iterable[str | Layer]) -> tuple[Layer, ...]:
    """Return the layers of a list: a text with commas between the specs, or specs and records.

    Raises
    ------
    ConfigError
        As :meth:`Registry.parse` does, with the position in the list.
    """
    items = (
        split_list(layers)
        if isinstance(layers, str)
        else [layers]
        if isinstance(layers, Layer)
        else list(layers)
    )
    return tuple(LAYERS.parse(item) for item in items)


def shapes(layers: Iterable[Layer], input_shape: Shape) -> list[Shape]:
    """Return the shapes of the inputs and of each layer's outputs.

    Raises
    ------
    ConfigError
        If a layer cannot take the outputs of the layer before.
    """
    found = [tuple(input_shape)]
    for number, layer in enumerate(layers, 1):
        inputs, is_image = found[-1], len(found[-1]) == 3
        if not is_image and not layer.takes_rows:
            before = "an input without input_shape" if number == 1 else "a plain row"
            remedy = (
                "set input_shape, for example 28,28,1"
                if number == 1
                else "put it before dense and flatten layers"
            )
            raise ConfigError(
                f"layer {number}, {layer}, needs an image of height, width and channels, got "
                f"{before} of {inputs[0]} features; {remedy}"
            )
        try:
            found.append(layer.output_shape(inputs))
        except ConfigError as error:
            raise ConfigError(f"layer {number}, {error}") from None
    return found


def n_parameters(layers: Iterable[Layer], shapes: Sequence[Shape]) -> int:
    """Return the number of weights and biases.

    Parameters
    ----------
    layers : iterable of Layer
    shapes : sequence of tuple of int
        Returned by :func:`shapes`.
    """
    matrices = (layer.matrix_shape(inputs) for layer, inputs in zip(layers, shapes, strict=False))
    return sum((n_in + 1) * units for n_in, units in matrices)


def multiply_adds(layers: Iterable[Layer], shapes: Sequence[Shape]) -> int:
    """Return the number of multiply-adds of a forward pass of a row; parameters as above."""
    return sum(
        layer.matrix_shape(inputs)[0] * math.prod(outputs)
        for layer, (inputs, outputs) in zip(layers, pairwise(shapes), strict=True)
    )
