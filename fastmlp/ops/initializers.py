"""Initializers of weights and biases.

Each draws from U(-limit, limit) or N(0, std^2) with a scale from the fans of its layer, or fills
with a constant. For a bias vector fan-in and fan-out are both its length. Values are drawn in
float64 and then rounded, so that a float32 and a float64 network start from the same weights. They
have the same bits on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base.elementary import standard_normal, uniform
from ..base.orthonormal import orthonormal
from ..base.settings import ABOVE_0
from .spec import Registry, Spec, within


@dataclass(frozen=True)
class Initializer(Spec):
    """Draws the initial values of a weight matrix or a bias vector."""

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        """Return a float64 array of ``shape``."""
        raise NotImplementedError


INITIALIZERS: Registry[Initializer] = Registry("initializer")


class _VarianceScaling(Initializer):
    """U(-scale, scale), or N(0, scale^2) if ``is_normal``, with a scale of sqrt(gain / fans)."""

    gain: ClassVar[float]
    is_normal: ClassVar[bool] = False
    counts_fan_out: ClassVar[bool] = False  # whether fans are fan_in + fan_out, not fan_in

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        scale = math.sqrt(self.gain / (fan_in + fan_out if self.counts_fan_out else fan_in))
        if self.is_normal:
            return scale * standard_normal(rng, shape)
        return uniform(rng, -scale, scale, shape)


@INITIALIZERS.add
class GlorotUniform(_VarianceScaling):
    name = "glorot_uniform"
    formula = "U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)"
    gain = 6.0
    counts_fan_out = True


@INITIALIZERS.add
class GlorotNormal(_VarianceScaling):
    name = "glorot_normal"
    formula = "N(0, 2 / (fan_in + fan_out)) (Glorot & Bengio 2010)"
    gain = 2.0
    is_normal = True
    counts_fan_out = True


@INITIALIZERS.add
class HeUniform(_VarianceScaling):
    name = "he_uniform"
    formula = "U(-limit, limit), limit = sqrt(6 / fan_in) (He et al. 2015)"
    gain = 6.0


@INITIALIZERS.add
class HeNormal(_VarianceScaling):
    name = "he_normal"
    formula = "N(0, 2 / fan_in) (He et al. 2015)"
    gain = 2.0
    is_normal = True


@INITIALIZERS.add
class LecunUniform(_VarianceScaling):
    name = "lecun_uniform"
    formula = "U(-limit, limit), limit = sqrt(3 / fan_in) (LeCun et al. 1998)"
    gain = 3.0


@INITIALIZERS.add
class LecunNormal(_VarianceScaling):
    name = "lecun_normal"
    formula = "N(0, 1 / fan_in) (LeCun et al. 1998)"
    gain = 1.0
    is_normal = True


@INITIALIZERS.add
@dataclass(frozen=True)
class Orthogonal(Initializer):
    name = "orthogonal"
    formula = "gain Q, Q with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014)"
    gain: float = within(ABOVE_0, 1.0)

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        rows, columns = shape if len(shape) == 2 else (1, *shape)
        q = orthonormal(standard_normal(rng, (max(rows, columns), min(rows, columns))))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


@INITIALIZERS.add
@dataclass(frozen=True)
class RandomUniform(Initializer):
    name = "random_uniform"
    formula = "U(-limit, limit)"
    limit: float = within(ABOVE_0, 0.05)

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        return uniform(rng, -self.limit, self.limit, shape)


@INITIALIZERS.add
@dataclass(frozen=True)
class RandomNormal(Initializer):
    name = "random_normal"
    formula = "N(0, std^2)"
    std: float = within(ABOVE_0, 0.05)

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        return self.std * standard_normal(rng, shape)


@dataclass(frozen=True)
class Filled(Initializer):
    """The same value in all elements."""

    value = 0.0

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        return np.full(shape, self.value)


@INITIALIZERS.add
class Zeros(Filled):
    name = "zeros"
    formula = "0"


@INITIALIZERS.add
class Ones(Filled):
    name = "ones"
    formula = "1"
    value = 1.0


@INITIALIZERS.add
@dataclass(frozen=True)
class Constant(Filled):
    name = "constant"
    formula = "value"
    value: float = 0.0


INITIALIZERS.alias(
    glorot="glorot_uniform",
    xavier="glorot_uniform",
    xavier_uniform="glorot_uniform",
    xavier_normal="glorot_normal",
    he="he_normal",
    lecun="lecun_normal",
    uniform="random_uniform",
    normal="random_normal",
    gaussian="random_normal",
    random="random_normal(0.01)",
)
