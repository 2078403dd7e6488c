"""Layer kinds: shapes, weights and parameters of each.

To add one, see CONTRIBUTING: a record here, kernels of the same name in ``kernels/layers/``, a
twin in ``tests/reference_layers.py``. Tests find it in the registry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base.errors import ConfigError
from .activations import ACTIVATIONS
from .layer import Layer as Layer
from .layer import Pair as Pair
from .layer import Shape as Shape
from .layer import pair as pair
from .layer import rate_factor, text_of
from .layers_of_numbers import Diagonal, Periodic
from .operations import Affine, Convolve, Operation, Pool
from .spec import Registry

# The form of a dense layer with at most FEW units and MANY inputs.
NARROW, FEW, MANY = "dense_narrow", 4, 1024
WINOGRAD = "winograd"
# Of inputs at least, and of channels times filters at most: a thread's transformed weights take 16
# elements for each, at most 1 MB in float32, as much as Zen 4's second-level cache.
WINOGRAD_CHANNELS = 8
WINOGRAD_PRODUCTS = 2**14

LAYERS: Registry[Layer] = Registry("layer")


@LAYERS.add
@dataclass(frozen=True)
class Dense(Layer):
    name = "dense"
    formula = "a = f(x W + b)"
    takes_sparse_rows = True
    trains_by_sample = True
    kernels_above_images = "dense_on_images"
    forms: ClassVar[Mapping[str, str]] = {
        "dense": "",
        NARROW: f"inputs in the lanes of vectors, for at most {FEW} units",
    }
    has_activation = True
    units: int
    activation: str = ""
    lr_factor: float = rate_factor()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_size("units")
        self._check_activation(self.activation)

    def output_shape(self, inputs: Shape) -> Shape:
        return (self.units,)

    def matrix_shape(self, inputs: Shape) -> Pair:
        return math.prod(inputs), self.units

    def kernels(self, inputs: Shape, window: Pair) -> str:
        return NARROW if self.units <= FEW and math.prod(inputs) <= MANY else self.name

    def operations(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        return [Affine(inputs, (self.units,), weights, biases)]


@dataclass(frozen=True)
class ImageLayer(Layer):
    """A layer of images."""

    takes_images = True
    takes_rows = False


@LAYERS.add
@dataclass(frozen=True)
class Conv2d(ImageLayer):
    name = "conv2d"
    forms: ClassVar[Mapping[str, str]] = {
        "conv2d": "direct",
        "conv2d_max_pool2d": "direct, with pooling before the activation",
        WINOGRAD: "Winograd's F(2x2, 3x3), 16 products instead of 36",
    }
    formula = "a = f(sum over the kernel of x W + b), at every position"
    has_activation = True
    filters: int
    kernel_size: int | Pair
    stride: int | Pair = 1
    padding: str = "valid"
    activation: str = ""
    lr_factor: float = rate_factor()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("filters", "kernel_size", "stride"):
            self._check_size(name)
        self._require(self.padding in ("valid", "same"), "padding", "valid or same")
        self._check_activation(self.activation, refuses_row_wise=True)

    def output_shape(self, inputs: Shape) -> Shape:
        height, width, _ = inputs
        kernel, strides = pair(self.kernel_size), pair(self.stride)
        if self.padding == "valid":
            _check_window(self, "kernel_size", kernel, inputs, "; use padding=same")
            kept = [size - k + 1 for size, k in zip((height, width), kernel, strict=True)]
        else:
            kept = [height, width]
        sizes = [-(-size // stride) for size, stride in zip(kept, strides, strict=True)]
        return (*sizes, self.filters)

    def matrix_shape(self, inputs: Shape) -> Pair:
        return math.prod(pair(self.kernel_size)) * inputs[2], self.filters

    def fans(self, inputs: Shape) -> Pair:
        window = math.prod(pair(self.kernel_size))
        return window * inputs[2], window * self.filters

    def kernel_parameters(self, inputs: Shape) -> tuple[int, ...]:
        """Return the height and width of the kernel, of the stride and of the padding before.

        Padding same is Keras': as many rows before as after, or one less before.
        """
        kernel, strides = pair(self.kernel_size), pair(self.stride)
        before = (0, 0)
        if self.padding == "same":
            outputs = self.output_shape(inputs)
            before = tuple(  # type: ignore[assignment]
                max((outputs[axis] - 1) * strides[axis] + kernel[axis] - inputs[axis], 0) // 2
                for axis in (0, 1)
            )
        return (*kernel, *strides, *before)

    def operations(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        outputs = self.output_shape(inputs)
        height, width, *strides, top, left = self.kernel_parameters(inputs)
        kernel = weights.reshape(height, width, inputs[2], self.filters)
        # What the last window needs beyond the image.
        bottom, right = (
            max((outputs[axis] - 1) * strides[axis] + size - inputs[axis] - before, 0)
            for axis, (size, before) in enumerate(((height, top), (width, left)))
        )
        stride, padding = (strides[0], strides[1]), (top, left, bottom, right)
        return [Convolve(inputs, outputs, kernel, biases, stride, padding)]

    def window_above(self, above: Layer) -> Pair:
        is_fitting = isinstance(above, MaxPool2d) and above.stride == above.size
        if is_fitting and ACTIVATIONS.parse(self.activation).never_decreases:
            return pair(above.size)  # type: ignore[attr-defined]
        return 1, 1

    def kernels(self, inputs: Shape, window: Pair) -> str:
        direct, pooled, fast = self.forms
        if self.has_fewer_products(inputs) and window in ((1, 1), (2, 2)):
            return fast
        return direct if window == (1, 1) else pooled

    def has_fewer_products(self, inputs: Shape) -> bool:
        """Whether Winograd's F(2x2, 3x3) is faster: 16 products for 36, but transforms of inputs
        and outputs, which few channels do not outweigh. Its vectors hold whole panels of filters.
        """
        return (
            (pair(self.kernel_size), pair(self.stride)) == ((3, 3), (1, 1))
            and inputs[2] >= WINOGRAD_CHANNELS
            and self.filters % 16 == 0
            and inputs[2] * self.filters <= WINOGRAD_PRODUCTS
            and self._products_of_tiles(inputs) < self._taps_inside(inputs)
        )

    def _products_of_tiles(self, inputs: Shape) -> int:
        height, width, _ = self.output_shape(inputs)
        return 16 * -(-height // 2) * -(-width // 2)

    def _taps_inside(self, inputs: Shape) -> int:
        """Return how many taps of a kernel of 3x3 lie within the image, over all positions."""
        height, width, _ = self.output_shape(inputs)
        if self.padding == "valid":
            return 9 * height * width
        return (3 * height - 2) * (3 * width - 2)


@dataclass(frozen=True)
class Pooling(ImageLayer):
    """One number of each window of each channel; the stride is the size unless given."""

    takes_max: ClassVar[bool] = False  # of a window, instead of the mean
    size: int | Pair
    stride: int | Pair | None = None

    def __post_init__(self) -> None:
        if self.stride is None:
            object.__setattr__(self, "stride", self.size)
        for name in ("size", "stride"):
            self._check_size(name)

    def __str__(self) -> str:
        stride = "" if self.stride == self.size else f", stride={text_of(self.stride)}"
        return f"{self.name}({text_of(self.size)}{stride})"

    def output_shape(self, inputs: Shape) -> Shape:
        size, strides = pair(self.size), pair(self.stride or self.size)
        _check_window(self, "size", size, inputs, "")
        sizes = [(inputs[axis] - size[axis]) // strides[axis] + 1 for axis in (0, 1)]
        return (*sizes, inputs[2])

    def operations(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        size, stride = pair(self.size), pair(self.stride or self.size)
        return [Pool(inputs, self.output_shape(inputs), self.takes_max, size, stride)]

    def kernel_parameters(self, inputs: Shape) -> tuple[int, ...]:
        """Return the height and width of the window, of the stride and of no padding."""
        return (*pair(self.size), *pair(self.stride or self.size), 0, 0)


@LAYERS.add
@dataclass(frozen=True)
class MaxPool2d(Pooling):
    name = "max_pool2d"
    formula = "a = max of each window; the gradient goes to the first maximum"
    takes_max = True


@LAYERS.add
@dataclass(frozen=True)
class AvgPool2d(Pooling):
    name = "avg_pool2d"
    formula = "a = mean of each window"


@LAYERS.add
@dataclass(frozen=True)
class GlobalAvgPool2d(ImageLayer):
    name = "global_avg_pool2d"
    formula = "a = mean of each channel"

    def output_shape(self, inputs: Shape) -> Shape:
        return inputs[2:]

    def operations(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        height, width, _ = inputs
        return [Pool(inputs, inputs[2:], False, (height, width), (height, width))]


@LAYERS.add
@dataclass(frozen=True)
class Dropout(Layer):
    name = "dropout"
    formula = "a = x / (1 - rate) with probability 1 - rate, else 0; in training only"
    takes_images = True
    trains_only = True
    rate: float

    def __post_init__(self) -> None:
        self._require(0 <= self.rate < 1, "rate", "at least 0 and below 1")

    @property
    def kernel_parameter(self) -> float:
        return self.rate


LAYERS.add(Diagonal)
LAYERS.add(Periodic)


@LAYERS.add
@dataclass(frozen=True)
class Flatten(Layer):
    name = "flatten"
    formula = "a row of all pixels, row by row, channels last"
    only_reshapes = True

    def output_shape(self, inputs: Shape) -> Shape:
        return (math.prod(inputs),)


def kernel_names() -> list[str]:
    """Return the names of the kernels of all layers."""
    kinds = [kind for kind in LAYERS.records.values() if not kind.only_reshapes]
    found = [name for kind in kinds for name in (kind.forms or (kind.name,))]
    return found + [kind.kernels_above_images for kind in kinds if kind.kernels_above_images]


def _check_window(
    layer: Layer, parameter: str, window: Pair, inputs: Shape, other_remedy: str
) -> None:
    """Raise ConfigError if a window is larger than its input."""
    if window[0] > inputs[0] or window[1] > inputs[1]:
        raise ConfigError(
            f"{layer}: {parameter} must be at most the input, {inputs[0]}x{inputs[1]}, got "
            f"{window[0]}x{window[1]}{other_remedy}; make it smaller, or use fewer layers before"
        )
