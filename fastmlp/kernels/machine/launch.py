"""Starting a compiled worker on a team of threads, or on the calling thread.

A worker is a kernel ``worker(member, team, sync, *arguments)``, compiled with ``worker=(...)``.
It is called by address, with the address of a record in memory of ``sync`` and the arguments
(``stored.py``): by Python as member 0 of a team of one, or by each member of a team from the only
parallel region of the package. With a prange loop that calls the worker by name, Numba compiles
the worker's code a second and a third time: 10 s instead of 1 s for the general step.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from numbers import Integral
from typing import Any, NamedTuple, NoReturn

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic
from numba.np.numpy_support import from_dtype

from .calls import compiled_address
from .jit import kernel
from .records import Ints, declared_type
from .stored import Stored, record_type
from .team import SYNC_SIZE, join_team
from .view import View, pack

_WORD = ir.IntType(64)
_ENTRY = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_char_p)


class Call(NamedTuple):
    """A call of a worker, ready to be made. The arrays must outlive it."""

    entry: Any  # a function (member, team, words), which runs without the GIL
    address: int  # of the same
    words: bytes  # the record of the arguments

    def run(self, member: int = 0, team: int = 1) -> None:
        """Run one member on the calling thread."""
        self.entry(member, team, self.words)


def call_of(worker: Any, sync: np.ndarray, arguments: tuple[Any, ...]) -> Call:
    """Return the call of a worker, which is compiled or loaded first.

    Parameters
    ----------
    worker : kernel, compiled with ``worker=(...)``
    sync : ndarray
        From :func:`.team.new_sync`.
    arguments : tuple
        Arrays in C order, named tuples, int and float.
    """
    pieces: list[bytes] = []
    key = (worker, _pack(sync, pieces), *[_pack(argument, pieces) for argument in arguments])
    if key not in _entries:
        address = compiled_address(worker, signature_of((sync, *arguments)))
        _entries[key] = _ENTRY(address), address
    return Call(*_entries[key], b"".join(pieces))


_entries: dict[Any, tuple[Any, int]] = {}


def worker_signature(worker: Any, real: Any) -> tuple[Any, ...]:
    """Return the types for which a worker is compiled, from its declaration.

    Parameters
    ----------
    worker : kernel, compiled with ``worker=(...)``
    real : numba type
        ``float32`` or ``float64``.
    """
    kinds = tuple(declared_type(declaration, real) for declaration in (Ints, *worker.takes))
    return (types.intp, types.intp, Stored(tuple, kinds))


def signature_of(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the types for which a worker is compiled, from ``sync`` and the arguments."""
    return (types.intp, types.intp, Stored(tuple, tuple(map(type_of, arguments))))


def type_of(value: Any) -> Any:
    """Return the type of an argument as workers receive it."""
    if isinstance(value, np.ndarray) and value.flags.c_contiguous:
        return View(from_dtype(value.dtype), value.ndim)
    if isinstance(value, tuple):
        return record_type(type(value), tuple(map(type_of, value)))
    if isinstance(value, float):
        return types.float64
    if isinstance(value, Integral):
        return types.int64
    return _refuse(value)


def _refuse(value: Any) -> NoReturn:
    raise TypeError(
        "a worker takes arrays in C order, named tuples, int and float; got "
        f"{type(value).__name__} {value!r:.80}"
    )


def _pack(value: Any, pieces: list[bytes]) -> Any:
    """Append the words of a value, and return a key of its type; a named tuple keeps both."""
    if isinstance(value, np.ndarray):
        pieces.append(_WORDS[value.ndim](_address(value), *value.shape))
        return value.dtype.char, value.ndim, value.flags.c_contiguous
    if isinstance(value, tuple):
        kept = value.__dict__
        if not kept:
            own: list[bytes] = []
            kind = (type(value), *[_pack(part, own) for part in value])
            kept["key"] = _numbers.setdefault(kind, len(_numbers))
            kept["words"] = b"".join(own)
        pieces.append(kept["words"])
        return kept["key"]
    if isinstance(value, float):
        pieces.append(_REAL(value))
        return float
    if not isinstance(value, Integral):
        _refuse(value)
    pieces.append(_WORDS[0](value))
    return int


_numbers: dict[Any, int] = {}  # of each type of named tuple
_WORDS, _REAL = [struct.Struct("q" * (1 + ndim)).pack for ndim in range(3)], struct.Struct("d").pack


def _address(array: np.ndarray) -> int:
    """Return the address of an array's elements: the first field of NumPy's structure.

    ``array.ctypes.data`` takes a microsecond, and a launch passes tens of arrays.
    """
    return _Word.from_address(id(array) + object.__basicsize__).value


def _attribute(array: np.ndarray) -> int:
    return int(array.ctypes.data)


_Word = ctypes.c_int64
_probe = np.zeros(1)
if sys.implementation.name != "cpython" or _address(_probe) != _attribute(_probe):
    _address = _attribute


@intrinsic
def _sync_at(typingctx, address):
    """Return the view of ``sync`` at an address."""
    kind = View(types.int64)

    def codegen(context, builder, signature, args):
        pointer = builder.inttoptr(args[0], _WORD.as_pointer())
        return pack(context, builder, kind, pointer, _WORD(SYNC_SIZE))

    return kind(types.intp), codegen


@intrinsic
def _call(typingctx, address, member, team, words):
    """Call the worker at an address as one member of a team."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(ir.VoidType(), [_WORD, _WORD, _WORD.as_pointer()])
        function = builder.inttoptr(args[0], kind.as_pointer())
        builder.call(function, [args[1], args[2], builder.inttoptr(args[3], _WORD.as_pointer())])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp), codegen


@kernel(parallel=True)
def _run_region(address, threads, sync, words):
    for _ in prange(threads):
        member, team = join_team(_sync_at(sync), threads)
        if member >= 0:
            _call(address, member, team, words)


@kernel(cached=True)
def run_region(address, threads, sync, words):
    """Run the worker at ``address`` on at most ``threads`` threads; ``sync`` must be zero.

    Its arguments are at the address ``words``, those of ``sync`` at ``sync``.
    """
    _run_region(address, threads, sync, words)


def run_team(call: Call, threads: int, sync: np.ndarray) -> None:
    """Make a call on at most ``threads`` threads; ``sync`` is the call's, and must be zero."""
    words = ctypes.c_char_p(call.words)
    address = ctypes.cast(words, ctypes.c_void_p).value
    run_region(call.address, threads, sync.ctypes.data, address)
