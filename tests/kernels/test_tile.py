"""The register tile, through matmul: one chain of fused multiply-adds for every element."""

from __future__ import annotations

import numpy as np
import pytest

from driving import DTYPES, compiled
from fastmlp.kernels.dense import matmul
from fastmlp.kernels.tile import TILE_ROWS, VECTOR_BYTES, lanes

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def product(A: np.ndarray, B: np.ndarray, I: np.ndarray) -> np.ndarray:
    """I + A B, all rows in one call."""
    C = np.full((len(A), B.shape[1]), np.nan, A.dtype)
    compiled(matmul)(
        A.ravel(), 0, A.shape[1], 1, B.ravel(), 0, B.shape[1],
        I.ravel(), 0, I.shape[1], C.ravel(), 0, C.shape[1], *C.shape, A.shape[1],
    )  # fmt: skip
    return C


def draw(dtype: str, M: int, K: int, vectors: int = 2) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(M * 100 + K)
    N = vectors * lanes(np.dtype(dtype))
    return tuple(rng.normal(0, 1, shape).astype(dtype) for shape in ((M, K), (K, N), (M, N)))


@each_dtype
def test_lanes_fill_one_vector(dtype: str) -> None:
    assert lanes(np.dtype(dtype)) * np.dtype(dtype).itemsize == VECTOR_BYTES == 64


@each_dtype
@pytest.mark.parametrize("M", range(1, 2 * TILE_ROWS + 2))
def test_bits_do_not_depend_on_how_rows_are_split(dtype: str, M: int) -> None:
    A, B, I = draw(dtype, M, 9)
    whole = product(A, B, I)
    for cut in range(1, M):
        parts = [product(A[:cut], B, I[:cut]), product(A[cut:], B, I[cut:])]
        assert np.concatenate(parts).tobytes() == whole.tobytes()


@each_dtype
def test_bits_do_not_depend_on_how_columns_are_split(dtype: str) -> None:
    A, B, I = draw(dtype, 7, 9, vectors=3)
    one = lanes(np.dtype(dtype))
    parts = [
        product(A, B[:, n : n + one].copy(), I[:, n : n + one].copy())
        for n in range(0, 3 * one, one)
    ]
    assert np.hstack(parts).tobytes() == product(A, B, I).tobytes()


@pytest.mark.parametrize("M", [1, 2, 4, TILE_ROWS])
def test_an_element_is_fused_multiply_adds_in_the_order_of_k(M: int) -> None:
    A, B, I = draw("float32", M, 20)
    expected = I.copy()
    for k in range(20):
        # A product of float32 is exact in float64: rounding the sum once is a fused operation.
        exact = A[:, k : k + 1].astype(np.float64) * B[k].astype(np.float64) + expected
        expected = exact.astype(np.float32)
    assert product(A, B, I).tobytes() == expected.tobytes()


@each_dtype
def test_nan_and_infinity_are_kept(dtype: str) -> None:
    A, B, I = draw(dtype, 7, 3)
    A[0, 1], A[3, 2] = np.nan, np.inf
    C = product(A, B, I)
    assert np.isnan(C[0]).all()
    np.testing.assert_array_equal(C[3], np.sign(B[2]) * np.inf)
    assert np.isfinite(np.delete(C, [0, 3], axis=0)).all()
