"""Named tuples in kernels: declared types are those of what is passed; fields can be replaced."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest
from numba import typeof, types
from numba.core.errors import TypingError
from numba.np.numpy_support import from_dtype

from fastmlp.kernels.machine.records import Ints, Real, Reals, declared_type, replacing
from fastmlp.kernels.machine.stored import passed_type
from harness import DTYPES, Case, Run, cached

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


class Pair(NamedTuple):
    """A record with a record inside."""

    whole: int
    numbers: Reals


class Outer(NamedTuple):
    """Fields of several types."""

    flag: bool
    pair: Pair
    real: Real
    order: Ints


_with_whole = replacing("whole")
_with_both = replacing("numbers", "whole")


@cached
def replaced_whole(pair, whole):
    return _with_whole(pair, (whole,)).whole + pair.whole * 1000


@cached
def replaced_both(pair, whole, numbers):
    other = _with_both(pair, (numbers, whole))
    return other.whole, other.numbers[0], pair.numbers[0]


@each_dtype
def test_a_record_is_declared_by_its_annotations(dtype: str) -> None:
    real = from_dtype(np.dtype(dtype))
    outer = Outer(True, Pair(1, np.zeros(2, dtype)), np.dtype(dtype).type(1), np.zeros(1, int))
    assert declared_type(Outer, real) == passed_type(typeof(outer))
    assert declared_type(Real, real) == real
    assert declared_type(Annotated[Any, types.uint8], real) == types.uint8


@each_dtype
@pytest.mark.parametrize("inputs", ["dense", "shifted lists", "bytes"])
@pytest.mark.parametrize("per_sample", [False, True])
def test_what_kernels_receive_has_the_declared_types(
    inputs: str, per_sample: bool, dtype: str
) -> None:
    sizes, batch = (70, 9, 3), 1 if per_sample else 8
    run = Run(Case(sizes=sizes, inputs=inputs, dtype=dtype, batch_size=batch))
    if per_sample:
        run.lay_out_for_samples()
    given = [run.workspace.net, run.workspace.work, run.workspace.list_scratch, run.data]
    given += [run.objective, run.new_report()]
    given += [run.workspace.samples] if per_sample else []
    for record in given:
        declared = declared_type(type(record), from_dtype(np.dtype(dtype)))
        assert passed_type(typeof(record)) == declared, type(record).__name__


def test_only_the_named_fields_are_replaced() -> None:
    assert replaced_whole(Pair(2, np.zeros(1)), 3) == 2003
    assert replaced_both(Pair(2, np.full(1, 5.0)), 3, np.full(1, 7.0)) == (3, 7.0, 5.0)


def test_a_field_keeps_its_type() -> None:
    with pytest.raises(TypingError, match="whole must be of type int64, got float64"):
        replaced_whole(Pair(2, np.zeros(1)), 0.5)
