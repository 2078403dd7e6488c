"""Pictures of what a network has learned from images: weights, and feature maps of an example."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..base.conversion import as_dense
from ..model.feature_maps import FeatureMaps, feature_maps
from ..model.network import Network
from ..ops.layer_lists import shape_text
from ..ops.layers import Conv2d, pair
from .evaluation import RunEvaluation
from .figures import new_figure
from .images import filter_images, filter_limit, grid_size, image_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CONVOLUTIONS = 4
MOST_MAPS = 64
MAP_COLUMNS = 12
EXAMPLE = 0  # the row whose feature maps are shown
_INCHES = 0.56  # of a feature map


class Filters(NamedTuple):
    """The weights into the first units, or of the first filters, as images.

    Attributes
    ----------
    images : ndarray, shape (n, height, width) or (n, height, width, 3)
    limit : float
        The weight to draw in the strongest colour.
    title : str
    """

    images: np.ndarray
    limit: float
    title: str


def first_filters(evaluation: RunEvaluation) -> Filters | None:
    """Return the first weights as images; None if they are not of an image."""
    network = evaluation.result.predictor.network
    shape, title = _first_weights(network, evaluation.image_shape)
    if shape is None:
        return None
    weights = network.weights[0]
    images = filter_images(weights, shape)
    return Filters(
        images, filter_limit(images), f"{title} 1 to {len(images)} of {weights.shape[1]}"
    )


def filter_figure(evaluation: RunEvaluation) -> Figure | None:
    """Return a figure of :func:`first_filters`."""
    filters = first_filters(evaluation)
    if filters is None:
        return None
    limit = filters.limit
    width, height = grid_size(len(filters.images), filters.images.shape[1:])
    figure = new_figure(max(4.0, 0.8 * width + 1), 0.8 * height + 0.5)
    axes = figure.add_subplot()
    image = image_grid(filters.images, axes, limits=(-limit, limit), colours="RdBu_r")
    figure.suptitle(filters.title)
    if image is not None:
        figure.colorbar(image, ax=axes, label="weight", fraction=0.046, pad=0.02)
    return figure


def _first_weights(
    network: Network, image_shape: tuple[int, ...] | None
) -> tuple[tuple[int, ...] | None, str]:
    """Return the shape of the first weights into a unit as an image, and what they are.

    None if they are not of an image.
    """
    number = network.weighted[0]
    layer, inputs = network.layers[number], network.shapes[number]
    if isinstance(layer, Conv2d):
        channels = inputs[2]
        shape = (*pair(layer.kernel_size), *((channels,) if channels > 1 else ()))
        return shape, f"weights of the first convolution, {shape_text(shape)}, filters"
    if image_shape is None or math.prod(image_shape) != network.weights[0].shape[0]:
        return None, ""
    return image_shape, "weights into the first layer, units"


class ExampleMaps(NamedTuple):
    """Feature maps of an example.

    Attributes
    ----------
    image : ndarray, shape (1, height, width) or (1, height, width, 3)
    layers : list of (str, ndarray of shape (n, height, width))
        A title for each convolution, and its first maps.
    title : str
    """

    image: np.ndarray
    layers: list[tuple[str, np.ndarray]]
    title: str


def example_maps(evaluation: RunEvaluation) -> ExampleMaps | None:
    """Return an example and its feature maps after each convolution; None without any."""
    network, part = evaluation.result.predictor.network, evaluation.judged
    if not network.stores_images or evaluation.image_shape is None:
        return None
    rows = np.array([EXAMPLE])
    found = feature_maps(evaluation.result.predictor, as_dense(part.X[rows], "X"))
    layers = [(_title(maps), _first(maps)) for maps in found[:MOST_CONVOLUTIONS]]
    title = f"feature maps of row {EXAMPLE} of the {part.name} set"
    return ExampleMaps(evaluation.images(part, rows), layers, title) if layers else None


def feature_map_figure(evaluation: RunEvaluation) -> Figure | None:
    """Return a figure of :func:`example_maps`."""
    found = example_maps(evaluation)
    if found is None:
        return None
    image = found.image
    heights = [_height(1, image.shape[1:])]
    heights += [_height(len(maps), maps.shape[1:]) for _, maps in found.layers]
    width = max(4.0, _INCHES * grid_size(MAP_COLUMNS, (1, 1), 0, MAP_COLUMNS)[0] + 0.2)
    figure = new_figure(width, sum(heights) + 0.4)
    figure.suptitle(found.title)
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    image_grid(image, axes[0], ["input"], limits=evaluation.feature_range, columns=MAP_COLUMNS)
    for (title, maps), drawn in zip(found.layers, axes[1:], strict=True):
        image_grid(maps, drawn, limits=map_limits(maps), columns=MAP_COLUMNS)
        drawn.set_title(title, loc="left", fontsize=9)
    for each in axes:  # all grids in the columns of the widest
        each.set_xlim(0, grid_size(MAP_COLUMNS, (1, 1), 0, MAP_COLUMNS)[0])
        each.set_anchor("NW")
    return figure


def map_limits(maps: np.ndarray) -> tuple[float, float]:
    """Return the values of the maps of a layer to draw darkest and lightest."""
    return float(maps.min()), float(maps.max())


def _height(n: int, shape: tuple[int, ...]) -> float:
    return _INCHES * grid_size(n, shape, 1, MAP_COLUMNS)[1] + 0.3


def _first(found: FeatureMaps) -> np.ndarray:
    return np.moveaxis(found.maps, 2, 0)[:MOST_MAPS]


def _title(found: FeatureMaps) -> str:
    shape, n = shape_text(found.maps.shape), found.maps.shape[2]
    shown = f"maps 1 to {min(n, MOST_MAPS)} of {n}"
    return f"layer {found.number + 1}, {found.layer}: {shape}, {shown}"
