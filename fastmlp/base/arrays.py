"""Arrays as callers have them: masked ones, and images of several dimensions."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .csr import is_sparse
from .errors import DataError

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
    def image_shape(self) -> tuple[int, int] | None:
        """Height and width of a grey image; None for colours, and for lines of one pixel."""
        if self.shape is None or self.shape[2] != 1 or min(self.shape[:2]) < 2:
            return None
        return self.shape[:2]


def rows_of_images(value: Any) -> ImageRows:
    """Return images as rows: pixel by pixel along each line, the channels of a pixel together.

    Parameters
    ----------
    value : array_like
        Grey images of shape (n, height, width), (n, height, width, 1) or (n, 1, height, width);
        coloured ones with 3 or 4 channels in the last dimension, or in the second one, which is
        then moved to the end. Anything else is returned as it is.

    Returns
    -------
    ImageRows
        Without a copy, unless channels are moved.
    """
    if is_sparse(value):
        return ImageRows(value)
    try:
        images = np.asarray(value)
    except (TypeError, ValueError):
        return ImageRows(value)  # the checks of matrices say why
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or 0 in images.shape[1:]:
        return ImageRows(value)
    second, last = images.shape[1], images.shape[3]
    if last != 1 and (second == 1 or last not in COLOURS):
        if second not in (1, *COLOURS):
            return ImageRows(value)
        images = np.moveaxis(images, 1, 3)
    n, *shape = images.shape
    return ImageRows(images.reshape(n, math.prod(shape)), images.shape[1:])


def unmasked(value: Any, name: str) -> Any:
    """Return a masked array as a plain one, and anything else as it is.

    Parameters
    ----------
    value : object
    name : str
        What the error message calls it.

    Raises
    ------
    DataError
        If an entry is masked: a plain array would hold an arbitrary number there.
    """
    parts = value if isinstance(value, (list, tuple)) else (value,)
    masks = [np.ma.getmaskarray(part) for part in parts if np.ma.isMaskedArray(part)]
    n_masked = sum(map(np.count_nonzero, masks))
    if n_masked:
        raise DataError(
            f"{name} must not have masked entries, got {n_masked}; fill them with "
            f"{name}.filled(value), or drop such rows with np.ma.compress_rows({name})"
        )
    return np.ma.getdata(value) if np.ma.isMaskedArray(value) else value
