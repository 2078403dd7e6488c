"""Records in memory: fields arrive, arrays are those of the caller, a copy changes what it says."""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple

import numpy as np
import pytest
from numba import types

from fastmlp.kernels.machine.calls import address, call_type
from fastmlp.kernels.machine.launch import call_of, type_of
from fastmlp.kernels.machine.records import IntRows, Reals, declared_type, replacing
from fastmlp.kernels.machine.stored import Stored, as_passed, stored
from fastmlp.kernels.machine.team import new_sync
from harness import DTYPES, cached, worker


@stored
class Inner(NamedTuple):
    """A record that is part of another."""

    factor: float
    numbers: Reals


@stored
class Outer(NamedTuple):
    """Fields of every kind."""

    count: int
    table: IntRows
    inner: Inner
    rate: float
    others: Reals


_with_inner = replacing("numbers", "factor")


def outer(dtype: str) -> Outer:
    table = np.arange(6).reshape(2, 3)
    inner = Inner(0.25, np.arange(5, dtype=dtype))
    return Outer(-(2**40), table, inner, 1 / 3, np.arange(7, dtype=dtype))


@worker
def describe_and_double(member, team, sync, record, count, found):
    """Write every field, of arrays an element and the sizes; double the inner numbers."""
    inner = record.inner
    found[0], found[1], found[2] = record.count, inner.factor, record.rate
    found[3], found[4] = record.table[1, 2], record.table.shape[0] * 10 + record.table.shape[1]
    found[5], found[6] = inner.numbers.size, record.others.size
    found[7], found[8], found[9] = record.others[6], count, member * 10 + team
    for j in range(inner.numbers.size):
        inner.numbers[j] *= inner.numbers.dtype.type(2)


@cached
def replace_in_turn(inner, others, found):
    """Write the fields of copies, each made at the same line, and of the original."""
    record = as_passed(inner)
    for turn in range(2):
        changed = _with_inner(record, (as_passed(others), float(turn)))
        found[turn] = changed.factor + changed.numbers.size * 100 + changed.numbers[0]
    found[2] = record.factor + record.numbers.size * 100 + record.numbers[0]


call_scale = call_type("a test", Inner, int)


@cached
def scale(inner, count):
    """numbers = factor count."""
    for j in range(inner.numbers.size):
        inner.numbers[j] = inner.numbers.dtype.type(inner.factor * count)


@cached
def scale_by_address(where, inner, count):
    call_scale(where, (inner, count))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_field_arrives_at_a_worker(dtype: str) -> None:
    record, found = outer(dtype), np.full(10, np.nan)
    call_of(describe_and_double, new_sync(), (record, 3, found)).run(1, 4)
    assert found.tolist() == [-(2**40), 0.25, 1 / 3, 5, 23, 5, 7, 6, 3, 14]
    assert record.inner.numbers.tolist() == [0, 2, 4, 6, 8]


def test_a_copy_of_a_record_has_its_own_arrays() -> None:
    record = outer("float64")
    call_of(describe_and_double, new_sync(), (record, 3, np.zeros(10)))
    for other in (copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert type(other) is Outer and other.count == record.count
        call_of(describe_and_double, new_sync(), (other, 3, np.zeros(10))).run()
        assert other.inner.numbers.tolist() == [0, 2, 4, 6, 8]
    assert record.inner.numbers.tolist() == [0, 1, 2, 3, 4]


def test_the_record_itself_is_not_changed_by_a_copy_with_changes() -> None:
    found = np.zeros(3)
    replace_in_turn(Inner(0.5, np.full(4, 3.0)), np.full(2, 7.0), found)
    assert found.tolist() == [207, 208, 403.5]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_record_is_passed_on_by_address(dtype: str) -> None:
    numbers = np.zeros(3, dtype)
    scale_by_address(address(call_scale, scale, numbers.dtype), Inner(0.5, numbers), 5)
    assert numbers.tolist() == [2.5] * 3


def test_the_type_is_that_of_the_fields() -> None:
    one, other = type_of(outer("float32")), type_of(outer("float64"))
    assert one == declared_type(Outer, types.float32) != other
    assert other == declared_type(Outer, types.float64)
    assert isinstance(one, Stored) and pickle.loads(pickle.dumps(one)) == one
    assert str(one) == "Outer in float32"


def test_arrays_that_are_not_in_c_order_are_refused() -> None:
    with pytest.raises(TypeError, match="a worker takes arrays in C order"):
        call_of(describe_and_double, new_sync(), (outer("float64"), 3, np.zeros(20)[::2]))
