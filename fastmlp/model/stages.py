"""The layers of a network as kernels compute them, one stage after the other.

A stage is a layer, or the change from rows to images before one. A convolution and
the pooling after it are one stage where kernels can take the maximum before the activation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..ops.layers import Layer, Pair, Shape
from .memory import padded

UNFLATTEN = "unflatten"  # the change from rows to images; a name of kernels, as for layers

# The position of a dropout layer among those before the same weights, in its random stream.
_POSITION = 1 << 16


class Stage(NamedTuple):
    """A row of the kernels' table of layers.

    Attributes
    ----------
    kernels : str
        The name of its module in ``kernels.layers``, and the start of its kernels' names.
    layer : Layer or None
    number : int or None
        The layer's index in the network.
    table : int or None
        The row of its weights in ``Network.table``; None without weights.
    inputs, outputs : tuple of int
        Shapes.
    are_images : bool
        Whether its outputs are stored as images.
    stream : int
        Of its random numbers.
    window : (int, int)
        Of the pooling in the same stage, whose outputs these are; (1, 1): none.
    """

    kernels: str
    layer: Layer | None
    number: int | None
    table: int | None
    inputs: Shape
    outputs: Shape
    are_images: bool
    stream: int = 0
    window: Pair = (1, 1)

    @property
    def has_own_gradient(self) -> bool:
        """Whether a kernel of its own computes the gradients of its weights."""
        is_dense = not self.are_images and (self.layer is None or not self.layer.gives_rows)
        return self.table is not None and not is_dense


def stages(layers: Sequence[Layer], shapes: Sequence[Shape], training: bool = True) -> list[Stage]:
    """Return the stages of layers; those that act in training only are left out of others.

    Parameters
    ----------
    layers : sequence of Layer
    shapes : sequence of tuple of int
        Of the inputs, and of each layer's outputs.
    training : bool, default True
    """
    return list(_stages(layers, shapes, training))


def row_bytes(layers: Sequence[Layer], shapes: Sequence[Shape], dtype: np.dtype) -> int:
    """Return the memory of the inputs and of the outputs of all stages for a row."""
    found = [shapes[0], *(stage.outputs for stage in stages(layers, shapes))]
    return sum(padded(math.prod(shape), dtype) for shape in found) * dtype.itemsize


def _stages(layers: Sequence[Layer], shapes: Sequence[Shape], training: bool) -> Iterator[Stage]:
    are_images, weighted, streams, done = False, 0, 0, 0
    for number, layer in enumerate(layers):
        inputs, outputs = shapes[number : number + 2]
        if number < done:
            continue  # a part of the stage before
        if layer.trains_only and not training:
            continue
        if layer.only_reshapes:
            continue  # the features of an image are stored in the order of a row
        is_above_images = are_images and not layer.takes_images
        if is_above_images:
            are_images = False
        if not are_images and not layer.takes_rows:
            are_images = True
            yield Stage(UNFLATTEN, None, None, None, inputs, inputs, are_images)
        table = weighted if layer.matrix_shape(inputs)[1] else None
        stream = weighted + streams * _POSITION
        window = layer.window_above(layers[number + 1]) if number + 1 < len(layers) else (1, 1)
        if window != (1, 1):
            done, outputs = number + 2, shapes[number + 2]
        kernels = layer.kernels(inputs, window)
        if is_above_images:
            kernels = layer.kernels_above_images
        yield Stage(kernels, layer, number, table, inputs, outputs, are_images, stream, window)
        streams = 0 if table is not None else streams + layer.trains_only
        weighted += table is not None
