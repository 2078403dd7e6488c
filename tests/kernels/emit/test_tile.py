"""The two products of one vector's width: one chain of fused multiply-adds for every element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fastmlp.kernels.emit.emitter import VECTOR_BYTES, lanes
from fastmlp.kernels.emit.tile import multiply_columns, multiply_panel, multiply_rows
from fastmlp.kernels.machine.host import HAS_FMA, TILE_ROWS
from harness import DTYPES, cached

SPARE = 3  # cells between what belongs to a matrix, and before it
HEIGHTS = range(1, 2 * TILE_ROWS + 2)
FEW_HEIGHTS = sorted({1, 2, TILE_ROWS, TILE_ROWS + 1})

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_height = pytest.mark.parametrize("n", HEIGHTS)
each_layout = pytest.mark.parametrize("layout", ["panels", "rows", "columns"])
few_heights = pytest.mark.parametrize("n", FEW_HEIGHTS)


@cached
def by_rows(A, a, a_row, a_panel, B, b, b_row, I, i, i_row, keep, gain, C, c, c_row, n, K):
    multiply_rows(A, a, a_row, a_panel, B, b, b_row, I, i, i_row, keep, gain, C, c, c_row, n, K)


@cached
def by_columns(A, a, a_row, a_panel, B, b, b_row, I, i, i_row, keep, gain, C, c, c_row, n, K):
    one = VECTOR_BYTES // A.itemsize
    for r in range(0, n, one):
        multiply_columns(
            A, a + r, a_row, a_panel, B, b, b_row, I, i + r * i_row, i_row, keep, gain,
            C, c + r * c_row, c_row, min(one, n - r), K,
        )  # fmt: skip


@cached
def by_panel(A, a, a_row, a_panel, B, b, b_row, I, i, i_row, keep, gain, C, c, c_row, n, K):
    multiply_panel(A, a, a_row, a_panel, B, b, b_row, I, i, i_row, keep, gain, C, c, c_row, n, K)


def flat(matrix: np.ndarray, filling: float = np.nan) -> tuple[np.ndarray, int, int]:
    """A matrix in the midst of cells that must not count: the array, its start, its stride."""
    rows = np.pad(matrix, ((1, 1), (SPARE, SPARE)), constant_values=filling)
    stride = rows.shape[1]
    return rows.ravel(), stride + SPARE, stride


@dataclass
class Left:
    """A left factor as it lies in memory, and the product that reads it there."""

    multiply: Callable[..., Any]
    array: np.ndarray
    start: int
    row: int
    panel: int
    next_row: int  # how far apart two rows of the product lie


def left(A: np.ndarray, layout: str) -> Left:
    n, K = A.shape
    one = lanes(A.dtype)
    if layout in ("columns", "panel"):
        array, start, row = flat(A.T)
        multiply = by_columns if layout == "columns" else by_panel
        return Left(multiply, array, start, row, -(10**6), 1)  # the last is not to be used
    if layout == "rows":
        array, start, row = flat(A)
        return Left(by_rows, array, start, row, one, row)
    panels = -(-K // one)
    array = np.full((panels, n * one + SPARE), np.nan, A.dtype)
    for k in range(K):
        array[k // one, : n * one].reshape(n, one)[:, k % one] = A[:, k]
    array = np.concatenate([np.full(SPARE, np.nan, A.dtype), array.ravel()])
    return Left(by_rows, array, SPARE, one, n * one + SPARE, one)


def product(
    A: np.ndarray,
    B: np.ndarray,
    I: np.ndarray,
    keep: float = 1.0,
    gain: float = 1.0,
    layout: str = "panels",
    into_itself: bool = False,
    cuts: tuple[int, ...] = (),
) -> np.ndarray:
    """keep I + gain A B. Whatever lies around a factor is NaN, and must not reach the product;
    whatever lies around the product must stay.

    ``cuts`` are rows at which it is done by a further call. ``I`` may be a single row for all.
    """
    (n, K), real = A.shape, A.dtype.type
    factor, (b_array, b, b_row) = left(A, layout), flat(B)
    i_array, i, i_row = flat(I)
    i_row = i_row if len(I) == n and n > 1 else 0
    c_array, c, c_row = flat(np.full((n, B.shape[1]), -7, A.dtype), filling=-5)
    if into_itself:
        i_array, i, i_row = c_array, c, c_row
        elements_of(c_array, c_row, n)[...] = I
    for first, last in zip((0, *cuts), (*cuts, n), strict=True):
        factor.multiply(
            factor.array, factor.start + first * factor.next_row, factor.row, factor.panel,
            b_array, b, b_row, i_array, i + first * i_row, i_row, real(keep), real(gain),
            c_array, c + first * c_row, c_row, last - first, K,
        )  # fmt: skip
    found = elements_of(c_array, c_row, n).copy()
    elements_of(c_array, c_row, n)[...] = -5
    assert (c_array == -5).all()
    return found


def elements_of(array: np.ndarray, stride: int, n: int) -> np.ndarray:
    """The matrix that ``flat`` laid there."""
    return array.reshape(-1, stride)[1 : 1 + n, SPARE:-SPARE]


def draw(dtype: str, n: int, K: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(n * 100 + K)
    N = lanes(np.dtype(dtype))
    return tuple(rng.normal(0, 1, shape).astype(dtype) for shape in ((n, K), (K, N), (n, N)))


def assert_product(
    found: np.ndarray, A: np.ndarray, B: np.ndarray, I: np.ndarray, keep: float, gain: float
) -> None:
    """Each element is correct to within the rounding errors of a sum in any order."""
    A, B, I = (matrix.astype(np.float64) for matrix in (A, B, I))
    expected = keep * I + gain * (A @ B)
    size = np.abs(keep * I) + abs(gain) * (np.abs(A) @ np.abs(B))
    limit = (A.shape[1] + 2) * np.finfo(found.dtype).eps * size
    assert (np.abs(found - expected) <= limit).all()


def fma(a: Any, b: Any, c: Any) -> Any:
    """a b + c, rounded once."""
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    if a.dtype == np.float64:
        return a.dtype.type(float(exact))
    near = np.float32(float(exact))  # rounded twice, so that a neighbour may be nearer
    candidates = [np.nextafter(near, np.float32(-np.inf)), near]
    candidates.append(np.nextafter(near, np.float32(np.inf)))
    even = {x: int(x.view(np.int32)) % 2 for x in candidates}
    return min(candidates, key=lambda x: (abs(Fraction(float(x)) - exact), even[x]))


@each_dtype
def test_lanes_fill_one_vector(dtype: str) -> None:
    assert lanes(np.dtype(dtype)) * np.dtype(dtype).itemsize == VECTOR_BYTES == 64


@each_dtype
@each_layout
@each_height
@pytest.mark.parametrize("K", [1, 2, "lanes-1", "lanes", "lanes+1", 40])
def test_every_height_and_depth_is_the_product(
    dtype: str, layout: str, n: int, K: int | str
) -> None:
    depth = K if isinstance(K, int) else lanes(np.dtype(dtype)) + int(K.removeprefix("lanes") or 0)
    A, B, I = draw(dtype, n, depth)
    assert_product(product(A, B, I, 0.75, -0.5, layout), A, B, I, 0.75, -0.5)


@each_dtype
@each_layout
@few_heights
@pytest.mark.parametrize(
    ("keep", "gain"), [(1, 1), (0, 1), (1, 0), (0, 0), (1, -0.125), (0.9375, -0.125), (-1, 1)]
)
@pytest.mark.parametrize("initial", ["matrix", "row", "itself"])
def test_the_product_is_added_to_what_is_kept(
    dtype: str, layout: str, n: int, keep: float, gain: float, initial: str
) -> None:
    A, B, I = draw(dtype, n, 5)
    if initial == "row":
        I = I[:1]
    found = product(A, B, I, keep, gain, layout, into_itself=initial == "itself")
    assert_product(found, A, B, np.broadcast_to(I, found.shape), keep, gain)


@each_dtype
@each_layout
@each_height
def test_bits_do_not_depend_on_how_rows_are_split(dtype: str, layout: str, n: int) -> None:
    A, B, I = draw(dtype, n, 9)
    whole = product(A, B, I, 0.75, -0.3, layout)
    for cut in range(1, n):
        parts = product(A, B, I, 0.75, -0.3, layout, cuts=(cut,))
        assert parts.tobytes() == whole.tobytes()
    single = product(A, B, I, 0.75, -0.3, layout, cuts=tuple(range(1, n)))
    assert single.tobytes() == whole.tobytes()


@each_dtype
@few_heights
def test_bits_do_not_depend_on_where_A_lies(dtype: str, n: int) -> None:
    A, B, I = draw(dtype, n, 20)
    found = {product(A, B, I, 0.75, -0.3, layout).tobytes() for layout in ("rows", "columns")}
    assert found == {product(A, B, I, 0.75, -0.3, "panels").tobytes()}


@pytest.mark.skipif(not HAS_FMA, reason="this machine rounds products before it adds them")
@each_dtype
@each_layout
@few_heights
def test_an_element_is_fused_multiply_adds_in_the_order_of_k(
    dtype: str, layout: str, n: int
) -> None:
    A, B, I = draw(dtype, n, 20)
    real = A.dtype.type
    keep, gain = real(0.9), real(-0.3)
    found = product(A, B, I, keep, gain, layout)
    for r, v in np.ndindex(found.shape):
        total = real(0)
        for k in range(20):
            total = fma(A[r, k], B[k, v], total)
        assert found[r, v] == fma(gain, total, keep * I[r, v])


@each_dtype
@each_layout
def test_nan_and_infinity_are_kept(dtype: str, layout: str) -> None:
    A, B, I = draw(dtype, 7, 3)
    A[0, 1], A[3, 2], I[5, 2], I[6, 1] = np.nan, np.inf, np.nan, -np.inf
    C = product(A, B, I, 1, 0.5, layout)
    assert np.isnan(C[0]).all()
    np.testing.assert_array_equal(C[3], np.sign(B[2]) * np.inf)
    assert np.isnan(C[5, 2]) and C[6, 1] == -np.inf
    C[5, 2] = C[6, 1] = 0
    assert np.isfinite(np.delete(C, [0, 3], axis=0)).all()


@each_dtype
@each_layout
def test_a_factor_of_zero_hides_no_nan(dtype: str, layout: str) -> None:
    A, B, I = draw(dtype, 7, 3)
    A[0, 1], A[3, 2], B[1, 4], I[5, 2], I[6, 1] = np.nan, np.inf, np.nan, np.nan, np.inf
    nothing = product(A, B, I, 0, 0, layout)
    expected = np.zeros(nothing.shape, bool)
    expected[0], expected[3], expected[:, 4], expected[5, 2], expected[6, 1] = (True,) * 5
    np.testing.assert_array_equal(np.isnan(nothing), expected)
    assert (nothing[~expected] == 0).all()


@each_dtype
@each_layout
def test_no_rows_write_nothing(dtype: str, layout: str) -> None:
    A, B, I = draw(dtype, 3, 4)
    whole = product(A, B, I, layout=layout)
    # The first and the last call have no row.
    assert product(A, B, I, layout=layout, cuts=(0, 3)).tobytes() == whole.tobytes()
    factor, C = left(A, layout), np.full(40, -5, dtype)
    one, vector = C.dtype.type(1), np.ones(16, dtype)
    factor.multiply(
        factor.array, factor.start, factor.row, factor.panel, vector, 0, 0,
        vector, 0, 0, one, one, C, 4, 8, 0, 1,
    )  # fmt: skip
    assert (C == -5).all()


@each_dtype
@pytest.mark.parametrize("K", [1, 5, 40])
def test_a_panel_has_the_bits_of_its_columns(dtype: str, K: int) -> None:
    A, B, I = draw(dtype, lanes(np.dtype(dtype)), K)
    found = product(A, B, I, 0.75, -0.5, "panel")
    assert_product(found, A, B, I, 0.75, -0.5)
    assert found.tobytes() == product(A, B, I, 0.75, -0.5, "columns").tobytes()
    assert product(A, B, I, layout="panel", into_itself=True).tobytes() == (
        product(A, B, I, layout="columns", into_itself=True).tobytes()
    )
