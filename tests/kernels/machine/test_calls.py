"""Calls by address: every argument arrives, and a wrong type is an error when compiling."""

from __future__ import annotations

import numpy as np
import pytest
from numba.core.errors import TypingError

from fastmlp.kernels.call_types import call_activation, call_loss
from fastmlp.kernels.machine.calls import address, call_type
from fastmlp.kernels.machine.records import Floats, Ints, Real, Reals
from harness import DTYPES, cached

each_dtype = pytest.mark.parametrize("dtype", DTYPES)

call_note = call_type(
    "a test", Reals, bool, Real, int, Floats, float, Reals, int, bool, Ints, Floats
)
call_change = call_type("a change", Reals)


@cached
def note(first, flag, real, whole, wide, double, second, size, other_flag, places, found):
    """Write every argument, of arrays their ends and their sizes."""
    found[0], found[1], found[2] = first[0], first[first.size - 1], first.size
    found[3], found[4] = second[0], second.size
    found[5], found[6] = wide[0], wide.size
    found[7], found[8] = real, double
    found[9] = 1 if flag else 0
    found[10] = 1 if other_flag else 0
    places[0], places[1] = whole, size


@cached
def note_by_address(where, first, flag, real, whole, wide, double, second, size, other, places, to):
    """Do the same by the address of ``note``."""
    call_note(where, (first, flag, real, whole, wide, double, second, size, other, places, to))


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
    """Call the kernels at some addresses one after the other."""
    for j in range(addresses.size):
        call_change(addresses[j], (x,))


@each_dtype
@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("other_flag", [True, False])
def test_every_argument_arrives_unchanged(dtype: str, flag: bool, other_flag: bool) -> None:
    first, second = np.arange(5, 12, dtype=dtype) / 3, np.array([-0.1], dtype)
    wide, real = np.array([1 / 3, 2.0]), np.dtype(dtype).type(0.7)
    whole, size, double = 2**40 + 3, -(2**35), 1e300 / 3  # none of them fits 32 bits
    places, found = np.zeros(2, np.int64), np.full(12, np.nan)
    note_by_address(
        address(call_note, note, np.dtype(dtype)), first, flag, real, whole, wide, double, second,
        size, other_flag, places, found,
    )  # fmt: skip
    expected = [first[0], first[-1], 7, second[0], 1, wide[0], 2, real, double, flag, other_flag]
    assert found[:11].tolist() == [float(number) for number in expected]
    assert np.isnan(found[11])
    assert places.tolist() == [whole, size]


@each_dtype
def test_a_called_kernel_writes_to_the_callers_arrays(dtype: str) -> None:
    x = np.arange(10, dtype=dtype)
    double, half = (address(call_change, k, x.dtype) for k in (double_all, halve_all))
    call_each(np.array([double], np.int64), x[2:5])
    assert x.tolist() == [0, 1, 4, 6, 8, 5, 6, 7, 8, 9]
    call_each(np.array([half, half, double], np.int64), x)
    assert x.tolist() == [0, 0.5, 2, 3, 4, 2.5, 3, 3.5, 4, 4.5]
    call_each(np.empty(0, np.int64), x)
    assert x[-1] == 4.5


def test_an_address_belongs_to_one_kernel_and_one_dtype() -> None:
    kernels, dtypes = (double_all, halve_all), map(np.dtype, DTYPES)
    found = {address(call_change, kernel, dtype) for dtype in dtypes for kernel in kernels}
    assert len(found) == 4 and 0 not in found


@each_dtype
def test_a_kernel_keeps_its_address_and_is_compiled_once(dtype: str) -> None:
    first = address(call_change, double_all, np.dtype(dtype))
    count = len(double_all.overloads)
    assert address(call_change, double_all, np.dtype(dtype)) == first
    assert len(double_all.overloads) == count


@cached
def activate_with_a_double(where, z, a, parameter):
    call_activation(where, (z, a, np.float64(parameter)))


@cached
def lose_without_network(where, z, scale):
    call_loss(where, (z, z, z, z, 0, 0, 1, scale))


@pytest.mark.parametrize(
    ("caller", "arguments", "expected"),
    [
        (
            activate_with_a_double,
            (0, np.zeros(3, np.float32), np.zeros(3, np.float32), np.float32(0)),
            r"an activation takes view\(float32, 1d\), view\(float32, 1d\), float32 .* float64",
        ),
        (
            lose_without_network,
            (0, np.zeros(3), 1.0),
            r"a loss takes Net in .*, float32 \(or the same in float64\), got view\(float64, 1d\)",
        ),
        (
            call_each,
            (np.zeros(1, np.int64), np.zeros(1, np.int32)),
            r"a change takes .*, got view\(int32, 1d\)",
        ),
    ],
)
def test_wrong_types_of_arguments_are_an_error_when_compiling(
    caller: object, arguments: tuple[object, ...], expected: str
) -> None:
    with pytest.raises(TypingError, match=expected):
        caller(*arguments)  # type: ignore[operator]
