"""A block transposed in registers: each number goes where it belongs, and no other is touched."""

from __future__ import annotations

import numpy as np
import pytest

from driving import DTYPES, compiled
from fastmlp.kernels.tile import lanes
from fastmlp.kernels.transpose import transpose_block

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
