from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fastmlp.reports.images import as_shown, filter_images, filter_limit, grid_size, image_grid
from fastmlp.reports.plots import INK, VERMILLION


def test_images_stand_in_rows_with_their_captions() -> None:
    axes = Figure().add_subplot()
    images = np.arange(5 * 6).reshape(5, 2, 3)
    last = image_grid(
        images, axes, [f"${i}" for i in range(5)], [False, True] * 2 + [False], columns=3
    )
    assert len(axes.images) == 5 and axes.images[-1] is last
    for drawn, image in zip(axes.images, images, strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)
        assert drawn.get_clim() == (0, 29)  # one scale for all
    assert [text.get_text() for text in axes.texts] == ["$0", "$1", "$2", "$3", "$4"]
    colours = [to_hex(text.get_color()) for text in axes.texts]
    assert colours == [colour.lower() for colour in (INK, VERMILLION, INK, VERMILLION, INK)]
    tops = [drawn.get_extent()[3] for drawn in axes.images]
    assert tops[0] == tops[2] > tops[3] == tops[4]
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    for drawn in axes.images:  # nothing is cut off
        x0, x1, y0, y1 = drawn.get_extent()
        assert left <= x0 < x1 <= right and low <= y0 < y1 <= high


def test_the_proportions_of_a_grid() -> None:
    width, height = grid_size(16, (28, 28))
    assert width == height * 4
    assert grid_size(16, (28, 28), lines=2)[1] > height
    assert grid_size(3, (28, 28))[0] < width


def test_no_images_are_an_empty_grid() -> None:
    assert image_grid(np.empty((0, 2, 2)), Figure().add_subplot()) is None


def test_filters_are_the_weights_into_a_unit() -> None:
    weights = np.random.default_rng(0).normal(size=(6, 80))
    filters = filter_images(weights, (2, 3), most=70)
    assert filters.shape == (70, 2, 3)
    np.testing.assert_array_equal(filters[69].ravel(), weights[:, 69])
    assert 0 < filter_limit(filters) <= np.abs(filters).max()
    assert filter_limit(np.zeros((1, 2, 3))) == 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 17])
def test_images_of_any_number_of_channels_are_drawn(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, channels))
    shown = as_shown(images)
    if channels in (3, 4):
        np.testing.assert_array_equal(shown, images[..., :3])
    else:
        np.testing.assert_allclose(shown, images.mean(axis=3))
    axes = Figure().add_subplot()
    last = image_grid(shown, axes, limits=(0, 255), columns=3)
    assert (last is None) == (channels in (3, 4)) and len(axes.images) == 5
    drawn = np.asarray(axes.images[1].get_array(), float)
    np.testing.assert_allclose(drawn * (255 if channels in (3, 4) else 1), shown[1])


def test_filters_of_colour_images_are_in_colours() -> None:
    weights = np.random.default_rng(0).normal(size=(2 * 3 * 3, 8))
    filters = filter_images(weights, (2, 3, 3))
    assert filters.shape == (8, 2, 3, 3)
    np.testing.assert_array_equal(filters[7].ravel(), weights[:, 7])
