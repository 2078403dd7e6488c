"""The elementary functions against extended precision, and at the ends of their range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fastmlp.kernels.emit.elementary import erf, exp, expm1, log, log1p, tanh
from harness import DTYPES, cached

LARGEST = {"float32": 88.7, "float64": 709.7}  # whose exp is finite
SMALLEST = {"float32": -86.9, "float64": -707.6}  # whose exp is not taken for 0

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@cached
def exp_of(x: Any, y: Any) -> None:
    for j in range(x.size):
        y[j] = exp(x[j])


@cached
def tanh_of(x: Any, y: Any) -> None:
    for j in range(x.size):
        y[j] = tanh(x[j])


@cached
def expm1_of(x: Any, y: Any) -> None:
    for j in range(x.size):
        y[j] = expm1(x[j])


@cached
def log_of(x: Any, y: Any) -> None:
    for j in range(x.size):
        y[j] = log(x[j])


@cached
def log1p_of(x: Any, y: Any) -> None:
    for j in range(x.size):
        y[j] = log1p(x[j])


@cached
def erf_of(x: Any, y: Any) -> None:
    for j in range(x.size):
        y[j] = erf(x[j])


def applied(function: Any, x: np.ndarray) -> np.ndarray:
    y = np.full_like(x, np.nan)
    function(x, y)
    return y


def assert_within_two_ulp(found: np.ndarray, exact: np.ndarray) -> None:
    spacing = np.spacing(np.abs(exact).astype(found.dtype))
    assert (np.abs(found - exact) <= 2 * spacing).all()


@each_dtype
def test_exp_is_right_to_two_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(0)
    spread = np.linspace(SMALLEST[dtype], LARGEST[dtype], 100_001)
    x = np.concatenate([spread, rng.normal(0, 1, 100_000), rng.normal(0, 1e-4, 1000)])
    x = x.astype(dtype)
    assert_within_two_ulp(applied(exp_of, x), np.exp(x.astype(np.longdouble)))


@each_dtype
def test_tanh_is_right_to_two_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([np.linspace(-30, 30, 100_001), rng.normal(0, 1, 100_000), [0.625, -0.625]])
    x = np.concatenate([x, x * 1e-6]).astype(dtype)
    assert_within_two_ulp(applied(tanh_of, x), np.tanh(x.astype(np.longdouble)))


@each_dtype
def test_expm1_is_right_to_two_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([np.linspace(SMALLEST[dtype], 0, 100_001), -rng.exponential(1, 100_000)])
    x = np.concatenate([x, x * 1e-6]).astype(dtype)
    assert_within_two_ulp(applied(expm1_of, x), np.expm1(x.astype(np.longdouble)))


@each_dtype
def test_log_is_right_to_two_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([np.linspace(0.5, 2, 100_001), np.exp(rng.uniform(-80, 80, 100_000))])
    x = x.astype(dtype)
    assert_within_two_ulp(applied(log_of, x), np.log(x.astype(np.longdouble)))


@each_dtype
def test_log1p_is_right_to_two_units_in_the_last_place(dtype: str) -> None:
    x = np.linspace(0, 1, 200_001)
    x = np.concatenate([x, x * 1e-6]).astype(dtype)
    assert_within_two_ulp(applied(log1p_of, x), np.log1p(x.astype(np.longdouble)))


@each_dtype
def test_erf_is_right_to_two_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([np.linspace(-7, 7, 100_001), rng.normal(0, 1, 100_000), [1.0, -1.0]])
    x = np.concatenate([x, x * 1e-6]).astype(dtype)
    assert_within_two_ulp(applied(erf_of, x), np.vectorize(math.erf)(x.astype(np.float64)))


@each_dtype
def test_beyond_the_range_stand_the_limits(dtype: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1000, -1000, 0.0], dtype)
    np.testing.assert_array_equal(applied(exp_of, x), [np.nan, np.inf, 0, np.inf, 0, 1])
    np.testing.assert_array_equal(applied(tanh_of, x), [np.nan, 1, -1, 1, -1, 0])
    np.testing.assert_array_equal(applied(erf_of, x), [np.nan, 1, -1, 1, -1, 0])
    x = np.array([np.nan, -np.inf, -1000, 0.0], dtype)
    np.testing.assert_array_equal(applied(expm1_of, x), [np.nan, -1, -1, 0])
    np.testing.assert_array_equal(applied(log1p_of, np.array([np.nan, 0], dtype)), [np.nan, 0])
    x = np.array([np.nan, np.inf, -np.inf, -1, 0, -0.0, 1], dtype)
    infinity = np.inf
    expected = [np.nan, infinity, np.nan, np.nan, -infinity, -infinity, 0]
    np.testing.assert_array_equal(applied(log_of, x), expected)


@each_dtype
def test_results_do_not_depend_on_position_in_vector(dtype: str) -> None:
    x = np.linspace(-9, 9, 37).astype(dtype)
    for function in (exp_of, tanh_of, erf_of):
        whole = applied(function, x)
        alone = np.concatenate([applied(function, x[j : j + 1]) for j in range(x.size)])
        assert alone.tobytes() == whole.tobytes()
