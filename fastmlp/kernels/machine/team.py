"""A team of threads inside one parallel region: its members, its barriers, its shares of work.

Starting a region takes 1.4 us with OpenMP and 130 us with Numba's workqueue; a barrier inside it
takes 0.25 us with either. So a whole slice of an epoch is one region with barriers.

A threading layer guarantees neither that all iterations of a region run at the same time nor that
they run on different threads: a barrier for a fixed number of threads could wait forever. So the
team consists of the threads that arrive: the first one waits a moment, then closes the team, and
threads that arrive later do nothing. Results do not depend on the size of the team.
"""

import sys
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import kernel
from .records import Ints
from .view import emit_element

# Indices in the int64 array shared by a team, a cache line apart.
_ARRIVED, _TEAM, _WAITING, _GENERATION = 0, 8, 16, 24
SYNC_SIZE = 32
_CLOSED = 1 << 32

# A sleeping thread may be woken on the core of the thread that waits for it, and runs only after
# that one yields. With half a millisecond of spinning, every second team had one member.
_ARRIVAL_NANOSECONDS = 5_000_000
_SPINS = 4000  # about 5 us: with 50 us, a second busy process halves the speed

_yield_core = types.ExternalFunction(
    "SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32()
)


class Member(NamedTuple):
    """A member of a team, as kernels pass it on."""

    number: int
    team: int  # members
    sync: Ints  # shared by the team


def new_sync():
    """Return the array through which one team coordinates; zero it before each launch."""
    return np.zeros(SYNC_SIZE, dtype=np.int64)


@intrinsic
def _fetch_add(typingctx, array, index, value):
    """Add atomically and return the value before."""

    def codegen(context, builder, signature, args):
        pointer = emit_element(context, builder, signature.args[0], args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic
def _load(typingctx, array, index):
    """Load atomically; everything written before the value is visible."""

    def codegen(context, builder, signature, args):
        pointer = emit_element(context, builder, signature.args[0], args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), codegen


@kernel
def _wait(spins):
    """Spin, then yield the core, so that other processes are not held up.

    Without a pause instruction: virtual machines trap repeated ones.
    """
    if spins > _SPINS:
        _yield_core()


@intrinsic
def _nanoseconds(typingctx):
    """Return the time of a monotonic clock."""

    def codegen(context, builder, signature, args):
        word = ir.IntType(64)
        if sys.platform == "win32":
            kind = ir.FunctionType(word, [])
            ticks = cgutils.get_or_insert_function(builder.module, kind, "GetTickCount64")
            return builder.mul(builder.call(ticks, []), ir.Constant(word, 1_000_000))
        pair = cgutils.alloca_once(builder, word, 2)
        number = ir.IntType(32)
        kind = ir.FunctionType(number, [number, pair.type])
        read = cgutils.get_or_insert_function(builder.module, kind, "clock_gettime")
        monotonic = ir.Constant(number, 6 if sys.platform == "darwin" else 1)
        builder.call(read, [monotonic, pair])
        seconds, rest = (
            builder.load(builder.gep(pair, [ir.Constant(word, part)])) for part in (0, 1)
        )
        return builder.add(builder.mul(seconds, ir.Constant(word, 1_000_000_000)), rest)

    return types.int64(), codegen


@kernel
def join_team(sync, size):
    """Return (member, team size), or (-1, 0) if the team is closed."""
    member = _fetch_add(sync, _ARRIVED, 1)
    if member >= _CLOSED:
        return -1, 0
    spins = 0
    if member == 0:
        started = _nanoseconds()
        while _load(sync, _ARRIVED) < size and _nanoseconds() - started < _ARRIVAL_NANOSECONDS:
            _wait(spins)
            spins += 200  # reading the clock takes as long
        _fetch_add(sync, _TEAM, _fetch_add(sync, _ARRIVED, _CLOSED))
    while _load(sync, _TEAM) == 0:
        _wait(spins)
        spins += 1
    return member, _load(sync, _TEAM)


@kernel
def barrier(sync, team):
    """Wait until all members of the team have arrived."""
    if team == 1:
        return
    generation = _load(sync, _GENERATION)
    if _fetch_add(sync, _WAITING, 1) == team - 1:
        _fetch_add(sync, _WAITING, -team)
        _fetch_add(sync, _GENERATION, 1)
    else:
        spins = 0
        while _load(sync, _GENERATION) == generation:
            _wait(spins)
            spins += 1


@kernel
def share(count, grain, member, team):
    """Return this member's range [first, last) of ``count`` items, in whole grains."""
    grains = (count + grain - 1) // grain
    first = member * grains // team * grain
    last = (member + 1) * grains // team * grain
    return min(first, count), min(last, count)
