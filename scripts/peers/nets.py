"""The network of a case as every contender builds it: its layers with their shapes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

from fastmlp.ops.layer_lists import multiply_adds, shape_text, shapes
from fastmlp.ops.layers import Conv2d, Dense, Layer, Pair, Shape, pair

from .case import Case

IDENTITY = "identity"  # of the output layer: contenders add the softmax or the sigmoid


class Stage(NamedTuple):
    """A layer with the shapes of its inputs and outputs.

    Shapes are (height, width, channels), or (features,); a dense layer flattens images.
    """

    layer: Layer
    inputs: Shape
    outputs: Shape

    @property
    def is_weighted(self) -> bool:
        """Whether the layer has weights and biases."""
        return self.layer.matrix_shape(self.inputs)[1] > 0

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the layer for a row, forward."""
        return multiply_adds([self.layer], [self.inputs, self.outputs])


def stages(case: Case, inputs: Shape, outputs: int) -> list[Stage]:
    """Return the layers of a case's network, the output layer included.

    Parameters
    ----------
    case : Case
    inputs : tuple of int
        Shape of a row or, if the case takes images, of an image.
    outputs : int
        Units of the output layer.

    Raises
    ------
    ConfigError
        If the images are too small, or there are none.
    """
    layers = [layer.complete(case.activation) for layer in case.hidden]
    layers.append(Dense(outputs, IDENTITY))
    pairs = pairwise(shapes(layers, inputs))
    return [Stage(layer, *both) for layer, both in zip(layers, pairs, strict=True)]


def sizes(found: list[Stage]) -> list[int | str]:
    """Return the inputs and the outputs of each layer: units, or a text such as 26x26x32."""
    kept = [stage.outputs for stage in found if not stage.layer.trains_only]
    return [
        shape[0] if len(shape) == 1 else shape_text(shape) for shape in [found[0].inputs, *kept]
    ]


def units(found: list[Stage]) -> tuple[int, ...]:
    """Return the features and the units of each layer, of a network of dense layers."""
    return (math.prod(found[0].inputs), *(s.outputs[0] for s in found if s.is_weighted))


def padding(stage: Stage) -> tuple[Pair, Pair]:
    """Return the zeros of a convolution above and below, and left and right of its inputs."""
    layer = stage.layer
    assert isinstance(layer, Conv2d)
    kernel, strides = pair(layer.kernel_size), pair(layer.stride)
    before = layer.kernel_parameters(stage.inputs)[4:]
    around = []
    for axis in (0, 1):
        covered = (stage.outputs[axis] - 1) * strides[axis] + kernel[axis]
        around.append((before[axis], max(covered - stage.inputs[axis] - before[axis], 0)))
    return around[0], around[1]
