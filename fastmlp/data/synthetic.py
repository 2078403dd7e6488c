"""Generated data sets with two features: blobs, moons, spirals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.elementary import cos2pi, sin2pi, standard_normal
from ..base.random import Purpose, stream
from ..base.settings import Range
from ..ops.spec import Registry, Spec, within
from .dataset import Dataset

MAX_ROWS = 10_000_000
MAX_CLASSES = 1000
MAX_SPREAD = 1000.0
MAX_TURNS = 100.0
CLASSES = Range(f"2 to {MAX_CLASSES}", lambda count: 2 <= count <= MAX_CLASSES)
SPREAD = Range(f"0 to {MAX_SPREAD:g}", lambda spread: 0 <= spread <= MAX_SPREAD)
TURNS = Range(f"above 0, at most {MAX_TURNS:g}", lambda turns: 0 < turns <= MAX_TURNS)
SEED = Range("0 to 2**64 - 1", lambda seed: 0 <= seed < 2**64)


@dataclass(frozen=True)
class Synthetic(Spec):
    """A generator of a data set with two features and classes of equal size (to one row)."""

    classes = 2
    n: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        least = 2 * self.classes
        self._require(least <= self.n <= MAX_ROWS, "n", f"{least} (two a class) to {MAX_ROWS}")

    def draw(self) -> Dataset:
        """Return the dataset with shuffled rows; the same at each call."""
        raise NotImplementedError

    def _labels(self, seed: int) -> tuple[np.ndarray, np.random.Generator]:
        """Return shuffled labels, int64 of shape (n,), and the stream to draw the points from."""
        rng = stream(seed, Purpose.SYNTHETIC)
        return rng.permutation(np.arange(self.n) % self.classes), rng


SYNTHETIC: Registry[Synthetic] = Registry("dataset")


@SYNTHETIC.add
@dataclass(frozen=True)
class Blobs(Synthetic):
    """Gaussian blobs whose centres are on a circle, 6 apart: they overlap if std is 1 or more."""

    name = "blobs"
    formula = "c_k + std * N(0, I); c_k = 3 / sin(π / K) * (cos φ, sin φ), φ = 2 π k / K"
    classes: int = within(CLASSES, 3)
    std: float = within(SPREAD, 1.0)
    seed: int = within(SEED, 0)

    def draw(self) -> Dataset:
        labels, rng = self._labels(self.seed)
        radius = 3 / sin2pi(0.5 / self.classes)
        X = radius * _directions(labels / self.classes)
        X += self.std * standard_normal(rng, (self.n, 2))
        return Dataset(X, labels, name=str(self))


@SYNTHETIC.add
@dataclass(frozen=True)
class Moons(Synthetic):
    """Two interleaving half circles."""

    name = "moons"
    formula = "class 0: (cos t, sin t), 1: (1 - cos t, 1/2 - sin t), t in [0, π]; + noise * N(0, I)"
    noise: float = within(SPREAD, 0.1)
    seed: int = within(SEED, 0)

    def draw(self) -> Dataset:
        labels, rng = self._labels(self.seed)
        outer = _directions(rng.random(self.n) / 2)
        X = np.where(labels[:, None] == 0, outer, np.array([1, 0.5]) - outer)
        X += self.noise * standard_normal(rng, (self.n, 2))
        return Dataset(X, labels, name=str(self))


@SYNTHETIC.add
@dataclass(frozen=True)
class Spirals(Synthetic):
    """Two interleaved spirals, 1 apart for any number of turns."""

    name = "spirals"
    formula = "r = θ / π at the angle θ + π k, θ in [π / 2, π / 2 + 2 π turns]; + noise * N(0, I)"
    noise: float = within(SPREAD, 0.1)
    turns: float = within(TURNS, 1.5)
    seed: int = within(SEED, 0)

    def draw(self) -> Dataset:
        labels, rng = self._labels(self.seed)
        # Not from the centre, which both arms would touch.
        first = 0.25
        last = first + self.turns
        # An arm's length grows with θ²: rows lie equally dense along it.
        turns = np.sqrt(first**2 + (last**2 - first**2) * rng.random(self.n))
        X = 2 * turns[:, None] * _directions(turns + labels / 2)
        X += self.noise * standard_normal(rng, (self.n, 2))
        return Dataset(X, labels, name=str(self))


def _directions(turns: np.ndarray) -> np.ndarray:
    """Return (cos, sin) of each angle, in turns, shape (n, 2)."""
    return np.stack((cos2pi(turns), sin2pi(turns)), axis=1)
