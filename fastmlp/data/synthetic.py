"""Generated data sets with two features: blobs, moons, spirals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.random import Purpose, stream
from ..ops.spec import Registry, Spec
from .dataset import Dataset

MAX_ROWS = 10_000_000
MAX_CLASSES = 1000
MAX_SPREAD = 1000.0
MAX_TURNS = 100.0


@dataclass(frozen=True)
class Synthetic(Spec):
    """A generator of a data set with two features and classes of equal size (to one row)."""

    def draw(self) -> Dataset:
        """Return the dataset with shuffled rows; the same at each call."""
        raise NotImplementedError

    def _check(self, n: int, n_classes: int, spread: str, seed: int) -> None:
        least = 2 * n_classes
        self._require(least <= n <= MAX_ROWS, "n", f"{least} (two a class) to {MAX_ROWS}")
        holds = 0 <= getattr(self, spread) <= MAX_SPREAD
        self._require(holds, spread, f"0 to {MAX_SPREAD:g}")
        self._require(0 <= seed < 2**64, "seed", "0 to 2**64 - 1")


SYNTHETIC: Registry[Synthetic] = Registry("dataset")


@SYNTHETIC.add
@dataclass(frozen=True)
class Blobs(Synthetic):
    """Gaussian blobs whose centres are on a circle, 6 apart: they overlap if std is 1 or more."""

    name = "blobs"
    formula = "c_k + std * N(0, I); c_k = 3 / sin(π / K) * (cos φ, sin φ), φ = 2 π k / K"
    n: int = 1000
    classes: int = 3
    std: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._require(2 <= self.classes <= MAX_CLASSES, "classes", f"2 to {MAX_CLASSES}")
        self._check(self.n, self.classes, "std", self.seed)

    def draw(self) -> Dataset:
        labels, rng = _labels(self.n, self.classes, self.seed)
        angle = 2 * np.pi * labels / self.classes
        radius = 3 / np.sin(np.pi / self.classes)
        X = radius * _directions(angle) + self.std * rng.standard_normal((self.n, 2))
        return Dataset(X, labels, name=str(self))


@SYNTHETIC.add
@dataclass(frozen=True)
class Moons(Synthetic):
    """Two interleaving half circles."""

    name = "moons"
    formula = "class 0: (cos t, sin t), 1: (1 - cos t, 1/2 - sin t), t in [0, π]; + noise * N(0, I)"
    n: int = 1000
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        self._check(self.n, 2, "noise", self.seed)

    def draw(self) -> Dataset:
        labels, rng = _labels(self.n, 2, self.seed)
        outer = _directions(np.pi * rng.random(self.n))
        X = np.where(labels[:, None] == 0, outer, np.array([1, 0.5]) - outer)
        X += self.noise * rng.standard_normal((self.n, 2))
        return Dataset(X, labels, name=str(self))


@SYNTHETIC.add
@dataclass(frozen=True)
class Spirals(Synthetic):
    """Two interleaved spirals, 1 apart for any number of turns."""

    name = "spirals"
    formula = "r = θ / π at the angle θ + π k, θ in [π / 2, π / 2 + 2 π turns]; + noise * N(0, I)"
    n: int = 1000
    noise: float = 0.1
    turns: float = 1.5
    seed: int = 0

    def __post_init__(self) -> None:
        self._check(self.n, 2, "noise", self.seed)
        self._require(0 < self.turns <= MAX_TURNS, "turns", f"above 0, at most {MAX_TURNS:g}")

    def draw(self) -> Dataset:
        labels, rng = _labels(self.n, 2, self.seed)
        # Not from the centre on, where the arms would meet.
        first = np.pi / 2
        last = first + 2 * np.pi * self.turns
        # An arm's length grows with θ²: rows lie equally dense along it.
        theta = np.sqrt(first**2 + (last**2 - first**2) * rng.random(self.n))
        X = (theta / np.pi)[:, None] * _directions(theta + np.pi * labels)
        X += self.noise * rng.standard_normal((self.n, 2))
        return Dataset(X, labels, name=str(self))


def _labels(n: int, n_classes: int, seed: int) -> tuple[np.ndarray, np.random.Generator]:
    """Return shuffled labels, int64 of shape (n,), and the stream to draw the points from."""
    rng = stream(seed, Purpose.SYNTHETIC)
    return rng.permutation(np.arange(n) % n_classes), rng


def _directions(angle: np.ndarray) -> np.ndarray:
    """Return (cos, sin) of each angle, shape (n, 2)."""
    return np.stack((np.cos(angle), np.sin(angle)), axis=1)
