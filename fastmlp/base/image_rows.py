"""Images in arrays of several dimensions as the rows of a matrix."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .csr import is_sparse
from .table_rows import is_table

COLOURS = (3, 4)  # red, green, blue, and perhaps opacity


class ImageRows(NamedTuple):
    """Images as the rows of a matrix.

    Attributes
    ----------
    X : array_like, shape (n, n_features)
    shape : (int, int, int) or None
        Height, width and channels of an image; None if the rows were not given as images.
    """

    X: Any
    shape: tuple[int, int, int] | None = None

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Height and width, then channels if there are several; None for lines of one pixel."""
        if self.shape is None or min(self.shape[:2]) < 2:
            return None
        return self.shape[:2] if self.shape[2] == 1 else self.shape


def rows_of_images(value: Any, known: tuple[int, ...] | None = None) -> ImageRows:
    """Return images as rows: pixel by pixel along each line, the channels of a pixel together.

    Parameters
    ----------
    value : array_like
        Grey images of shape (n, height, width), (n, height, width, 1) or (n, 1, height, width);
        coloured ones with 3 or 4 channels in the last dimension, or in the second one, which is
        then moved to the end. Anything else is returned as it is.
    known : tuple of int, optional
        The shape of an image, if it is known: (height, width, channels) of any number of channels.

    Returns
    -------
    ImageRows
        Without a copy, unless channels are moved.
    """
    if is_sparse(value) or is_table(value):
        return ImageRows(value)
    try:
        images = np.asarray(value)
    except (TypeError, ValueError):
        return ImageRows(value)  # the matrix checks will refuse it
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[1:] == known:
        return _rows(images)
    if images.ndim != 4 or 0 in images.shape[1:]:
        return ImageRows(value)
    second, last = images.shape[1], images.shape[3]
    if last != 1 and (second == 1 or last not in COLOURS):
        if second not in (1, *COLOURS):
            return ImageRows(value)
        images = np.moveaxis(images, 1, 3)
    return _rows(images)


def _rows(images: np.ndarray) -> ImageRows:
    n, *shape = images.shape
    return ImageRows(images.reshape(n, math.prod(shape)), images.shape[1:])
