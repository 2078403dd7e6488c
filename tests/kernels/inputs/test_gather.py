"""Rows on their way into a block: copied, or scaled from bytes exactly as NumPy scales them."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.emit.emitter import lanes
from fastmlp.kernels.inputs.gather import gather_bytes, gather_same, prefetch_rows
from fastmlp.ops.scalers import SCALERS
from harness import DTYPES, compiled

ROWS, START = 7, 16

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_width = pytest.mark.parametrize("n", [1, 7, 8, 15, 16, 17, 37, 64])


def as_bytes(X: np.ndarray) -> np.ndarray:
    rows = X.view(np.uint8).reshape(len(X), -1)
    rows.flags.writeable = False
    return rows


def gathered(
    kernel: object,
    X: np.ndarray,
    order: np.ndarray,
    first: int,
    last: int,
    scale: tuple[np.ndarray, np.ndarray],
    dtype: str,
) -> np.ndarray:
    """Rows order[first : last] as found in panels behind START cells of -5, put in rows again."""
    n, width = X.shape[1], lanes(np.dtype(dtype))
    panels, panel = -(-n // width), ROWS * width
    A = np.full(START + panels * panel, -5, dtype)
    compiled(kernel)(as_bytes(X), order, first, last, *scale, A, START, width, panel)
    assert (A[:START] == -5).all()
    rows = A[START:].reshape(panels, ROWS, width).transpose(1, 0, 2).reshape(ROWS, -1)
    untouched = rows.copy()
    untouched[: last - first, :n] = -5
    assert (untouched == -5).all()
    return rows[: last - first, :n]


NO_SCALE = np.empty(0), np.empty(0)
ORDER = np.array([5, 0, 9, 9, 3, 1])
QUARTERS = [(0, 6), (2, 5), (3, 3)]


@each_dtype
@each_width
@pytest.mark.parametrize(("first", "last"), QUARTERS)
def test_numbers_are_copied(dtype: str, n: int, first: int, last: int) -> None:
    X = np.random.default_rng(n).normal(0, 1, (10, n)).astype(dtype)
    found = gathered(gather_same, X, ORDER, first, last, NO_SCALE, dtype)
    np.testing.assert_array_equal(found, X[ORDER[first:last]])


@each_dtype
@each_width
@pytest.mark.parametrize("scale", [n for n in SCALERS.names() if not SCALERS.parse(n).clip])
@pytest.mark.parametrize(("first", "last"), QUARTERS)
def test_bytes_are_scaled_to_the_last_bit(
    dtype: str, n: int, scale: str, first: int, last: int
) -> None:
    X = np.random.default_rng(n).integers(0, 256, (10, n)).astype(np.uint8)
    scaling = SCALERS.parse(scale).fit(X, (0.0, 255.0))
    found = gathered(gather_bytes, X, ORDER, first, last, (scaling.offset, scaling.factor), dtype)
    expected = scaling.apply(X, np.dtype(dtype))[ORDER[first:last]]
    assert found.tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("n", [1, 64, 65, 784])
def test_rows_may_be_asked_for_beyond_the_last(n: int) -> None:
    X = np.zeros((3, n), np.uint8)
    X.flags.writeable = False
    order = np.array([2, 0, 1])
    for first, last in ((0, 3), (2, 5), (3, 9), (7, 7)):
        compiled(prefetch_rows)(X, order, first, last)
