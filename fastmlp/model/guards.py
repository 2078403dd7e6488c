"""Guarded memory that detects accesses out of bounds, for debug builds and tests.

While a kernel runs, each of its arrays is replaced by a copy. One end of the copy touches a page
without access rights: the processor stops the process at the first access beyond it, even a load of
a vector. At the other end are known bytes, which are checked afterwards. The ends change from
launch to launch. Read-only arrays are in read-only pages.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from ..kernels.machine.assertions import CHECKED

# Set in a debug build (see kernels.machine.assertions), and by tests.
enabled = CHECKED

_CANARY = 0xA5
_LEAST_CANARY = 64
_NO_ACCESS, _READ, _WRITE = 0, 1, 2
_sides = itertools.cycle((True, False))
_free: dict[int, list[np.ndarray]] = defaultdict(list)  # memory, by its number of pages


class CorruptionError(AssertionError):
    """A kernel has written out of the bounds of an array."""


@contextmanager
def guarded(arguments: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the arguments of a kernel, in a debug build with guarded copies of all arrays.

    Changes of the copies are copied back afterwards.

    Raises
    ------
    CorruptionError
        If bytes next to an array have changed.
    """
    if not enabled:
        yield arguments
        return
    copies: dict[tuple[int, int], _Copy] = {}
    at_end = next(_sides)
    yield tuple(_replaced(argument, copies, at_end, f"argument {number}")
                for number, argument in enumerate(arguments))  # fmt: skip
    for copy in copies.values():
        copy.check()
    for copy in copies.values():
        copy.give_back()


def _replaced(value: Any, copies: dict[tuple[int, int], _Copy], at_end: bool, name: str) -> Any:
    """Return an argument with its arrays replaced. The same memory gets one copy."""
    if isinstance(value, np.ndarray):
        memory = value.__array_interface__["data"][0], value.nbytes
        if not value.nbytes or memory not in copies:
            copies[memory] = _Copy(value, at_end, name)
        return copies[memory].as_type_of(value)
    if isinstance(value, tuple):
        names = getattr(value, "_fields", range(len(value)))
        parts = [_replaced(part, copies, at_end, f"{name}.{field}")
                 for field, part in zip(names, value, strict=True)]  # fmt: skip
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    return value


class _Copy:
    """A copy of an array between a page without access and known bytes."""

    def __init__(self, original: np.ndarray, at_end: bool, name: str):
        self.original, self.name, size = original, name, original.nbytes
        self.pages = -(-(size + _LEAST_CANARY) // mmap.PAGESIZE)
        self.body = _take(self.pages)
        start = self.body.size - size if at_end else 0
        self.before, self.bytes, self.behind = np.split(self.body, [start, start + size])
        self.before[:], self.behind[:] = _CANARY, _CANARY
        self.bytes[:] = original.reshape(-1).view(np.uint8)
        self.is_writeable = original.flags.writeable
        if not self.is_writeable:
            _protect(self.body, _READ)

    def as_type_of(self, array: np.ndarray) -> np.ndarray:
        """Return the copy with the shape and dtype of an array."""
        # Not a slice of the memory: an empty slice starts elsewhere.
        copy = np.ndarray(array.shape, array.dtype, self.body, self.before.size)
        copy.flags.writeable = array.flags.writeable
        return copy

    def check(self) -> None:
        """Raise CorruptionError if bytes next to the copy have changed."""
        sides = {"before its start": self.before[::-1], "after its end": self.behind}
        for side, canary in sides.items():
            changed = np.flatnonzero(canary != _CANARY)
            if changed.size:
                raise CorruptionError(
                    f"a kernel has written {changed.size} bytes, the first {changed[0]} bytes "
                    f"{side}, of {self.name}, {self.original.dtype} {self.original.shape}"
                )

    def give_back(self) -> None:
        """Copy the elements back to the original array, and free the memory."""
        if self.is_writeable:
            self.original[...] = self.as_type_of(self.original)
        else:
            _protect(self.body, _READ | _WRITE)
        _free[self.pages].append(self.body)


def _take(pages: int) -> np.ndarray:
    """Return pages of memory between two pages without access."""
    with suppress(IndexError):
        return _free[pages].pop()
    page = mmap.PAGESIZE
    memory = np.frombuffer(mmap.mmap(-1, (pages + 2) * page), np.uint8)
    _protect(memory[:page], _NO_ACCESS)
    _protect(memory[-page:], _NO_ACCESS)
    return memory[page:-page]


def _protect(memory: np.ndarray, rights: int) -> None:
    address = memory.__array_interface__["data"][0]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(memory.size), rights):
        raise OSError(ctypes.get_errno(), "memory cannot be protected")
