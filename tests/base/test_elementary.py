"""Elementary functions on arrays against extended precision, and draws against NumPy's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from fastmlp.base import elementary
from fastmlp.base.orthonormal import orthonormal


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("function", "exact", "x"),
    [
        (elementary.exp, np.exp, np.linspace(-700, 709, 20_001)),
        (elementary.exp, np.exp, np.linspace(-1, 1, 20_001)),
        (elementary.log, np.log, np.exp(np.linspace(-700, 700, 20_001))),
        (elementary.log, np.log, np.linspace(0.5, 2, 20_001)),
        (elementary.log2, np.log2, np.exp(np.linspace(-700, 700, 20_001))),
    ],
)
def test_functions_are_right_to_two_units_in_the_last_place(
    function: Callable[..., np.ndarray], exact: Callable[..., np.ndarray], x: np.ndarray
) -> None:
    expected = exact(x.astype(np.longdouble))
    spacing = np.spacing(np.abs(expected.astype(float)))
    assert (np.abs(function(x) - expected) <= 2 * spacing).all()


def test_beyond_the_range_stand_the_limits() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1000, -1000, 0])
    np.testing.assert_array_equal(elementary.exp(x), [np.nan, np.inf, 0, np.inf, 0, 1])
    x = np.array([np.nan, np.inf, -np.inf, -1, 0, 1])
    np.testing.assert_array_equal(elementary.log(x), [np.nan, np.inf, np.nan, np.nan, -np.inf, 0])


def test_sines_and_cosines_of_turns() -> None:
    turns = rng().uniform(-3, 3, 10_000)
    for found, expected in (
        (elementary.sin2pi(turns), np.sin(2 * np.pi * turns)),
        (elementary.cos2pi(turns), np.cos(2 * np.pi * turns)),
    ):
        np.testing.assert_allclose(found, expected, rtol=0, atol=5e-15)
    quarters = np.array([0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(elementary.cos2pi(quarters), [1, 0, -1, 0, 1])


def test_powers() -> None:
    x = rng().uniform(0.1, 100, 1000)
    np.testing.assert_allclose(elementary.power(x, -0.3), x**-0.3, rtol=2e-15)
    exponents = np.array([0, 1, 2, 3, 10, 1000])
    expected = [math.pow(0.95, n) for n in exponents]
    np.testing.assert_allclose(elementary.whole_power(0.95, exponents), expected, rtol=1e-13)
    np.testing.assert_array_equal(elementary.log2(2.0 ** np.arange(-5, 6)), np.arange(-5, 6))


def test_uniform_draws_are_numpys() -> None:
    drawn = elementary.uniform(rng(), -0.3, 0.7, (1000,))
    np.testing.assert_array_equal(drawn, rng().uniform(-0.3, 0.7, 1000))


def test_normal_draws_are_numpys_but_for_the_last_bits_of_the_tails() -> None:
    drawn, expected = elementary.standard_normal(rng(), (10**6,)), rng().standard_normal(10**6)
    changed = drawn != expected
    assert 0 < changed.sum() < 500
    assert np.abs(expected[changed]).min() > 3.65
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=2.0**-21)


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (70, 70), (300, 40), (9000, 33)])
def test_orthonormal_columns_are_those_of_the_qr_decomposition(shape: tuple[int, int]) -> None:
    tall = rng().normal(size=shape)
    found = orthonormal(tall)
    q, r = np.linalg.qr(tall)
    np.testing.assert_allclose(found, q * np.sign(np.diag(r)), rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.T @ found, np.eye(shape[1]), rtol=0, atol=3e-15)


def test_orthonormal_columns_are_of_a_copy() -> None:
    tall = rng().normal(size=(40, 35))
    before = tall.copy()
    orthonormal(tall)
    np.testing.assert_array_equal(tall, before)
