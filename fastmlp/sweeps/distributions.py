"""Distributions that random search draws the values of an axis from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..base.elementary import exp, log, uniform
from ..base.errors import ConfigError
from ..ops.spec import Registry, Spec


@dataclass(frozen=True)
class Distribution(Spec):
    """Base of distributions between two ends.

    Parameters
    ----------
    low, high : float
        ``low`` below ``high``.
    """

    name: ClassVar[str]
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        self._require(self.low < self.high, "high", f"above low, {self.low:g}")

    def __str__(self) -> str:
        return f"{self.name}({self.low!r}, {self.high!r})"

    def ends(self) -> tuple[Any, ...]:
        """Return the smallest and the largest value that can be drawn."""
        return self.low, self.high

    def draw(self, rng: np.random.Generator) -> Any:
        """Return a value."""
        raise NotImplementedError

    def suggest(self, trial: Any, name: str) -> Any:
        """Return the value that a trial of Optuna suggests."""
        return trial.suggest_float(name, self.low, self.high)


DISTRIBUTIONS: Registry[Distribution] = Registry("distribution")


@DISTRIBUTIONS.add
@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform between the ends."""

    name = "uniform"

    def draw(self, rng: np.random.Generator) -> float:
        return float(uniform(rng, self.low, self.high))


@DISTRIBUTIONS.add
@dataclass(frozen=True)
class LogUniform(Distribution):
    """Log-uniform between the ends, which must be above 0."""

    name = "loguniform"
    low: float = 1e-3

    def __post_init__(self) -> None:
        self._require(self.low > 0, "low", "above 0")
        super().__post_init__()

    def draw(self, rng: np.random.Generator) -> float:
        return float(exp(uniform(rng, float(log(self.low)), float(log(self.high)))))

    def suggest(self, trial: Any, name: str) -> Any:
        return trial.suggest_float(name, self.low, self.high, log=True)


@DISTRIBUTIONS.add
@dataclass(frozen=True)
class Integers(Distribution):
    """Uniform integers, both ends included."""

    name = "integers"
    low: int = 1
    high: int = 10

    def draw(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self.low, self.high, endpoint=True))

    def suggest(self, trial: Any, name: str) -> Any:
        return trial.suggest_int(name, self.low, self.high)


def as_distribution(value: Any) -> Distribution | None:
    """Return the distribution that a value is or describes, or None.

    Raises
    ------
    ConfigError
        For a known distribution with bad parameters.
    """
    if isinstance(value, Distribution):
        return value
    if not isinstance(value, str) or value.partition("(")[0].strip() not in DISTRIBUTIONS.records:
        return None
    if "(" not in value:
        raise ConfigError(f"distribution {value} needs its ends; write {value}(0.001, 1)")
    return DISTRIBUTIONS.parse(value)
