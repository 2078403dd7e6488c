"""Features as kernels take them: bytes stay bytes, the rest is scaled at once."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp import DataError
from fastmlp.kernels.buffers import Data
from fastmlp.model.encoding import encode
from fastmlp.model.sparse import LEAST_BYTES
from fastmlp.ops.scalers import SCALERS, Scaling
from harness import features

each_dtype = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")])


def encoded(X: np.ndarray, scale: str, dtype: np.dtype) -> Data:
    return encode(X, SCALERS.parse(scale).fit(X, (0.0, 255.0)), dtype, n_outputs=3)


def numbers(data: Data, dtype: np.dtype) -> np.ndarray:
    return data.X.view(dtype).reshape(len(data.X), -1)


@each_dtype
@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
def test_bytes_are_not_copied(scale: str, dtype: np.dtype) -> None:
    X = np.random.default_rng(0).integers(0, 256, (5, 4)).astype(np.uint8)
    data, scaling = encoded(X, scale, dtype), SCALERS.parse(scale).fit(X, (0.0, 255.0))
    assert np.shares_memory(data.X, X)
    np.testing.assert_array_equal(data.offset, scaling.offset)
    np.testing.assert_array_equal(data.factor, scaling.factor)


@each_dtype
@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "bool"])
@pytest.mark.parametrize("scale", ["none", "standard"])
def test_other_features_are_scaled_at_once(kind: str, scale: str, dtype: np.dtype) -> None:
    X = np.random.default_rng(0).normal(0, 3, (5, 4)).astype(kind)
    data = encoded(X, scale, dtype)
    expected = SCALERS.parse(scale).fit(X, None).apply(X, dtype)
    np.testing.assert_array_equal(numbers(data, dtype), expected)
    assert data.offset.size == data.factor.size == 0
    as_it_is = scale == "none" and X.dtype == dtype
    assert np.shares_memory(data.X, X) == as_it_is


@each_dtype
def test_what_is_not_contiguous_is_copied(dtype: np.dtype) -> None:
    wide = np.random.default_rng(0).normal(0, 3, (5, 8)).astype(dtype)
    for X in (wide[:, ::2], wide[:, :4], np.asfortranarray(wide), wide[::-1]):
        data = encoded(X, "none", dtype)
        np.testing.assert_array_equal(numbers(data, dtype), X)


def test_callers_array_stays_writeable_and_datasets_is_not() -> None:
    X = np.zeros((2, 3), np.float32)
    data = encoded(X, "none", X.dtype)
    assert X.flags.writeable and not data.X.flags.writeable
    X.flags.writeable = False
    assert not encoded(X, "none", X.dtype).X.flags.writeable


@each_dtype
def test_the_kernels_differ_by_what_they_read_and_write(dtype: np.dtype) -> None:
    X = np.ones((2, 3), np.uint8)
    found = {encoded(X, "none", dtype).gather, encoded(X.astype(dtype), "none", dtype).gather}
    assert len(found) == 2 and 0 not in found


@each_dtype
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("scale", ["none", "standard_global"])
def test_features_beyond_the_range_are_refused(value: float, scale: str, dtype: np.dtype) -> None:
    X = np.ones((6, 4))
    X[3, 2] = value
    if value == 1e300 and dtype == np.float64:
        return
    scaling = SCALERS.parse(scale).fit(np.random.default_rng(0).normal(0, 1, (9, 4)), None)
    with pytest.raises(DataError, match=f"X must be finite and in the range of {dtype}, got NaN"):
        encode(X, scaling, dtype, n_outputs=3)


@each_dtype
def test_large_numbers_whose_sum_overflows_are_finite(dtype: np.dtype) -> None:
    X = np.full((6, 4), np.finfo(dtype).max, dtype)
    np.testing.assert_array_equal(numbers(encoded(X, "none", dtype), dtype), X)


def wide_bytes() -> np.ndarray:
    X = np.random.default_rng(0).integers(0, 3, (5, LEAST_BYTES)).astype(np.uint8)
    X[:, 3] = 0
    return X


@each_dtype
def test_rows_of_another_type_than_those_of_bytes_become_lists(dtype: np.dtype) -> None:
    X, scaling = wide_bytes(), SCALERS.parse("maxabs").fit(wide_bytes(), None)
    for kind in ("float32", "float64", "int16"):
        data = encode(X.astype(kind), scaling, dtype, n_outputs=3, inputs="bytes")
        np.testing.assert_allclose(features(data), scaling.apply(X, dtype), rtol=1e-6)
        assert data.sparse.X.size == 0
    assert encode(X, scaling, dtype, n_outputs=3, inputs="bytes").sparse.X.size == X.size


@each_dtype
def test_bytes_are_refused_only_if_they_are_too_large_when_scaled(dtype: np.dtype) -> None:
    X, largest = wide_bytes(), float(np.finfo(dtype).max)
    factor = np.full(LEAST_BYTES, 1.0)
    factor[3] = largest / 100  # of a column that is 0
    scaling = Scaling("maxabs", np.zeros(1), factor)
    found = encode(X, scaling, dtype, n_outputs=3, inputs="bytes")
    np.testing.assert_array_equal(features(found)[:, :3], X[:, :3])
    X[2, 3] = 101
    with pytest.raises(DataError, match="X must be finite and in the range of float"):
        encode(X, scaling, dtype, n_outputs=3, inputs="bytes")
