"""The size of a network from its layers and their shapes, before anything is allocated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from .layers import Layer, Shape


def n_parameters(layers: Iterable[Layer], shapes: Sequence[Shape]) -> int:
    """Return the number of weights and biases.

    Parameters
    ----------
    layers : iterable of Layer
    shapes : sequence of tuple of int
        Returned by :func:`fastmlp.ops.layers.shapes`.
    """
    matrices = (layer.matrix_shape(inputs) for layer, inputs in zip(layers, shapes, strict=False))
    return sum((n_in + 1) * units for n_in, units in matrices)


def multiply_adds(layers: Iterable[Layer], shapes: Sequence[Shape]) -> int:
    """Return the number of multiply-adds of a forward pass of a row; parameters as above."""
    return sum(
        layer.matrix_shape(inputs)[0] * math.prod(outputs)
        for layer, (inputs, outputs) in zip(layers, pairwise(shapes), strict=True)
    )
