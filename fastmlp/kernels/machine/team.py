"""A team of threads inside one parallel region: who is in it, how it meets, how work is shared.

A region costs 1.4 us to start on OpenMP and 130 us on Numba's workqueue; a barrier inside one costs
0.25 us on either. So a whole slice of an epoch is one region whose threads meet at barriers.

A threading layer promises neither that all iterations of a region run at the same time nor that
they run on different threads. A barrier that waits for a fixed number would then wait for ever. So
the team is formed from those who arrive: the first to arrive waits a moment, closes the team, and
late arrivals find nothing to do. Results do not depend on the size of the team.
"""

import sys

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import kernel
from .view import emit_element

# Places in the int64 array shared by a team, a cache line apart.
_ARRIVED, _TEAM, _MET, _GENERATION = 0, 8, 16, 24
SYNC_SIZE = 32
_CLOSED = 1 << 32

# A thread that was asleep may be woken on the core of the one that waits for it, and gets there
# only when that one gives way. Spinning for half a millisecond, every second team had one member.
_ARRIVAL_NANOSECONDS = 5_000_000
_SPINS = 4000  # about 5 us: beside a busy process, 50 us halve the speed again

_give_way = types.ExternalFunction(
    "SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32()
)


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
    """Load atomically, seeing all that was written before the value was."""

    def codegen(context, builder, signature, args):
        pointer = emit_element(context, builder, signature.args[0], args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), codegen


@kernel
def _wait(spins):
    """Spin a little, then give the core away: a busy machine must not be punished.

    No pause instruction: virtual machines trap it when it is repeated.
    """
    if spins > _SPINS:
        _give_way()


@intrinsic
def _nanoseconds(typingctx):
    """Return the time by a clock that only goes forward."""

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
    """Return (member, team size), or (-1, 0) for a thread that came after the team was closed."""
    member = _fetch_add(sync, _ARRIVED, 1)
    if member >= _CLOSED:
        return -1, 0
    spins = 0
    if member == 0:
        started = _nanoseconds()
        while _load(sync, _ARRIVED) < size and _nanoseconds() - started < _ARRIVAL_NANOSECONDS:
            _wait(spins)
            spins += 200  # looks at the clock take their time
        _fetch_add(sync, _TEAM, _fetch_add(sync, _ARRIVED, _CLOSED))
    while _load(sync, _TEAM) == 0:
        _wait(spins)
        spins += 1
    return member, _load(sync, _TEAM)


@kernel
def barrier(sync, team):
    """Wait until all members of the team are here."""
    if team == 1:
        return
    generation = _load(sync, _GENERATION)
    if _fetch_add(sync, _MET, 1) == team - 1:
        _fetch_add(sync, _MET, -team)
        _fetch_add(sync, _GENERATION, 1)
    else:
        spins = 0
        while _load(sync, _GENERATION) == generation:
            _wait(spins)
            spins += 1


@kernel
def share(count, grain, member, team):
    """Return the range [first, last) of ``count`` things that is this member's, in whole grains."""
    grains = (count + grain - 1) // grain
    first = member * grains // team * grain
    last = (member + 1) * grains // team * grain
    return min(first, count), min(last, count)
