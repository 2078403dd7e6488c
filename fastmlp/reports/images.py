"""Grids of images: samples, predictions, mistakes, weights of the first layer, feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..base.image_rows import COLOURS
from .plots import INK, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

COLUMNS = 8  # of images
_GAP = 0.12  # between images, where the width of one is 1
_LINE = 0.17  # of a caption


def image_grid(
    images: np.ndarray,
    axes: Axes,
    captions: Sequence[str] = (),
    wrong: Sequence[bool] = (),
    limits: tuple[float, float] | None = None,
    colours: str = "gray",
    columns: int = COLUMNS,
) -> AxesImage | None:
    """Draw images side by side.

    Parameters
    ----------
    images : ndarray, shape (n, height, width), or (n, height, width, 3) of colours
    axes : matplotlib.axes.Axes
        Its size should be in the proportions of :func:`grid_size`.
    captions : sequence of str, optional
        Above each image; all of as many lines.
    wrong : sequence of bool, optional
        Which captions to stress.
    limits : (float, float), optional
        The values drawn darkest and lightest; default: the least and the largest.
    colours : str, default "gray"
        A colour map of matplotlib.
    columns : int, default 8

    Returns
    -------
    AxesImage or None
        The last image, for a colour bar; None without images, and for coloured ones.
    """
    height = images.shape[1] / images.shape[2]
    margin = _LINE * _lines(captions) + _GAP
    low, high = limits or (images.min(initial=0), images.max(initial=1))
    drawn, has_colours = None, images.ndim == 4
    if has_colours:
        images = to_unit(images, (low, high))
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        left, top = column * (1 + _GAP), -row * (height + margin)
        drawn = axes.imshow(
            image, cmap=colours, vmin=low, vmax=high, interpolation="nearest",
            extent=(left, left + 1, top - height, top),
        )  # fmt: skip
        if captions:
            stress = bool(wrong) and wrong[i]
            axes.text(
                left + 0.5, top + 0.03, captions[i], ha="center", va="bottom",
                fontsize=7, color=VERMILLION if stress else INK,
                fontweight="bold" if stress else "normal", parse_math=False,
            )  # fmt: skip
    shown_columns, rows = min(len(images), columns), -(-len(images) // columns)
    axes.set_xlim(0, max(shown_columns, 1) * (1 + _GAP) - _GAP)
    axes.set_ylim(-max(rows, 1) * (height + margin) + margin, margin)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return None if has_colours else drawn


def to_unit(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Return values as shares of the way between two limits, from 0 to 1."""
    low, high = limits
    shares: np.ndarray = np.clip((values.astype(float) - low) / max(high - low, 1e-300), 0, 1)
    return shares


def as_shown(images: np.ndarray) -> np.ndarray:
    """Return images as they are drawn: in colours, without opacity, or in grey.

    Parameters
    ----------
    images : ndarray, shape (n, height, width) or (n, height, width, channels)
        3 or 4 channels are colours; of other numbers, the mean is drawn.
    """
    if images.ndim == 3:
        return images
    if images.shape[3] in COLOURS:
        return images[..., :3]
    grey: np.ndarray = images[..., 0] if images.shape[3] == 1 else images.mean(axis=3)
    return grey


def grid_size(
    n: int, image_shape: tuple[int, ...], lines: int = 0, columns: int = COLUMNS
) -> tuple[float, float]:
    """Return the width and height of a grid of images, where the width of one is 1.

    Parameters
    ----------
    n : int
        Number of images.
    image_shape : tuple of int
        Height and width first.
    lines : int
        Of a caption.
    columns : int, default 8
    """
    height = image_shape[0] / image_shape[1]
    rows = -(-n // columns)
    return min(n, columns) * (1 + _GAP), rows * (height + _LINE * lines + _GAP)


def filter_images(weights: np.ndarray, image_shape: tuple[int, ...], most: int = 64) -> np.ndarray:
    """Return the weights into the first units, or of the first filters, as images.

    Parameters
    ----------
    weights : ndarray, shape (n_features, n_units)
        Of the first layer with weights.
    image_shape : (int, int) or (int, int, int)
        Height and width, and channels if there are several.
    most : int, default 64

    Returns
    -------
    ndarray, shape (n, height, width) or (n, height, width, 3)
    """
    return as_shown(weights[:, :most].T.reshape(-1, *image_shape))


def filter_limit(filters: np.ndarray) -> float:
    """Return the weight to draw in the strongest colour: few, at most, are beyond it."""
    return float(np.quantile(np.abs(filters), 0.998)) or 1.0


def _lines(captions: Sequence[str]) -> int:
    return 1 + captions[0].count("\n") if captions else 0
