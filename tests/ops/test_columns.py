"""Statistics of sparse columns are those of the same columns, dense."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from fastmlp.ops import columns
from fastmlp.ops.scalers import SCALERS

DTYPES = ("bool", "uint8", "int8", "int64", "uint64", "float32", "float64")
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_index = pytest.mark.parametrize("index", [np.int32, np.int64])


def draw(dtype: str, rows: int = 40, features: int = 70) -> np.ndarray:
    """Columns of all kinds: empty, full, constant, of one sign and of both."""
    rng = np.random.default_rng(0)
    X = rng.integers(-9, 10, (rows, features)) * (rng.random((rows, features)) < 0.3)
    X[:, 0], X[:, 1], X[:, 2] = 0, 3, np.arange(rows) + 2
    X[:, 3], X[:, 4] = -np.arange(rows) - 1, np.abs(X[:, 4])
    X = X if np.dtype(dtype).kind in "if" else np.abs(X)
    return X.astype(dtype) * (np.dtype(dtype).type(0.1) if dtype.startswith("float") else True)


def csr(X: np.ndarray, index: type = np.int32) -> scipy.sparse.csr_array:
    found = scipy.sparse.csr_array(X)
    found.indices, found.indptr = found.indices.astype(index), found.indptr.astype(index)
    return found


@each_dtype
@each_index
def test_extremes_and_means_are_the_same_to_the_bit(dtype: str, index: type) -> None:
    X = draw(dtype)
    for found, wanted in zip(columns.extremes(csr(X, index)), columns.extremes(X), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(columns.means(csr(X, index)), columns.means(X))
    np.testing.assert_allclose(columns.mean_of_all(csr(X)), columns.mean_of_all(X), rtol=1e-14)


@each_dtype
def test_deviations_are_the_same_but_for_rounding(dtype: str) -> None:
    X = draw(dtype)
    for mean in (columns.means(X), np.array([columns.mean_of_all(X)])):
        found, wanted = (columns.squared_deviations(each, mean) for each in (csr(X), X))
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)


def test_a_small_deviation_far_from_zero_is_kept() -> None:
    X = np.array([[1e8], [1e8 + 1], [1e8 + 2]])
    assert columns.squared_deviations(csr(X), columns.means(csr(X))).tolist() == [2.0]


@each_dtype
@pytest.mark.parametrize("name", SCALERS.names())
def test_every_scaler_fits_sparse_rows_as_it_fits_dense_ones(name: str, dtype: str) -> None:
    X, scaler = draw(dtype), SCALERS.parse(name)
    found, wanted = scaler.fit(csr(X), (0.0, 9.0)), scaler.fit(X, (0.0, 9.0))
    exactly = not name.startswith("standard")
    for one, other in ((found.offset, wanted.offset), (found.factor, wanted.factor)):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(one, other, rtol=0 if exactly else 1e-13)
        np.testing.assert_array_equal(one == 0, other == 0)


def test_maxabs_leaves_zeros_zero() -> None:
    assert not SCALERS.parse("maxabs").fit(draw("float64"), None).offset.any()
