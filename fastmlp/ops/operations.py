"""What layers compute in a prediction: a few operations that exports write in any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

Pair = tuple[int, int]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Operation:
    """Computes outputs from inputs; shapes are those of a row, or (height, width, channels)."""

    inputs: Shape
    outputs: Shape


@dataclass(frozen=True, eq=False)
class Affine(Operation):
    """``x W + b`` of each row.

    Attributes
    ----------
    weights : ndarray, shape (n_in, n_out)
    biases : ndarray, shape (n_out,)
    """

    weights: np.ndarray
    biases: np.ndarray


@dataclass(frozen=True, eq=False)
class Select(Operation):
    """Some elements of each row, in any order.

    Attributes
    ----------
    index : ndarray of int, shape (n_out,)
    """

    index: np.ndarray


@dataclass(frozen=True, eq=False)
class Convolve(Operation):
    """A convolution (in fact a correlation) of images.

    Attributes
    ----------
    weights : ndarray, shape (height, width, channels, filters)
    biases : ndarray, shape (filters,)
    stride : (int, int)
    padding : (int, int, int, int)
        Zeros at the top, left, bottom and right.
    """

    weights: np.ndarray
    biases: np.ndarray
    stride: Pair
    padding: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Pool(Operation):
    """The maximum or the mean of each window of each channel; no padding.

    Attributes
    ----------
    takes_max : bool
    size, stride : (int, int)
    """

    takes_max: bool
    size: Pair
    stride: Pair


@dataclass(frozen=True, eq=False)
class Sort(Operation):
    """The elements of each row in ascending order."""


@dataclass(frozen=True, eq=False)
class Apply(Operation):
    """A formula of ``z``, element by element or row by row.

    Attributes
    ----------
    formula : str
        See :mod:`~fastmlp.ops.expressions`.
    constants : mapping of str to float or ndarray
        Its other names; arrays have an element for each feature (or channel), or one.
    """

    formula: str
    constants: Mapping[str, float | np.ndarray] = field(default_factory=dict)
