"""Layers of the first features, the numbers of a table; others are passed on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from ..base.errors import ConfigError
from ..base.settings import ABOVE_0
from .initializers import Initializer, Ones, RandomNormal, RandomUniform, Zeros
from .layer import MOST, Layer, Pair, Shape, rate_factor
from .operations import Apply, Operation, Select
from .spec import within


@dataclass(frozen=True)
class LayerOfNumbers(Layer):
    """A layer of the first features; the others, such as those of categories, are passed on.

    ``numbers`` is how many the first are; 0: all.
    """

    gives_rows = True

    def __post_init__(self) -> None:
        super().__post_init__()
        is_whole = isinstance(self._numbers, Integral) and not isinstance(self._numbers, bool)
        allowed = is_whole and 0 <= self._numbers < MOST
        self._require(allowed, "numbers", "a whole number from 0 (all features) to 2**24 - 1")

    @property
    def _numbers(self) -> int:
        return self.numbers  # type: ignore[attr-defined,no-any-return]

    def count(self, inputs: Shape) -> int:
        """Return how many features it is of; ConfigError if there are fewer."""
        features = math.prod(inputs)
        if self._numbers > features:
            raise ConfigError(
                f"{self}: numbers must be at most the features, {features}, got {self._numbers}; "
                "leave it out"
            )
        return self._numbers or features

    def of_numbers(self, numbers: int) -> tuple[Layer, ...]:
        if self._numbers:
            return (self,)
        return (replace(self, numbers=numbers),) if numbers else ()  # type: ignore[call-arg]


@dataclass(frozen=True)
class Diagonal(LayerOfNumbers):
    name = "diagonal"
    formula = "a = w x + b for each of the numbers; w is 1 and b 0 at first"
    numbers: int = 0
    lr_factor: float = rate_factor()

    def output_shape(self, inputs: Shape) -> Shape:
        self.count(inputs)
        return (math.prod(inputs),)

    def matrix_shape(self, inputs: Shape) -> Pair:
        return 1, self.count(inputs)

    def operations(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        rows = self.output_shape(inputs)
        more = (0, rows[0] - self.count(inputs))
        constants = {"w": np.pad(weights[0], more, constant_values=1), "b": np.pad(biases, more)}
        return [Apply(rows, rows, "w * z + b", constants)]

    def kernel_parameters(self, inputs: Shape) -> tuple[int, ...]:
        """Return how many features it is of."""
        return (self.count(inputs),)

    @property
    def initial(self) -> tuple[Initializer, Initializer]:
        return Ones(), Zeros()


@dataclass(frozen=True)
class Periodic(LayerOfNumbers):
    name = "periodic"
    formula = (
        "the numbers x, cos(2 pi (w x + b)) of each with several w and b, and the other features "
        "(Gorishniy et al. 2022); w is N(0, sigma^2) and b U(-1/2, 1/2) at first"
    )
    frequencies: int
    sigma: float = within(ABOVE_0, 0.1)
    numbers: int = 0
    lr_factor: float = rate_factor()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_size("frequencies")
        self._require(isinstance(self.frequencies, int), "frequencies", "one whole number")

    def output_shape(self, inputs: Shape) -> Shape:
        return (math.prod(inputs) + self.frequencies * self.count(inputs),)

    def matrix_shape(self, inputs: Shape) -> Pair:
        return 1, self.frequencies * self.count(inputs)

    def operations(self, inputs: Shape, weights: np.ndarray, biases: np.ndarray) -> list[Operation]:
        n, features = self.count(inputs), math.prod(inputs)
        rows = self.output_shape(inputs)
        index = np.r_[:n, np.tile(np.arange(n), self.frequencies), n:features]
        around = (n, features - n)
        constants = {"w": np.pad(weights[0], around), "b": np.pad(biases, around),
                     "is_cosine": np.pad(np.ones_like(biases), around)}  # fmt: skip
        formula = "where(is_cosine > 0, cos(6.283185307179586 * (w * z + b)), z)"
        return [Select((features,), rows, index), Apply(rows, rows, formula, constants)]

    def kernel_parameters(self, inputs: Shape) -> tuple[int, ...]:
        """Return how many features it is of, and the number of frequencies of each."""
        return self.count(inputs), self.frequencies

    @property
    def initial(self) -> tuple[Initializer, Initializer]:
        return RandomNormal(self.sigma), RandomUniform(0.5)
