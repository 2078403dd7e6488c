"""What a model knows about its features: names, and the values seen in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.csr import Features
from ..ops import columns

NUMBER = "number"


@dataclass(frozen=True, eq=False)
class FeatureInfo:
    """Names, and the range and mean of each feature in the training part, before scaling.

    Attributes
    ----------
    low, high, mean : ndarray of float64, shape (n_features,)
    names : tuple of str or None
        None where the training data had no names: features are then told by position.
    kinds : tuple of str, length n_features or 0
        ``number`` for each; empty means that all are numbers.
    image_shape : (int, int) or None
        Height and width, where a row is an image.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    names: tuple[str, ...] | None = None
    kinds: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.low)

    @classmethod
    def of(
        cls,
        X: Features,
        names: tuple[str, ...] | None = None,
        image_shape: tuple[int, int] | None = None,
    ) -> FeatureInfo:
        """Describe the rows of a training part.

        Parameters
        ----------
        X : ndarray, Selection or csr_array, shape (n, n_features)
            Raw features.
        names : tuple of str, optional
        image_shape : (int, int), optional
        """
        low, high = columns.extremes(X)
        return cls(
            low.astype(np.float64), high.astype(np.float64), columns.means(X), names, (),
            image_shape,
        )  # fmt: skip
