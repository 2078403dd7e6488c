from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import DataError, load_dataset
from fastmlp.model.features import FeatureInfo
from fastmlp.model.pixels import (
    Images,
    Polarity,
    Range,
    polarity,
    to_range,
    training_range,
    usual_range,
)
from fastmlp.ops.scalers import NO_SCALING, Scaling

DIGITS = load_dataset("digits")
UNIT = np.asarray(DIGITS.X) / 16


def unit(low: float, high: float) -> Scaling:
    return Scaling("unit", np.array([low]), 1 / np.array([high - low]))


def seen(X: Any, scaling: Scaling = NO_SCALING) -> Range | None:
    return training_range(FeatureInfo.of(X), scaling)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (UNIT, (0, 1)),
        (UNIT.astype(np.float32), (0, 1)),
        (2 * UNIT - 1, (-1, 1)),
        ((UNIT.astype(np.float32) - 0.5) / 0.5, (-1, 1)),
        (UNIT - 0.5, (-0.5, 0.5)),
        (16 * UNIT, (0, 16)),
        (255 * UNIT, (0, 255)),
        (255 * UNIT[:5], (0, 255)),
        (230 * UNIT + 10, (0, 255)),
        (65535 * UNIT, (0, 65535)),
        (1 - UNIT, (0, 1)),
        (UNIT > 0.5, (0, 1)),
        (100 * UNIT, (0, 100)),
        (2 * UNIT, (0, 2)),
        (4095 * UNIT, (0, 4095)),
        (3 * UNIT - 1, (-1, 2)),
        (-UNIT, (-1, 0)),
        (UNIT / 4, (0, 0.25)),
        ((UNIT - UNIT.mean()) / UNIT.std(), (-0.81154, 1.847)),  # as in the tutorials of PyTorch
    ],
)
def test_the_range_follows_from_the_values_seen(X: np.ndarray, expected: Range) -> None:
    assert seen(X) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("n", [100, 1797])
@pytest.mark.parametrize("factor", [1, 16, 255])
def test_features_scaled_one_by_one_have_no_range(factor: float, n: int) -> None:
    X = factor * UNIT
    deviation = X.std(axis=0)
    scaled = (X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    with pytest.raises(DataError, match=r"scaled feature by feature beforehand; .*--scale standar"):
        seen(scaled[:n])


def test_the_range_of_scale_unit_counts_where_it_fits() -> None:
    assert seen(15 * UNIT, unit(0, 16)) == (0, 16)
    assert seen(255 * UNIT, unit(0, 255)) == (0, 255)
    assert seen(100 * UNIT, unit(0, 255)) == (0, 255)  # dark images
    assert seen(16 * UNIT, unit(0, 255)) == (0, 16)  # bytes that hold 0 to 16
    for low, high in ((0, 255), (0, 16), (-1, 1), (0, 1)):
        assert training_range(None, unit(low, high)) == (low, high)


def test_nothing_is_known_without_values_and_scaling() -> None:
    assert training_range(None, NO_SCALING) is None
    assert training_range(None, Scaling("standard", np.zeros(3), np.ones(3))) is None
    assert seen(np.full((3, 4), 7.0)) is None


@given(
    low=st.floats(-1e3, 1e3), width=st.floats(1e-3, 1e4), seed=st.integers(0, 9),
    n=st.integers(30, 60),
)  # fmt: skip
def test_bytes_come_back_as_the_values_that_were_made_of_them(
    low: float, width: float, seed: int, n: int
) -> None:
    """Whatever one range all pixels were brought to, up to what no values show of it."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, 20)).astype(np.uint8)
    pixels[:, :15] *= rng.random((n, 15)) < 0.3
    pixels[0, :15] = 255
    X = pixels / 255 * width + low
    target = seen(X)
    assert target is not None
    usual = usual_range(low, low + width)
    if usual is None:
        np.testing.assert_allclose(to_range(pixels, target), X, rtol=1e-9, atol=1e-9 * width)
    else:
        assert target == usual


def test_bytes_stay_bytes() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert to_range(pixels, (0, 255)) is pixels


def known_by(X: np.ndarray) -> Polarity | None:
    return polarity(FeatureInfo.of(X), training_range(FeatureInfo.of(X), NO_SCALING))


@pytest.mark.parametrize("shape", [lambda x: x, lambda x: 2 * x - 1, lambda x: 255 * x])
@pytest.mark.parametrize("ink", [1, 0.5, 0.2])
def test_every_digit_differs_from_its_inverse(shape: Any, ink: float) -> None:
    pixels = np.round(255 * ink * UNIT).astype(np.uint8)
    dark = known_by(shape(UNIT))
    bright = known_by(shape(1 - UNIT))
    assert dark is not None and bright is not None
    assert (dark.background, bright.background) == (0, 1)
    assert not Images(pixels).opposite(dark).any()
    assert Images(255 - pixels).opposite(dark).all()
    assert Images(pixels).opposite(bright).all()
    assert not Images(255 - pixels).opposite(bright).any()


def test_nothing_is_guessed_where_training_images_are_of_both_kinds_or_grey() -> None:
    assert known_by(np.concatenate([UNIT, 1 - UNIT])) is None
    photos = np.random.default_rng(0).integers(0, 256, (100, 64))
    assert known_by(photos) is None
    assert polarity(None, (0, 1)) is None
    assert polarity(FeatureInfo.of(UNIT), None) is None


@pytest.mark.parametrize("ink", [0, 60, 200, 255])
@pytest.mark.parametrize("training", ["dark", "bright"])
def test_ink_on_nothing_becomes_ink_on_the_background_of_training(training: str, ink: int) -> None:
    known = known_by(UNIT if training == "dark" else 1 - UNIT)
    assert known is not None
    opacity = np.round(255 * UNIT).astype(np.uint8)
    images = Images(np.full_like(opacity, ink), opacity)
    inverted = images.opposite(known)
    blended = images.blended(inverted, known.background)
    strength = max(ink, 255 - ink)
    expected = UNIT * strength if training == "dark" else 255 - UNIT * strength
    np.testing.assert_allclose(blended, expected, atol=1)


def test_a_page_with_some_transparent_pixels_is_a_page() -> None:
    known = known_by(UNIT)
    assert known is not None
    pixels = np.round(255 * UNIT).astype(np.uint8)
    opacity = np.full_like(pixels, 255)
    opacity[:, [0, 7, 56, 63]] = 0  # its corners
    assert not Images(pixels, opacity).opposite(known).any()
    page = Images(255 - pixels, opacity)
    assert page.opposite(known).all()
    blended = page.blended(page.opposite(known), known.background)
    np.testing.assert_array_equal(blended, np.where(opacity == 0, 0, pixels))
