"""Products of rows of bytes with one another are those of whole numbers, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.emit.row_products import AT_ONCE, MOST_FEATURES, multiply_bytes
from fastmlp.kernels.steps.deferred import SETTLED
from fastmlp.kernels.steps.sample_blocks import SAMPLE_BLOCK, multiply_rows_of_block
from fastmlp.model.sparse import no_bytes_scaled
from fastmlp.ops.scalers import Scaling
from harness import DTYPES, cached

UNTOUCHED = -5.0

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@cached
def multiplied_bytes(X, order, first, row, G, g, factor):  # type: ignore[no-untyped-def]
    multiply_bytes(X, order, first, row, G, g, factor)


def test_blocks_fit_what_is_around_them() -> None:
    assert SETTLED % SAMPLE_BLOCK == SAMPLE_BLOCK % AT_ONCE == 0


def drawn(n: int, width: int, zeros: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = np.where(rng.random((n, width)) < zeros, 0, rng.integers(1, 256, (n, width)))
    X = X.astype(np.uint8)
    X.flags.writeable = False
    return X


@each_dtype
@pytest.mark.parametrize("width", [16, 17, 31, 64, 79, 784])
@pytest.mark.parametrize(("row", "zeros"), [(0, 0.5), (1, 0.0), (4, 0.95), (7, 0.8)])
def test_a_row_is_multiplied_with_each_before_it(
    width: int, row: int, zeros: float, dtype: str
) -> None:
    X, g, first = drawn(12, width, zeros), 3, 2
    order = np.random.default_rng(1).permutation(12)
    G = np.full(g + row + AT_ONCE + 2, UNTOUCHED, dtype)
    multiplied_bytes(X, order, first, row, G, g, G.dtype.type(0.5))
    rows = X[order[first:]].astype(np.int64)
    np.testing.assert_array_equal(G[g : g + row], (0.5 * (rows[:row] @ rows[row])).astype(dtype))
    reached = g + -(-row // AT_ONCE) * AT_ONCE
    assert (G[:g] == UNTOUCHED).all() and (G[reached:] == UNTOUCHED).all()


def test_sums_fit_where_all_bytes_of_the_longest_rows_are_255() -> None:
    X = np.full((2, MOST_FEATURES), 255, np.uint8)
    X.flags.writeable = False
    G = np.zeros(AT_ONCE)
    multiplied_bytes(X, np.arange(2), 0, 1, G, 0, 1.0)
    assert G[0] == MOST_FEATURES * 255**2


@each_dtype
@pytest.mark.parametrize(
    ("begin", "end"),
    [(0, 5), (SAMPLE_BLOCK, 2 * SAMPLE_BLOCK), (SAMPLE_BLOCK + 3, SAMPLE_BLOCK + 9)],
)
def test_products_of_a_block_stand_where_those_of_the_next_do_not(
    begin: int, end: int, dtype: str
) -> None:
    X, factor = drawn(70, 64, 0.7), 1 / 255
    sparse = no_bytes_scaled(64, Scaling("unit", np.zeros(1), np.array([factor])), np.dtype(dtype))
    products = np.full(2 * SAMPLE_BLOCK * SAMPLE_BLOCK, UNTOUCHED, dtype)
    order = np.random.default_rng(2).permutation(70)
    multiply_rows_of_block(sparse._replace(X=X), order, products, begin, end)
    rows = X[order[begin:end]] * factor
    found = products.reshape(2, SAMPLE_BLOCK, SAMPLE_BLOCK)
    other = 1 - begin // SAMPLE_BLOCK % 2
    for t, s in zip(*np.tril_indices(end - begin, -1), strict=True):
        number = found[1 - other, (begin + t) % SAMPLE_BLOCK, s]
        assert number == pytest.approx(rows[s] @ rows[t], rel=1e-5)
    assert (found[other] == UNTOUCHED).all()
