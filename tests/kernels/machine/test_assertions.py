"""The assertions of a debug build: whatever works out an address ends the process where it lies
outside of its array. Without FASTMLP_DEBUG_MEMORY=1 there are none to test; .ci/run sets it.
"""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest

from fastmlp.kernels.emit.lists import List, SumOfRows, multiply_list, sum_rows
from fastmlp.kernels.emit.tile import multiply_columns, multiply_rows
from fastmlp.kernels.emit.transpose import transpose_block
from fastmlp.kernels.inputs import compress
from fastmlp.kernels.inputs.gather import gather_bytes, typed_row
from fastmlp.kernels.machine.assertions import CHECKED
from fastmlp.kernels.machine.stored import as_passed
from fastmlp.kernels.machine.team import barrier
from fastmlp.kernels.machine.view import row_view, view
from forks import ending
from harness import cached, compiled

pytestmark = pytest.mark.skipif(not CHECKED, reason="only a debug build has assertions")

Arguments = dict[str, Any]


@cached
def index(a, i):
    return a[i]


@cached
def index_view(a, i):
    return as_passed(a)[i]


@cached
def index_matrix(M, r, i):
    return as_passed(M)[r, i]


@cached
def take(a, start, size):
    return view(a, start, size).size


@cached
def take_row(M, r, start, size):
    return row_view(M, r, start, size).size


@cached
def take_typed(M, r, start, size, like):
    return typed_row(M, r, start, size, like).size


@cached
def find(a, start):
    return compress._find_nonzero(a, start)


@cached
def by_rows(A, B, I, C):
    multiply_rows(A, 0, 16, 0, B, 0, 16, I, 0, 16, I[0], I[0], C, 0, 16, 3, 2)


@cached
def by_columns(A, B, I, C):
    multiply_columns(A, 0, 16, 0, B, 0, 16, I, 0, 16, I[0], I[0], C, 0, 16, 3, 2)


@cached
def multiply(columns, values, W, I, C):
    multiply_list(List(columns, values, 0, 2, W, 0, 16, 0, I, 0, 0, C, 0, I[0], True), 1)


@cached
def add_up(D, C):
    sum_rows(SumOfRows(D, 0, 16, 0, 3, C, 0, True), 1)


def floats(size: int) -> np.ndarray:
    return np.zeros(size, np.float32)


BYTES, SCALE = np.zeros((2, 64), np.uint8), np.ones(1)
PRODUCT = {"A": floats(34), "B": floats(32), "I": floats(48), "C": floats(48)}
BY_COLUMNS = {**PRODUCT, "A": floats(19)}
LIST = {
    "columns": np.array([0, 3], np.int32), "values": floats(2), "W": floats(64), "I": floats(16),
    "C": floats(16),
}  # fmt: skip
GATHER = {
    "X": BYTES, "order": np.array([1]), "first": 0, "last": 1, "offset": SCALE, "factor": SCALE,
    "A": floats(64), "start": 0, "row": 16, "panel": 16,
}  # fmt: skip
SQUARE = {"S": floats(256), "s": 0, "s_row": 16, "T": floats(256), "t": 0, "t_row": 16}
CASES = [
    (index, {"a": floats(5), "i": 4}, [{"i": 5}, {"i": -6}, {"a": floats(0)}]),
    (index_view, {"a": floats(5), "i": 0}, [{"i": 5}, {"i": -1}, {"i": 2**62}]),
    (index_matrix, {"M": BYTES, "r": 1, "i": 63}, [{"r": 2}, {"r": -1}, {"i": 64}]),
    (take, {"a": floats(5), "start": 2, "size": 3}, [{"size": 4}, {"start": -1}, {"size": -1}]),
    (take, {"a": floats(5), "start": 5, "size": 0}, [{"start": 6}, {"size": 2**61}]),
    (take_row, {"M": BYTES, "r": 1, "start": 4, "size": 60}, [{"size": 61}, {"r": 2}, {"r": -1}]),
    (
        take_typed,
        {"M": BYTES, "r": 1, "start": 8, "size": 8, "like": floats(0)},
        [{"size": 9}, {"start": 9}, {"r": 2}, {"like": np.zeros(0)}],
    ),
    (find, {"a": floats(20), "start": 4}, [{"start": 5}, {"start": -1}]),
    (by_rows, PRODUCT, [{name: array[:-1]} for name, array in PRODUCT.items()]),
    (by_columns, BY_COLUMNS, [{name: array[:-1]} for name, array in BY_COLUMNS.items()]),
    (
        multiply,
        LIST,
        [*({name: array[:-1]} for name, array in LIST.items()),
         {"columns": np.array([0, 4], np.int32)}, {"columns": np.array([-1, 3], np.int32)}],
    ),
    (add_up, {"D": floats(48), "C": floats(16)}, [{"D": floats(47)}, {"C": floats(15)}]),
    (
        compiled(gather_bytes),
        GATHER,
        [{"A": floats(63)}, {"order": np.array([2])}, {"last": 2}, {"start": -1},
         {"offset": np.ones(63), "factor": np.ones(63)}],
    ),
    (compiled(transpose_block), SQUARE, [{"S": floats(255)}, {"T": floats(255)}, {"s": -1}]),
    (compiled(barrier), {"sync": np.zeros(32, np.int64), "team": 1}, []),
    (compiled(barrier), {"sync": np.zeros(32, np.int64), "team": 2},
     [{"sync": np.zeros(16, np.int64)}]),
]  # fmt: skip


def label(case: tuple[Any, Arguments, list[Arguments]]) -> str:
    return str(case[0].__name__)


@pytest.mark.parametrize("case", CASES[:-1], ids=label)
def test_values_within_limit_are_not_changed(case: tuple[Any, Arguments, list[Arguments]]) -> None:
    kernel, arguments, _ = case
    kernel(*arguments.values())


@pytest.mark.parametrize("case", CASES, ids=label)
def test_what_lies_outside_ends_the_process(case: tuple[Any, Arguments, list[Arguments]]) -> None:
    kernel, arguments, changes = case
    for change in changes:
        given = tuple({**arguments, **change}.values())
        kernel.compile(tuple(map(kernel.typeof_pyval, given)))
        code, said = ending(lambda given=given: kernel(*given))
        assert code == signal.SIGABRT, (kernel, change)
        assert said.startswith("fastmlp: outside of an array, in "), said


def test_message_names_kernel_and_index() -> None:
    given = tuple({**GATHER, "A": floats(63)}.values())
    _, said = ending(lambda: compiled(gather_bytes)(*given))
    assert said == (
        "fastmlp: outside of an array, in fastmlp.kernels.inputs.gather.gather_bytes: "
        "elements 48 to 64 of 63\n"
    )
