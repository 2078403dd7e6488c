"""Feature scalers: fitted on the training rows, then applied as (x - offset) * factor.

With smooth clipping, a scaled value s then becomes s / sqrt(1 + (s / clip)^2).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..base.csr import Features
from ..base.errors import ConfigError, DataError
from ..base.selection import Selection
from . import columns
from .columns import Pair
from .spec import Registry, Spec

Range = tuple[float, float] | None
ROUNDING = 1e-4


@dataclass(frozen=True, eq=False)
class Scaling:
    """A fitted scaler: ``(X - offset) * factor``, which may be clipped smoothly.

    Attributes
    ----------
    kind : str
        The name of the scaler that was fitted.
    offset, factor : ndarray of float64, shape (n_features,) or (1,)
    clip : float, default 0
        The limit that a scaled value approaches; 0: none.
    """

    kind: str
    offset: np.ndarray
    factor: np.ndarray
    clip: float = 0.0

    def apply(self, X: np.ndarray | Selection, dtype: np.dtype) -> np.ndarray:
        """Return the scaled copy of X, shape (n, n_features), C-contiguous, in ``dtype``."""
        scaled = np.empty(X.shape, dtype)
        for start in range(0, len(X), columns.ROWS_AT_ONCE):
            # In chunks: a float64 copy of a large integer matrix would take eight times its memory.
            rows = slice(start, start + columns.ROWS_AT_ONCE)
            scaled[rows] = clipped((X[rows] - self.offset) * self.factor, self.clip)
        return scaled

    @property
    def formula(self) -> str:
        """What :meth:`apply` computes of z, with the names offset and factor, for exports."""
        return scaled_formula("z", "offset", "factor", self.clip)

    @property
    def width(self) -> np.ndarray:
        """1 / factor, and 0 for a factor of 0."""
        return _inverse(self.factor)

    def undo(self, scaled: np.ndarray) -> np.ndarray:
        """Return the original values; a constant feature becomes its offset.

        In the dtype of ``scaled``, or in float64 if that dtype would round values of the size of
        the offset by more than ``ROUNDING`` of a scaled unit: near 1e9, float32 values are 64
        apart.
        """
        original: np.ndarray = scaled * self.width + self.offset
        rounding = np.finfo(scaled.dtype).eps * np.abs(self.offset * self.factor).max()
        return original.astype(scaled.dtype) if rounding <= ROUNDING else original


NO_SCALING = Scaling("none", np.zeros(1), np.ones(1))


def clipped(scaled: np.ndarray, limit: float) -> np.ndarray:
    """Return s / sqrt(1 + (s / limit)^2) of each value, or the values with a limit of 0."""
    if not limit:
        return scaled
    # The square of a large value is infinite. (hypot is the C library's: its last bits differ.)
    with np.errstate(invalid="ignore", over="ignore"):  # infinity becomes NaN, refused later
        ratio = scaled / limit
        size = np.abs(ratio)
        far = size > 1.0
        inverse = 1.0 / np.where(far, size, 1.0)
        root = np.sqrt(np.where(far, 1.0 + inverse * inverse, 1.0 + np.where(far, 0.0, ratio) ** 2))
        found: np.ndarray = scaled / (root * np.where(far, size, 1.0))
    return found


def scaled_formula(value: str, offset: str, factor: str, clip: float) -> str:
    """Return the formula of a scaled value; see :mod:`~fastmlp.ops.expressions`."""
    scaled = f"({value} - {offset}) * {factor}"
    return f"s = {scaled}\ns / sqrt(1 + s * s / {clip * clip!r})" if clip else scaled


@dataclass(frozen=True)
class Scaler(Spec):
    """A way to bring features to a common range."""

    clip: ClassVar[float] = 0.0  # the limit that scaled values approach smoothly; 0: none
    is_of_targets: ClassVar[bool] = True  # whether targets can be scaled so

    def fit(self, X: Features, feature_range: Range) -> Scaling:
        """Fit on the training rows, dense or CSR; ``feature_range`` is the known range, if any."""
        with np.errstate(over="ignore", invalid="ignore"):
            return Scaling(self.name, *self._offset_and_factor(X, feature_range), self.clip)

    def fit_columns(self, columns: Iterable[np.ndarray]) -> list[tuple[float, float]]:
        """Return offset and factor of each of several features, which are given one by one."""
        fitted = [self.fit(column.reshape(-1, 1), None) for column in columns]
        return [(float(found.offset[0]), float(found.factor[0])) for found in fitted]

    def _offset_and_factor(self, X: Features, feature_range: Range) -> Pair:
        return np.zeros(1), np.ones(1)


SCALERS: Registry[Scaler] = Registry("scale")


def _inverse(width: np.ndarray) -> np.ndarray:
    """Return 1 / width, and 0 for a width of 0: a constant feature has no information."""
    if not np.isfinite(width).all():
        raise DataError(
            "features must spread over less than the range of float64, got more; divide them by "
            "a constant first"
        )
    inverse: np.ndarray = np.divide(1.0, width, out=np.zeros_like(width), where=width > 0)
    return inverse


@SCALERS.add
class NoScaler(Scaler):
    name = "none"
    formula = "x"


@SCALERS.add
class Unit(Scaler):
    name = "unit"
    formula = "(x - low) / (high - low) with the known range of all features"
    is_of_targets = False

    def _offset_and_factor(self, X: Features, feature_range: Range) -> Pair:
        if feature_range is None:
            raise ConfigError(
                "scale unit needs a known feature range, which this data set does not have; "
                "use minmax or standard"
            )
        low, high = feature_range
        return np.array([low], float), _inverse(np.array([high - low], float))


@SCALERS.add
class MinMax(Scaler):
    name = "minmax"
    formula = "(x - min) / (max - min) of each feature"

    def _offset_and_factor(self, X: Features, feature_range: Range) -> Pair:
        low, high = (extreme.astype(float) for extreme in columns.extremes(X))
        return low, _inverse(high - low)


@SCALERS.add
class MaxAbs(Scaler):
    name = "maxabs"
    formula = "x / max |x| of each feature: zeros stay zero"

    def _offset_and_factor(self, X: Features, feature_range: Range) -> Pair:
        low, high = (extreme.astype(float) for extreme in columns.extremes(X))
        factor = _inverse(np.maximum(-low, high))
        return np.zeros_like(factor), factor


@SCALERS.add
class Standard(Scaler):
    name = "standard"
    formula = "(x - mean) / standard deviation of each feature"

    def _offset_and_factor(self, X: Features, feature_range: Range) -> Pair:
        low, high = columns.extremes(X)
        mean = columns.means(X)
        deviation = np.sqrt(columns.squared_deviations(X, mean) / X.shape[0])
        # Rounding can leave a tiny deviation on a constant feature; min and max are exact.
        return mean, _inverse(np.where(high > low, deviation, 0.0))


@SCALERS.add
class StandardGlobal(Scaler):
    name = "standard_global"
    formula = "(x - mean) / standard deviation over all features together"

    def fit_columns(self, columns: Iterable[np.ndarray]) -> list[tuple[float, float]]:
        features = list(columns)
        if not features:
            return []
        return super().fit_columns([np.concatenate(features)]) * len(features)

    def _offset_and_factor(self, X: Features, feature_range: Range) -> Pair:
        low, high = columns.extremes(X)
        mean = np.array([columns.mean_of_all(X)])
        squares = columns.squared_deviations(X, mean).sum(keepdims=True)
        deviation = np.sqrt(squares / math.prod(X.shape))
        return mean, _inverse(np.where(high.max() > low.min(), deviation, 0.0))


@SCALERS.add
class Robust(Scaler):
    name = "robust"
    formula = (
        "s / sqrt(1 + (s / 3)^2), s = (x - median) / (the range between the quartiles, or half the "
        "whole range if that is 0)"
    )
    clip = 3.0
    is_of_targets = False

    def _offset_and_factor(self, X: Features, feature_range: Range) -> Pair:
        low, high = columns.extremes(X)
        lower, median, upper = columns.quartiles(X)
        half = (high.astype(float) - low.astype(float)) / 2
        return median, _inverse(np.where(upper > lower, upper - lower, half))


SCALERS.alias(standardize="standard")
