"""Pictures of what a network has learned from images: weights, and feature maps of an example."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CONVOLUTIONS = 4
MOST_MAPS = 64
MAP_COLUMNS = 12
EXAMPLE = 0  # the row whose feature maps are shown
_INCHES = 0.56  # of a feature map


def filter_figure(evaluation: RunEvaluation) -> Figure | None:
    """Return the weights into the first units, or of the first filters, as images."""
    network = evaluation.result.predictor.network
    shape, title = _first_weights(network, evaluation.image_shape)
    if shape is None:
        return None
    weights = network.weights[0]
    filters = filter_images(weights, shape)
    limit = filter_limit(filters)
    width, height = grid_size(len(filters), shape)
    figure = new_figure(max(4.0, 0.8 * width + 1), 0.8 * height + 0.5)
    axes = figure.add_subplot()
    image = image_grid(filters, axes, limits=(-limit, limit), colours="RdBu_r")
    figure.suptitle(f"{title} 1 to {len(filters)} of {weights.shape[1]}")
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


def feature_map_figure(evaluation: RunEvaluation) -> Figure | None:
    """Return an example and its feature maps after each convolution; None without any."""
    network, part = evaluation.result.predictor.network, evaluation.judged
    if not network.stores_images or evaluation.image_shape is None:
        return None
    rows = np.array([EXAMPLE])
    found = feature_maps(evaluation.result.predictor, as_dense(part.X[rows], "X"))
    if not found:
        return None
    found = found[:MOST_CONVOLUTIONS]
    image = evaluation.images(part, rows)
    heights = [_height(1, image.shape[1:]), *(_maps_height(maps) for maps in found)]
    width = max(4.0, _INCHES * grid_size(MAP_COLUMNS, (1, 1), 0, MAP_COLUMNS)[0] + 0.2)
    figure = new_figure(width, sum(heights) + 0.4)
    figure.suptitle(f"feature maps of row {EXAMPLE} of the {part.name} set")
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    image_grid(image, axes[0], ["input"], limits=evaluation.feature_range, columns=MAP_COLUMNS)
    for each, drawn in zip(found, axes[1:], strict=True):
        _draw_maps(each, drawn)
    for each in axes:  # all grids in the columns of the widest
        each.set_xlim(0, grid_size(MAP_COLUMNS, (1, 1), 0, MAP_COLUMNS)[0])
        each.set_anchor("NW")
    return figure


def _height(n: int, shape: tuple[int, ...]) -> float:
    return _INCHES * grid_size(n, shape, 1, MAP_COLUMNS)[1] + 0.3


def _maps_height(maps: FeatureMaps) -> float:
    return _height(min(MOST_MAPS, maps.maps.shape[2]), maps.maps.shape)


def _draw_maps(found: FeatureMaps, axes: Axes) -> None:
    maps = np.moveaxis(found.maps, 2, 0)[:MOST_MAPS]
    limits = float(maps.min()), float(maps.max())
    image_grid(maps, axes, limits=limits, columns=MAP_COLUMNS)
    shown = f"maps 1 to {len(maps)} of {found.maps.shape[2]}"
    axes.set_title(
        f"layer {found.number + 1}, {found.layer}: {shape_text(found.maps.shape)}, {shown}",
        loc="left", fontsize=9,
    )  # fmt: skip
