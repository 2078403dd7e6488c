"""Where the time of a step goes, counted by the first member of a team as it goes along.

A count costs some ten nanoseconds, so that it is always on: what is measured is what runs.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .jit import kernel

NAMES = ("gather", "forward", "loss", "backward", "update", "wait")
GATHER, FORWARD, LOSS, BACKWARD, UPDATE, WAIT = range(len(NAMES))

_INDEX = ir.IntType(64)


@intrinsic
def ticks(typingctx):
    """Return a counter that runs evenly; its unit depends on the machine. 0 where there is none."""

    def codegen(context, builder, signature, args):
        architecture = builder.module.triple.partition("-")[0]
        if architecture in ("x86_64", "i686"):
            kind = ir.FunctionType(_INDEX, [])
            counter = builder.module.declare_intrinsic("llvm.readcyclecounter", (), kind)
            return builder.call(counter, [])
        if architecture in ("aarch64", "arm64"):
            # The cycle counter itself is closed to programs.
            kind = ir.FunctionType(_INDEX, [])
            return builder.asm(kind, "mrs $0, cntvct_el0", "=r", [], True)
        return ir.Constant(_INDEX, 0)

    return types.int64(), codegen


@kernel(cached=True)
def read_ticks():
    """Return the counter; for Python, which compares it with its own clock."""
    return ticks()


@kernel
def count(phases, member, phase, since):
    """Add the ticks since ``since`` to a phase, if this is the first member; return the time."""
    now = ticks()
    if member == 0:
        phases[phase] += now - since
    return now
