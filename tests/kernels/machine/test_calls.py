"""Calls by address: every argument arrives, whatever its type; and what an address stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import types
from numba.np.numpy_support import from_dtype

from fastmlp.kernels.machine.calls import address, call
from fastmlp.kernels.machine.view import view_type
from harness import DTYPES, cached

each_dtype = pytest.mark.parametrize("dtype", DTYPES)

WIDE, WHOLE = types.Array(types.float64, 1, "C"), types.Array(types.int64, 1, "C")


@cached
def note(first, flag, real, whole, wide, double, second, size, other_flag, places, found):
    """Write down every argument, the arrays by their ends and their sizes."""
    found[0], found[1], found[2] = first[0], first[first.size - 1], first.size
    found[3], found[4] = second[0], second.size
    found[5], found[6] = wide[0], wide.size
    found[7], found[8] = real, double
    found[9] = 1 if flag else 0
    found[10] = 1 if other_flag else 0
    places[0], places[1] = whole, size


@cached
def note_by_address(where, first, flag, real, whole, wide, double, second, size, other, places, to):
    """The same, by the address of ``note``."""
    call(where, (first, flag, real, whole, wide, double, second, size, other, places, to))


@cached
def double_all(x):
    """x = 2 x."""
    for j in range(x.size):
        x[j] *= 2


@cached
def halve_all(x):
    """x = x / 2."""
    for j in range(x.size):
        x[j] /= 2


@cached
def call_each(addresses, x):
    """Call kernels one after the other: which, only the addresses say."""
    for j in range(addresses.size):
        call(addresses[j], (x,))


def array_of(dtype: str) -> Any:
    return types.Array(from_dtype(np.dtype(dtype)), 1, "C")


def signature_of_note(dtype: str) -> tuple[Any, ...]:
    array, real = array_of(dtype), from_dtype(np.dtype(dtype))
    return (
        array, types.boolean, real, types.int64, WIDE, types.float64, array, types.intp,
        types.boolean, WHOLE, WIDE,
    )  # fmt: skip


@each_dtype
@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("other_flag", [True, False])
def test_every_argument_arrives_as_it_is(dtype: str, flag: bool, other_flag: bool) -> None:
    first, second = np.arange(5, 12, dtype=dtype) / 3, np.array([-0.1], dtype)
    wide, real = np.array([1 / 3, 2.0]), np.dtype(dtype).type(0.7)
    whole, size, double = 2**40 + 3, -(2**35), 1e300 / 3  # nothing that 32 bits could hold
    places, found = np.zeros(2, np.int64), np.full(12, np.nan)
    note_by_address(
        address(note, signature_of_note(dtype)), first, flag, real, whole, wide, double, second,
        size, other_flag, places, found,
    )  # fmt: skip
    expected = [first[0], first[-1], 7, second[0], 1, wide[0], 2, real, double, flag, other_flag]
    assert found[:11].tolist() == [float(number) for number in expected]
    assert np.isnan(found[11])
    assert places.tolist() == [whole, size]


@each_dtype
def test_what_is_called_writes_to_the_callers_arrays(dtype: str) -> None:
    x = np.arange(10, dtype=dtype)
    signature = (array_of(dtype),)
    double, half = address(double_all, signature), address(halve_all, signature)
    call_each(np.array([double], np.int64), x[2:5])
    assert x.tolist() == [0, 1, 4, 6, 8, 5, 6, 7, 8, 9]
    call_each(np.array([half, half, double], np.int64), x)
    assert x.tolist() == [0, 0.5, 2, 3, 4, 2.5, 3, 3.5, 4, 4.5]
    call_each(np.empty(0, np.int64), x)
    assert x[-1] == 4.5


def test_an_address_is_that_of_one_kernel_for_one_type() -> None:
    found = {address(k, (array_of(d),)) for k in (double_all, halve_all) for d in DTYPES}
    assert len(found) == 4 and 0 not in found


@each_dtype
def test_a_kernel_keeps_its_address_and_is_compiled_once(dtype: str) -> None:
    signature = (array_of(dtype),)
    first = address(double_all, signature)
    views = tuple(map(view_type, signature))
    compiled, count = double_all.overloads[views], len(double_all.overloads)
    assert address(double_all, signature) == first
    assert double_all.overloads[views] is compiled and len(double_all.overloads) == count
