"""The dense layer's kernels against NumPy: every height of tile, every form of call."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from driving import DTYPES, compiled
from fastmlp.kernels.dense import add_rows, matmul, transpose_row
from fastmlp.kernels.tile import lanes

START = 3
TOLERANCE = {"float32": 2e-6, "float64": 4e-15}

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_height = pytest.mark.parametrize("M", range(1, 14))
each_depth = pytest.mark.parametrize("K", [1, 2, 7])


def draw(dtype: str, *shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(dtype)


def flat(matrix: np.ndarray, spare: int = 0) -> np.ndarray:
    """START cells of -5, then the rows with ``spare`` cells of -5 behind each."""
    wide = np.pad(matrix, ((0, 0), (0, spare)), constant_values=-5)
    return np.concatenate([np.full(START, -5, matrix.dtype), wide.ravel()])


def assert_product(C: np.ndarray, spare: int, expected: np.ndarray) -> None:
    """C holds the matrix, and what stood around it."""
    M, N = expected.shape
    rows = C[START:].reshape(M, N + spare)
    np.testing.assert_allclose(rows[:, :N], expected, rtol=0, atol=TOLERANCE[str(C.dtype)] * 8)
    assert (rows[:, N:] == -5).all() and (C[:START] == -5).all()


@each_dtype
@each_height
@each_depth
@pytest.mark.parametrize("vectors", [1, 3])
def test_a_bias_row_is_added_to_every_row(dtype: str, M: int, K: int, vectors: int) -> None:
    N = vectors * lanes(np.dtype(dtype))
    A, B, bias = draw(dtype, M, K), draw(dtype, K, N), draw(dtype, 1, N)
    C = flat(np.zeros((M, N), dtype), spare=2)
    compiled(matmul)(
        flat(A, 1), START, K + 1, 1, flat(B, 4), START, N + 4,
        flat(bias), START, 0, C, START, N + 2, M, N, K,
    )  # fmt: skip
    assert_product(C, 2, reference.dense_forward(A, B, bias[0]))


@each_dtype
@each_height
@each_depth
def test_a_transposed_matrix_is_read_by_its_strides(dtype: str, M: int, K: int) -> None:
    N = lanes(np.dtype(dtype))
    X, dZ = draw(dtype, K, M), draw(dtype, K, N)
    C, zeros = flat(np.ones((M, N), dtype)), np.zeros(N, dtype)
    compiled(matmul)(
        flat(X, 2), START, 1, M + 2, flat(dZ), START, N, zeros, 0, 0, C, START, N, M, N, K
    )  # fmt: skip
    assert_product(C, 0, reference.dense_gradients(X, dZ)[0])


@each_dtype
@each_height
@each_depth
def test_a_matrix_that_starts_from_itself_accumulates(dtype: str, M: int, K: int) -> None:
    N = 2 * lanes(np.dtype(dtype))
    A, B, I = draw(dtype, M, K), draw(dtype, K, N), draw(dtype, M, N)
    C = flat(I, spare=2)
    compiled(matmul)(
        flat(A), START, K, 1, flat(B), START, N, C, START, N + 2, C, START, N + 2, M, N, K
    )  # fmt: skip
    assert_product(C, 2, I + A @ B)


@each_dtype
def test_no_rows_write_nothing(dtype: str) -> None:
    N = lanes(np.dtype(dtype))
    A, B, C = draw(dtype, 1, 1), draw(dtype, 1, N), np.full(N, -5, dtype)
    compiled(matmul)(A.ravel(), 0, 1, 1, B.ravel(), 0, N, C, 0, 0, C, 0, N, 0, N, 1)
    assert (C == -5).all()


@each_dtype
@pytest.mark.parametrize("rows", [0, 1, 5])
@pytest.mark.parametrize("n", [1, 16, 37])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_bias_gradient_is_the_sum_of_rows(dtype: str, rows: int, n: int, overwrite: bool) -> None:
    dZ, before = draw(dtype, 6, n), draw(dtype, n)
    db = np.full(n, np.nan, dtype) if overwrite else before.copy()
    compiled(add_rows)(flat(dZ, 2), START, n + 2, rows, db, overwrite)
    expected = dZ[:rows].sum(axis=0) + (0 if overwrite else before)
    np.testing.assert_allclose(db, expected, rtol=0, atol=TOLERANCE[dtype])


@each_dtype
@pytest.mark.parametrize("n", [1, 16, 37])
def test_transposing_a_row_writes_one_column(dtype: str, n: int) -> None:
    w, WT = draw(dtype, n), np.full((n, 5), -5, dtype)
    compiled(transpose_row)(w, WT.ravel(), 2, 5)
    np.testing.assert_array_equal(WT[:, 2], w)
    assert (np.delete(WT, 2, axis=1) == -5).all()
