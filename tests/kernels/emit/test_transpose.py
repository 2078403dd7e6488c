"""A block transposed in registers: each number goes where it belongs, and no other is touched."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.emit.emitter import lanes
from fastmlp.kernels.emit.transpose import BYTES, transpose_block, transpose_bytes
from harness import DTYPES, cached, compiled

UNTOUCHED = -5

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@each_dtype
@pytest.mark.parametrize(("s", "s_spare"), [(0, 0), (3, 1), (64, 48)])
@pytest.mark.parametrize(("t", "t_spare"), [(0, 0), (5, 2), (32, 16)])
def test_a_block_is_transposed_and_nothing_else_written(
    dtype: str, s: int, s_spare: int, t: int, t_spare: int
) -> None:
    one = lanes(np.dtype(dtype))
    S = np.arange(s + one * (one + s_spare), dtype=dtype)
    T = np.full(t + one * (one + t_spare) + 7, UNTOUCHED, dtype)
    expected = T.copy()
    for i, j in np.ndindex(one, one):
        expected[t + j * (one + t_spare) + i] = S[s + i * (one + s_spare) + j]
    before = S.copy()
    compiled(transpose_block)(S, s, one + s_spare, T, t, one + t_spare)
    assert T.tobytes() == expected.tobytes()
    assert S.tobytes() == before.tobytes()


@each_dtype
def test_bits_are_kept(dtype: str) -> None:
    # Numbers are moved, not computed with: payloads, signs of zeros and denormals stay.
    one, word = lanes(np.dtype(dtype)), "u4" if dtype == "float32" else "u8"
    bits = np.random.default_rng(0).integers(0, np.iinfo(word).max, (one, one), word, endpoint=True)
    special = np.array([np.nan, -np.nan, np.inf, -0.0, np.finfo(dtype).smallest_subnormal], dtype)
    bits[2, : special.size] = special.view(word)
    T = np.zeros(one * one, dtype)
    compiled(transpose_block)(bits.view(dtype).ravel(), 0, one, T, 0, one)
    np.testing.assert_array_equal(T.view(word).reshape(one, one), bits.T)


@each_dtype
def test_twice_transposed_is_as_before(dtype: str) -> None:
    one = lanes(np.dtype(dtype))
    S = np.random.default_rng(1).normal(size=one * one).astype(dtype)
    T, back = np.zeros_like(S), np.zeros_like(S)
    compiled(transpose_block)(S, 0, one, T, 0, one)
    compiled(transpose_block)(T, 0, one, back, 0, one)
    assert back.tobytes() == S.tobytes() != T.tobytes()


@cached
def transposed_bytes(S, order, first, count, T, t, t_row, k0, k1):  # type: ignore[no-untyped-def]
    transpose_bytes(S, order, first, count, T, t, t_row, k0, k1)


@pytest.mark.parametrize("count", [1, 7, BYTES, BYTES + 3])
@pytest.mark.parametrize(("k0", "k1"), [(0, 37), (0, 16), (16, 37), (32, 37), (5, 5)])
def test_rows_of_bytes_become_columns(count: int, k0: int, k1: int) -> None:
    rng = np.random.default_rng(count)
    S = rng.integers(0, 256, (60, 37)).astype(np.uint8)
    order, t, t_row = rng.permutation(60), 3, 20
    T = np.full(t + 37 * t_row, 77, np.uint8)
    expected = T[t:].reshape(37, t_row).copy()
    # The last block of columns lies within the row, and repeats some of the one before.
    start = min(k0 if k1 - k0 > BYTES else k1, 37 - BYTES) if k1 == 37 else k0
    columns = slice(min(k0, start), k1)
    there = min(count, BYTES)
    if k1 > k0:
        expected[columns, :BYTES] = 0
        expected[columns, :there] = S[order[8 : 8 + there], columns].T
    transposed_bytes(S, order, 8, count, T, t, t_row, k0, k1)
    np.testing.assert_array_equal(T[t:].reshape(37, t_row), expected)
    assert (T[:t] == 77).all()
