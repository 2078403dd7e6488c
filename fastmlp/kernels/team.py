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
from numba import types
from numba.extending import intrinsic

from .jit import kernel

# Places in the int64 array shared by a team, a cache line apart.
_ARRIVED, _TEAM, _MET, _GENERATION = 0, 8, 16, 24
SYNC_SIZE = 32
_CLOSED = 1 << 32

_ARRIVAL_SPINS = 400_000  # about half a millisecond
_SPINS = 40_000  # about 50 us

_give_way = types.ExternalFunction(
    "SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32()
)


def new_sync():
    """Return the array through which one team coordinates; zero it before each launch."""
    return np.zeros(SYNC_SIZE, dtype=np.int64)


def _element(context, builder, array_type, array, index):
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


@intrinsic
def _fetch_add(typingctx, array, index, value):
    """Add atomically and return the value before."""

    def codegen(context, builder, signature, args):
        pointer = _element(context, builder, signature.args[0], args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic
def _load(typingctx, array, index):
    """Load atomically, seeing all that was written before the value was."""

    def codegen(context, builder, signature, args):
        pointer = _element(context, builder, signature.args[0], args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), codegen


@kernel
def _wait(spins):
    """Spin a little, then give the core away: a busy machine must not be punished.

    No pause instruction: virtual machines trap it when it is repeated.
    """
    if spins > _SPINS:
        _give_way()


@kernel
def join_team(sync, size):
    """Return (member, team size), or (-1, 0) for a thread that came after the team was closed."""
    member = _fetch_add(sync, _ARRIVED, 1)
    if member >= _CLOSED:
        return -1, 0
    spins = 0
    if member == 0:
        while _load(sync, _ARRIVED) < size and spins < _ARRIVAL_SPINS:
            spins += 1
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
