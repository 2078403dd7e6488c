"""Stretches of arrays: the same memory, at the place asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import types

from fastmlp.kernels.machine.stored import as_passed, passed_type
from fastmlp.kernels.machine.view import View, prefetch, row_view, view
from harness import DTYPES, cached

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


class Parts(NamedTuple):
    """Arrays and numbers, one within another."""

    numbers: Any
    matrix: Any
    inner: Any
    factor: float


@cached
def describe_and_double(parts, found):
    """Note sizes and elements of a tuple of arrays by views of them, and double all numbers."""
    views = as_passed(parts)
    numbers, matrix, places = views.numbers, views.matrix, views.inner[0]
    found[0], found[1] = numbers.size, numbers.itemsize
    found[2], found[3] = matrix.shape[0], matrix.shape[1]
    found[4], found[5] = matrix[1, 2], matrix[matrix.shape[0] - 1, 0]
    found[6], found[7] = numbers[places[0]], views.factor
    found[8] = numbers[np.uint8(places.shape[0])]
    for j in range(numbers.size):
        numbers[j] *= numbers.dtype.type(2)
    matrix[1, 2] = views.factor


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


@each_dtype
def test_a_tuples_views_are_its_arrays(dtype: str) -> None:
    numbers, matrix = np.arange(5, dtype=dtype), np.arange(12, dtype=np.int32).reshape(3, 4)
    places, found = np.array([3, 1]), np.full(9, np.nan)
    describe_and_double(Parts(numbers, matrix, (places,), 0.5), found)
    size = np.dtype(dtype).itemsize
    assert found.tolist() == [5, size, 3, 4, 6, 8, 3, 0.5, 2]
    assert numbers.tolist() == [0, 2, 4, 6, 8]
    assert matrix[1, 2] == 0  # an integer's part of the factor


def test_views_have_their_own_types() -> None:
    flat, real = types.Array(types.float64, 1, "C"), types.float64
    pair = types.Tuple([flat, real])
    matrix = types.Array(real, 2, "C")
    assert passed_type(flat) == View(real) != View(real, 2) == passed_type(matrix)
    assert passed_type(pair) == types.Tuple([View(real), real]) == passed_type(passed_type(pair))
