"""Stretches of arrays: the same memory, at the place asked for."""

from __future__ import annotations

import numpy as np
import pytest

from driving import DTYPES, cached
from fastmlp.kernels.view import prefetch, row_view, view

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@cached
def add_to_stretch(array, start, size, number):
    """Add a number to a stretch; return how long it says it is."""
    part = view(array, start, size)
    for j in range(part.size):
        part[j] += number
    return part.size


@cached
def add_to_row(matrix, row, start, size, number):
    """The same to a stretch of a row."""
    part = row_view(matrix, row, start, size)
    for j in range(part.size):
        part[j] += number
    return part.size


@cached
def prefetch_all(matrix):
    """Ask for every element, and for places behind the last; return the first element."""
    for row in range(matrix.shape[0]):
        for start in range(matrix.shape[1] + 64):
            prefetch(matrix, row, start)
    return matrix[0, 0]


@each_dtype
@pytest.mark.parametrize(("start", "size"), [(0, 0), (0, 1), (0, 12), (5, 3), (11, 1), (12, 0)])
def test_a_view_is_a_stretch_of_the_array(dtype: str, start: int, size: int) -> None:
    array = np.arange(12, dtype=dtype)
    expected = array.copy()
    expected[start : start + size] += 100
    assert add_to_stretch(array, start, size, array.dtype.type(100)) == size
    assert array.tobytes() == expected.tobytes()


@each_dtype
@pytest.mark.parametrize("row", [0, 1, 3])
@pytest.mark.parametrize(("start", "size"), [(0, 0), (0, 1), (0, 5), (2, 3), (4, 1), (5, 0)])
def test_a_row_view_is_a_stretch_of_the_row(dtype: str, row: int, start: int, size: int) -> None:
    matrix = np.arange(20, dtype=dtype).reshape(4, 5)
    expected = matrix.copy()
    expected[row, start : start + size] += 100
    assert add_to_row(matrix, row, start, size, matrix.dtype.type(100)) == size
    assert matrix.tobytes() == expected.tobytes()


@each_dtype
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 1024)])  # the last ends on a page or near
def test_prefetching_changes_nothing_and_never_fails(dtype: str, shape: tuple[int, int]) -> None:
    matrix = np.arange(np.prod(shape), dtype=dtype).reshape(shape) + 1
    before = matrix.tobytes()
    assert prefetch_all(matrix) == 1
    assert matrix.tobytes() == before
