"""The guards themselves: each kind of access beside an array shows."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from fastmlp.model import guards
from fastmlp.model.guards import CorruptionError, guarded
from forks import ending

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="guards need POSIX")

FAULTS = (signal.SIGSEGV, signal.SIGBUS)


@pytest.fixture(autouse=True)
def enabled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(guards, "enabled", True)
    yield


@pytest.fixture(params=[True, False], ids=["page behind", "page before"])
def is_behind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """The side of the next arrays on which the protected page is."""
    monkeypatch.setattr(guards, "_sides", iter([request.param]))
    return bool(request.param)


def number(array: np.ndarray, place: int) -> np.ndarray:
    """A view of the number at a place, which may lie beside the array."""
    address = array.__array_interface__["data"][0] + place * array.itemsize
    kind = np.ctypeslib.as_ctypes_type(array.dtype)
    return np.ctypeslib.as_array(kind.from_address(address))


@pytest.mark.parametrize("size", [1, 3, 16, 1000, 1024, 5000])
@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "f8"])
def test_no_number_can_be_read_beyond_the_page(size: int, dtype: str, is_behind: bool) -> None:
    array = np.arange(size).astype(dtype)
    with guarded((array,)) as (copy,):
        np.testing.assert_array_equal(copy, array)
        place = size if is_behind else -1
        code, _ = ending(lambda: number(copy, place).sum())
    assert code in FAULTS


def test_arrays_of_nothing_cannot_be_read(is_behind: bool) -> None:
    with guarded((np.empty(0),)) as (copy,):
        place = 0 if is_behind else -1
        assert ending(lambda: number(copy, place).sum())[0] in FAULTS


def test_what_is_written_beside_an_array_is_noticed(is_behind: bool) -> None:
    class Group(NamedTuple):
        count: int
        weights: np.ndarray

    where = "before its start" if is_behind else "after its end"
    words = rf"written 4 bytes, the first 4 bytes {where}, of argument 1.weights, float32 \(5,\)"
    with (
        pytest.raises(CorruptionError, match=words),
        guarded((np.zeros(2), Group(3, np.zeros(5, np.float32)))) as (_, group),
    ):
        number(group.weights, -2 if is_behind else 6)[...] = 1.0


def test_what_is_written_to_read_only_arrays_ends_the_process(is_behind: bool) -> None:
    array = np.zeros(5)
    array.flags.writeable = False
    with guarded((array,)) as (copy,):
        assert not copy.flags.writeable

        def write() -> None:
            number(copy, 2)[...] = 1.0

        assert ending(write)[0] in FAULTS


def test_results_come_back_and_the_same_memory_stays_the_same(is_behind: bool) -> None:
    numbers = np.arange(6.0)
    bits, part = numbers.view(np.int64), np.arange(12.0).reshape(3, 4)
    with guarded((numbers, (bits, "text"), part)) as (copy, (copied_bits, text), copied_part):
        copy[0] = 7.0
        assert copied_bits[0] == np.float64(7.0).view(np.int64) and text == "text"
        copied_part[1, 2] = -1.0
        assert copy is not numbers and numbers[0] == 0
    assert numbers[0] == 7.0 and part[1, 2] == -1.0


def test_memory_is_used_again(is_behind: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_sides", iter([is_behind] * 2))
    places = []
    for _ in range(2):
        with guarded((np.zeros(70_000),)) as (copy,):
            places.append(copy.__array_interface__["data"][0])
    assert places[0] == places[1]


def test_without_guards_arrays_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "enabled", False)
    array = np.zeros(3)
    with guarded((array, 4)) as given:
        assert given[0] is array and given[1] == 4
