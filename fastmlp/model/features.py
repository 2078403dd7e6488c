"""The features of a model: names, and statistics of the training part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.csr import Features, blocks, is_sparse
from ..ops import columns

STATISTICS = ("low", "high", "mean")


@dataclass(frozen=True, eq=False)
class FeatureInfo:
    """Names, and the range and mean of each feature in the training part, before scaling.

    Attributes
    ----------
    low, high, mean : ndarray of float64, shape (n_features,)
    names : tuple of str or None
        None if the training data had no names; features are then identified by position.
    image_shape : (int, int) or (int, int, int) or None
        Height and width, if a row is a grey image; and channels, if it is one with several.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.low)

    @classmethod
    def of(
        cls,
        X: Features,
        names: tuple[str, ...] | None = None,
        image_shape: tuple[int, ...] | None = None,
    ) -> FeatureInfo:
        """Describe the rows of a training part.

        Parameters
        ----------
        X : ndarray, Selection or csr_array, shape (n, n_features)
            Raw features.
        names : tuple of str, optional
        image_shape : (int, int) or (int, int, int), optional
        """
        return cls(*_summary(X), names, image_shape)


def _summary(X: Features) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the lowest, the highest and the mean value of each column, as float64."""
    if is_sparse(X):
        low, high = columns.extremes(X)
        return low.astype(np.float64), high.astype(np.float64), columns.means(X)
    n_features = X.shape[1]
    low, high = np.full(n_features, np.inf), np.full(n_features, -np.inf)
    total = np.zeros(n_features)
    for rows in blocks(X):
        np.minimum(low, rows.min(axis=0), out=low)
        np.maximum(high, rows.max(axis=0), out=high)
        total += rows.sum(axis=0, dtype=np.uint32 if rows.dtype == np.uint8 else np.float64)
    return low, high, total / X.shape[0]
