"""Initializers of weights and biases.

Each draws from U(-limit, limit) or N(0, std^2) with a scale from the fans of its layer, or fills
with a constant. For a bias vector fan-in and fan-out are both its length. Values are drawn in
float64 and then rounded, so that a float32 and a float64 network start from the same weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .spec import Registry, Spec


@dataclass(frozen=True)
class Initializer(Spec):
    """Draws the initial values of a weight matrix or a bias vector."""

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        """Return a float64 array of ``shape``."""
        raise NotImplementedError


class _Uniform(Initializer):
    """U(-limit, limit) with a limit that may depend on the fans."""

    def _limit(self, fan_in: int, fan_out: int) -> float:
        raise NotImplementedError

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        limit = self._limit(fan_in, fan_out)
        return rng.uniform(-limit, limit, shape)


class _Normal(Initializer):
    """N(0, std^2) with a standard deviation that may depend on the fans."""

    def _std(self, fan_in: int, fan_out: int) -> float:
        raise NotImplementedError

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        return rng.normal(0.0, self._std(fan_in, fan_out), shape)


class _Filled(Initializer):
    """A constant value."""

    def _value(self) -> float:
        raise NotImplementedError

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        return np.full(shape, self._value())


INITIALIZERS: Registry[Initializer] = Registry("initializer")


@INITIALIZERS.add
@dataclass(frozen=True)
class GlorotUniform(_Uniform):
    name = "glorot_uniform"
    formula = "U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)"

    def _limit(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(6.0 / (fan_in + fan_out))


@INITIALIZERS.add
@dataclass(frozen=True)
class GlorotNormal(_Normal):
    name = "glorot_normal"
    formula = "N(0, 2 / (fan_in + fan_out)) (Glorot & Bengio 2010)"

    def _std(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2.0 / (fan_in + fan_out))


@INITIALIZERS.add
@dataclass(frozen=True)
class HeUniform(_Uniform):
    name = "he_uniform"
    formula = "U(-limit, limit), limit = sqrt(6 / fan_in) (He et al. 2015)"

    def _limit(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(6.0 / fan_in)


@INITIALIZERS.add
@dataclass(frozen=True)
class HeNormal(_Normal):
    name = "he_normal"
    formula = "N(0, 2 / fan_in) (He et al. 2015)"

    def _std(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2.0 / fan_in)


@INITIALIZERS.add
@dataclass(frozen=True)
class LecunUniform(_Uniform):
    name = "lecun_uniform"
    formula = "U(-limit, limit), limit = sqrt(3 / fan_in) (LeCun et al. 1998)"

    def _limit(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(3.0 / fan_in)


@INITIALIZERS.add
@dataclass(frozen=True)
class LecunNormal(_Normal):
    name = "lecun_normal"
    formula = "N(0, 1 / fan_in) (LeCun et al. 1998)"

    def _std(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(1.0 / fan_in)


@INITIALIZERS.add
@dataclass(frozen=True)
class Orthogonal(Initializer):
    name = "orthogonal"
    formula = "gain Q, Q with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014)"
    gain: float = 1.0

    def __post_init__(self) -> None:
        self._require(self.gain > 0, "gain", "above 0")

    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> np.ndarray:
        rows, columns = shape if len(shape) == 2 else (1, *shape)
        tall = rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # else Q would not be uniformly distributed
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


@INITIALIZERS.add
@dataclass(frozen=True)
class RandomUniform(_Uniform):
    name = "random_uniform"
    formula = "U(-limit, limit)"
    limit: float = 0.05

    def __post_init__(self) -> None:
        self._require(self.limit > 0, "limit", "above 0")

    def _limit(self, fan_in: int, fan_out: int) -> float:
        return self.limit


@INITIALIZERS.add
@dataclass(frozen=True)
class RandomNormal(_Normal):
    name = "random_normal"
    formula = "N(0, std^2)"
    std: float = 0.05

    def __post_init__(self) -> None:
        self._require(self.std > 0, "std", "above 0")

    def _std(self, fan_in: int, fan_out: int) -> float:
        return self.std


@INITIALIZERS.add
@dataclass(frozen=True)
class Zeros(_Filled):
    name = "zeros"
    formula = "0"

    def _value(self) -> float:
        return 0.0


@INITIALIZERS.add
@dataclass(frozen=True)
class Ones(_Filled):
    name = "ones"
    formula = "1"

    def _value(self) -> float:
        return 1.0


@INITIALIZERS.add
@dataclass(frozen=True)
class Constant(_Filled):
    name = "constant"
    formula = "value"
    value: float = 0.0

    def _value(self) -> float:
        return self.value


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
