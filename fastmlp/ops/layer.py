"""The base class of layer kinds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from ..base.errors import ConfigError
from ..base.settings import ABOVE_0
from .activations import ACTIVATIONS
from .initializers import Initializer
from .operations import Apply, Operation
from .spec import Spec

# (height, width, channels) of an image, or (features,) of a plain row. The feature of channel c at
# row y and column x of an image is number (y * width + x) * channels + c.
Shape = tuple[int, ...]
Pair = tuple[int, int]

MOST = 2**24  # sizes are below it, so that no product of two overflows


@dataclass(frozen=True)
class Layer(Spec):
    """A layer: what it takes, what it makes of it, and its matrix of weights, if it has one.

    A layer with weights multiplies rows of inputs by a matrix; kinds differ in how these rows are
    made of their inputs.
    """

    takes_images: ClassVar[bool] = False  # whether it keeps their shape; if not, they are flattened
    takes_rows: ClassVar[bool] = True
    only_reshapes: ClassVar[bool] = False  # whether flattening is all that it does
    takes_sparse_rows: ClassVar[bool] = False  # whether it can skip zeros in the rows of the data
    trains_by_sample: ClassVar[bool] = False  # whether the per-sample step has it
    has_activation: ClassVar[bool] = False
    gives_rows: ClassVar[bool] = False  # whether kernels store whole rows of its outputs together
    lr_factor = 1.0  # what the learning rate of its parameters is multiplied by
    trains_only: ClassVar[bool] = False  # whether it does nothing in predictions
    # The name of its kernels above images, where these are others than above rows.
    kernels_above_images: ClassVar[str] = ""
    # Where a layer has several forms: the names of their kernels, with what --explain says of each.
    forms: ClassVar[Mapping[str, str]] = {}

    def __str__(self) -> str:
        """Return the spec, required parameters by position."""
        parts = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.default is dataclasses.MISSING:
                parts.append(text_of(value))
            elif value != field.default:
                parts.append(f"{field.name}={text_of(value)}")
        return f"{self.name}({', '.join(parts)})"

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the shape of the outputs; ConfigError if the inputs do not fit."""
        return inputs

    def matrix_shape(self, inputs: Shape) -> Pair:
        """Return fan-in and units of the matrix of weights; (0, 0): no weights."""
        return 0, 0

    def fans(self, inputs: Shape) -> Pair:
        """Return fan-in and fan-out for initializers, as Keras and PyTorch define them."""
        return self.matrix_shape(inputs)

    def kernel_parameters(self, inputs: Shape) -> tuple[int, ...]:
        """Return the integers that its kernels read, besides the two shapes."""
        return ()

    @property
    def initial(self) -> tuple[Initializer, Initializer] | None:
        """The initializers of its weights and biases, if settings do not choose them."""
        return None

    @property
    def kernel_parameter(self) -> float:
        """The real number that its kernels read."""
        return 0.0

    def operations(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        """Return what the layer computes in a prediction, before its activation; exports need it.

        Parameters
        ----------
        inputs : tuple of int
        weights : ndarray, shape of ``matrix_shape(inputs)``
        biases : ndarray, shape (units,)
        """
        if self.trains_only or self.only_reshapes:
            return []
        raise NotImplementedError(f"layer {self.name} does not say what it computes")

    def exported(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        """Return :meth:`operations` and the activation."""
        found = self.operations(inputs, weights, biases)
        if self.has_activation:
            activation = ACTIVATIONS.parse(self.activation)  # type: ignore[attr-defined]
            shape = self.output_shape(inputs)
            constants = dataclasses.asdict(activation)
            found.append(Apply(shape, shape, activation.expression, constants))
        return found

    def window_above(self, above: Layer) -> Pair:
        """Return the window of the layer above whose maximum the layer's own kernels can take.

        (1, 1): none.
        """
        return 1, 1

    def kernels(self, inputs: Shape, window: Pair) -> str:
        """Return the name of the layer's kernels, for these inputs and the window above."""
        return self.name

    def complete(self, activation: str) -> Layer:
        """Return the layer with this activation, if it can have one and has none."""
        given: str = getattr(self, "activation", "")
        if not self.has_activation or given:
            return self
        return dataclasses.replace(self, activation=activation)  # type: ignore[call-arg]

    def of_numbers(self, numbers: int) -> tuple[Layer, ...]:
        """Return the layer for features of which only the first ``numbers`` are numbers, or none
        if it has nothing to do then.
        """
        return (self,)

    def _check_activation(self, text: str, refuses_row_wise: bool = False) -> None:
        """Write the field ``activation`` in its standard form."""
        if not text:
            return
        activation = ACTIVATIONS.parse(text)
        if refuses_row_wise and activation.is_row_wise:
            raise ConfigError(
                f"{self.name}: activation must be element by element, got {activation}; use it in "
                "a dense layer"
            )
        object.__setattr__(self, "activation", str(activation))

    def _check_size(self, name: str) -> None:
        """Check a size of units, a number or a pair, and write a pair of equals as a number."""
        value = getattr(self, name)
        sizes = tuple(value) if isinstance(value, tuple | list) else (value,)
        are_whole = all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)
        self._require(are_whole and len(sizes) in (1, 2), name, "a whole number, or two of them")
        self._require(all(1 <= size < MOST for size in sizes), name, "from 1 to 2**24 - 1")
        whole = tuple(int(size) for size in sizes)
        object.__setattr__(self, name, whole if len(set(whole)) == 2 else whole[0])


def rate_factor() -> Any:
    """Return the field of the factor of the learning rate, of a layer with weights."""
    return dataclasses.field(default=1.0, kw_only=True, metadata={"range": ABOVE_0})


def pair(size: int | Pair) -> Pair:
    """Return (height, width) of a size."""
    return size if isinstance(size, tuple) else (size, size)


def text_of(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(str, value))})"
    return f"{float(value)!r}" if isinstance(value, float) else str(value)
