"""Pixel values of the training images: their range, and the brightness of their background."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..base.errors import DataError
from ..ops.scalers import Scaling
from .features import FeatureInfo

WHITE = 255
Range = tuple[float, float]
BYTES = (0.0, 255.0)
# Usual ranges of images. Data fit a range if they are inside and reach its first and last quarter;
# the narrowest that fits is taken.
USUAL = ((0.0, 1.0), (-0.5, 0.5), (-1.0, 1.0), (0.0, 15.0), (0.0, 16.0), BYTES, (0.0, 65535.0))
SLACK = 1e-6
# Both in shares of half the range. The background of training images is known if pixels differ from
# mid-grey by at least the first on average. An image is opposite if its background is beyond
# mid-grey by more than the second. The backgrounds of all 70,000 images of MNIST and of the 1797
# digits are at least 0.63 away from mid-grey, on the right side.
LEAST_CONTRAST = 0.2
LEAST_OPPOSITION = 0.1
_ROWS_AT_ONCE = 4096


class Polarity(NamedTuple):
    """The background of the training images: black or white, and its pixels.

    Attributes
    ----------
    background : {0, 1}
        Black or white.
    weights : ndarray, shape (n_features,)
        How certainly each pixel is background; the sum is 1.
    """

    background: int
    weights: np.ndarray


def usual_range(low: float, high: float, ranges: Iterable[Range] = USUAL) -> Range | None:
    """Return the range that values from ``low`` to ``high`` probably have, or None."""
    fitting = []
    for first, last in ranges:
        width = last - first
        slack = SLACK * width
        inside = first - slack <= low and high <= last + slack
        if inside and low <= first + width / 4 and high >= last - width / 4:
            fitting.append((width, (first, last)))
    return min(fitting)[1] if fitting else None


def training_range(features: FeatureInfo | None, scaling: Scaling) -> Range | None:
    """Return the values of black and white in the features of a model; None if not known.

    The first that applies:

    1. the range of scale unit, if the training values fit it;
    2. a usual range, if they fit one;
    3. the range of scale unit, in any case;
    4. the smallest and largest training value, if at least half of the varying features reach one
       of them, as with pixels that were all scaled in the same way.

    Parameters
    ----------
    features : FeatureInfo or None
    scaling : Scaling

    Raises
    ------
    DataError
        If features were scaled one by one before training, so that they have no common range.
    """
    declared = None
    if scaling.kind == "unit" and scaling.factor[0] > 0:
        first, width = float(scaling.offset[0]), 1 / float(scaling.factor[0])
        declared = (first, float(np.round(first + width, 9)))
    if features is None:
        return declared
    low, high = float(features.low.min()), float(features.high.max())
    known = () if declared is None else (declared,)
    found = usual_range(low, high, known) or usual_range(low, high) or declared
    if found is not None or low == high:
        return found
    varies = features.high > features.low
    shared = (features.low == low) | (features.high == high)
    if 2 * np.count_nonzero(shared & varies) >= np.count_nonzero(varies):
        return low, high
    raise DataError(
        "images from 0 to 255 must be scaled to the range of the training images, "
        f"and the training data, from {low:.4g} to {high:.4g}, were scaled feature by feature "
        "beforehand; train on the images as they are with --scale standard, or scale these images "
        "as in training and give them as NPZ"
    )


def to_range(pixels: np.ndarray, target: Range) -> np.ndarray:
    """Return bytes scaled to a range; unchanged for 0 to 255."""
    if target == BYTES:
        return pixels
    low, high = target
    scaled: np.ndarray = pixels / WHITE * (high - low) + low
    return scaled


def polarity(features: FeatureInfo | None, target: Range | None) -> Polarity | None:
    """Return the background of the training images, or None if it is not known.

    It is not known if pixels are grey on average: in photographs, or if some images are bright on
    dark and others dark on bright.
    """
    if features is None or target is None:
        return None
    low, high = target
    # From 1 for a pixel that is always black to -1 for one that is always white.
    darkness = np.clip(1 - 2 * (features.mean - low) / (high - low), -1, 1)
    if np.abs(darkness).mean() < LEAST_CONTRAST:
        return None
    background = int(darkness.mean() < 0)
    weights = np.square(np.maximum(-darkness if background else darkness, 0))
    return Polarity(background, weights / weights.sum())


class Images(NamedTuple):
    """Grey values or colours as in the files.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (n, n_features)
    opacity : ndarray of uint8, shape (n, n_features), or None
        From 0 to 255; None if nothing is transparent.
    white : float
        The value of white; black is 0.
    """

    pixels: np.ndarray
    opacity: np.ndarray | None = None
    white: float = WHITE

    def blended(self, inverted: np.ndarray, background: int) -> np.ndarray:
        """Return the pixels: some images inverted, transparent pixels as background.

        Parameters
        ----------
        inverted : ndarray of bool, shape (n,)
        background : {0, 1}
            Black or white.
        """
        pixels: np.ndarray = self.pixels
        if inverted.any():
            pixels = np.asarray(np.where(inverted[:, None], self.white - pixels, pixels))
        if self.opacity is None:
            return pixels
        share = self.opacity / WHITE
        mixed: np.ndarray = pixels * share + background * self.white * (1 - share)
        return mixed

    def opposite(self, known: Polarity) -> np.ndarray:
        """Return whether each image has the opposite background of the training images.

        True also for an image that is invisible on the training background but visible when
        inverted, such as black ink on a transparent background.
        """
        nothing = np.zeros(len(self.pixels), bool)
        found = self._seems_opposite(self.blended(nothing, known.background), known)
        if self.opacity is None:
            return found
        share = self.opacity / WHITE
        ink = (share * self.pixels).sum(axis=1) / np.maximum(share.sum(axis=1), 1 / WHITE)
        is_near = np.abs(ink / self.white - known.background) < 0.5
        is_lost = (self.opacity.min(axis=1) < WHITE) & is_near
        inverted = self.blended(~nothing, known.background)
        found |= is_lost & ~self._seems_opposite(inverted, known)
        return found

    def _seems_opposite(self, pixels: np.ndarray, known: Polarity) -> np.ndarray:
        found = np.empty(len(pixels), bool)
        for start in range(0, len(pixels), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            brightness = (pixels[rows] * (2 / self.white) - 1) @ known.weights
            found[rows] = (-brightness if known.background else brightness) > LEAST_OPPOSITION
        return found
