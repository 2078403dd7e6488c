"""Grids of images: samples, predictions, mistakes, and weights of the first layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .plots import INK, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

COLUMNS = 8
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
    images : ndarray, shape (n, height, width)
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
        The last image, for a colour bar; None without images.
    """
    height = images.shape[1] / images.shape[2]
    margin = _LINE * _lines(captions) + _GAP
    low, high = limits or (images.min(initial=0), images.max(initial=1))
    drawn = None
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
    return drawn


def grid_size(
    n: int, image_shape: tuple[int, int], lines: int = 0, columns: int = COLUMNS
) -> tuple[float, float]:
    """Return the width and height of a grid of images, where the width of one is 1.

    Parameters
    ----------
    n : int
        Number of images.
    image_shape : (int, int)
        Height and width.
    lines : int
        Of a caption.
    columns : int, default 8
    """
    height = image_shape[0] / image_shape[1]
    rows = -(-n // columns)
    return min(n, columns) * (1 + _GAP), rows * (height + _LINE * lines + _GAP)


def filter_images(weights: np.ndarray, image_shape: tuple[int, int], most: int = 64) -> np.ndarray:
    """Return the weights into the first units as images, shape (n, height, width).

    Parameters
    ----------
    weights : ndarray, shape (n_features, n_units)
        Of the first layer.
    image_shape : (int, int)
    most : int, default 64
    """
    return weights[:, :most].T.reshape(-1, *image_shape)


def filter_limit(filters: np.ndarray) -> float:
    """Return the weight to draw in the strongest colour: few, at most, are beyond it."""
    return float(np.quantile(np.abs(filters), 0.998)) or 1.0


def _lines(captions: Sequence[str]) -> int:
    return 1 + captions[0].count("\n") if captions else 0
