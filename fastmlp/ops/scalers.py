"""Feature scalers: fitted on the training rows, then applied as (x - offset) * factor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.errors import ConfigError, DataError
from .spec import Registry, Spec

_ROWS_AT_ONCE = 4096

Range = tuple[float, float] | None
Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Scaling:
    """A fitted scaler: ``(X - offset) * factor``.

    Attributes
    ----------
    kind : str
        The name of the scaler that was fitted.
    offset, factor : ndarray of float64, shape (n_features,) or (1,)
    """

    kind: str
    offset: np.ndarray
    factor: np.ndarray

    def apply(self, X: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the scaled copy of X, shape (n, n_features), C-contiguous, in ``dtype``."""
        scaled = np.empty(X.shape, dtype)
        for start in range(0, len(X), _ROWS_AT_ONCE):
            # In chunks: a float64 copy of a large integer matrix would be its eightfold in memory.
            rows = slice(start, start + _ROWS_AT_ONCE)
            scaled[rows] = (X[rows] - self.offset) * self.factor
        return scaled

    def undo(self, scaled: np.ndarray) -> np.ndarray:
        """Return what was scaled, in the dtype of ``scaled``; a constant feature is its offset."""
        original: np.ndarray = scaled * _inverse(self.factor) + self.offset
        return original.astype(scaled.dtype)


NO_SCALING = Scaling("none", np.zeros(1), np.ones(1))


@dataclass(frozen=True)
class Scaler(Spec):
    """A way to bring features to a common range."""

    def fit(self, X: np.ndarray, feature_range: Range) -> Scaling:
        """Fit on the training rows; ``feature_range`` is the known range, if any."""
        with np.errstate(over="ignore", invalid="ignore"):
            return Scaling(self.name, *self._offset_and_factor(X, feature_range))

    def _offset_and_factor(self, X: np.ndarray, feature_range: Range) -> Pair:
        return np.zeros(1), np.ones(1)


SCALERS: Registry[Scaler] = Registry("scale")


def _squared_deviations(X: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return sum_i (x_i - mean)^2 of each feature, float64 of shape (n_features,)."""
    total = np.zeros(X.shape[1])
    for start in range(0, len(X), _ROWS_AT_ONCE):
        total += np.square(X[start : start + _ROWS_AT_ONCE] - mean).sum(axis=0)
    return total


def _inverse(width: np.ndarray) -> np.ndarray:
    """1 / width, and 0 where the width is 0: a constant feature carries nothing."""
    if not np.isfinite(width).all():
        raise DataError(
            "features must spread over less than the range of float64, got more; divide them by "
            "a constant first"
        )
    inverse: np.ndarray = np.divide(1.0, width, out=np.zeros_like(width), where=width > 0)
    return inverse


@SCALERS.add
@dataclass(frozen=True)
class NoScaler(Scaler):
    name = "none"
    formula = "x"


@SCALERS.add
@dataclass(frozen=True)
class Unit(Scaler):
    name = "unit"
    formula = "(x - low) / (high - low) with the known range of all features"

    def _offset_and_factor(self, X: np.ndarray, feature_range: Range) -> Pair:
        if feature_range is None:
            raise ConfigError(
                "scale unit needs a known feature range, which this data set has not; "
                "use minmax or standard"
            )
        low, high = feature_range
        return np.array([low], float), _inverse(np.array([high - low], float))


@SCALERS.add
@dataclass(frozen=True)
class MinMax(Scaler):
    name = "minmax"
    formula = "(x - min) / (max - min) of each feature"

    def _offset_and_factor(self, X: np.ndarray, feature_range: Range) -> Pair:
        low, high = X.min(axis=0).astype(float), X.max(axis=0).astype(float)
        return low, _inverse(high - low)


@SCALERS.add
@dataclass(frozen=True)
class Standard(Scaler):
    name = "standard"
    formula = "(x - mean) / standard deviation of each feature"

    def _offset_and_factor(self, X: np.ndarray, feature_range: Range) -> Pair:
        low, high = X.min(axis=0), X.max(axis=0)
        mean = X.mean(axis=0, dtype=np.float64)
        deviation = np.sqrt(_squared_deviations(X, mean) / len(X))
        # Rounding can leave a tiny deviation on a constant feature; min and max are exact.
        return mean, _inverse(np.where(high > low, deviation, 0.0))


@SCALERS.add
@dataclass(frozen=True)
class StandardGlobal(Scaler):
    name = "standard_global"
    formula = "(x - mean) / standard deviation over all features together"

    def _offset_and_factor(self, X: np.ndarray, feature_range: Range) -> Pair:
        mean = np.array([X.mean(dtype=np.float64)])
        deviation = np.sqrt(_squared_deviations(X, mean).sum(keepdims=True) / X.size)
        return mean, _inverse(np.where(X.max() > X.min(), deviation, 0.0))


SCALERS.alias(standardize="standard")
