"""Where the time of a step goes, counted by the first member of a team as it goes along.

A count costs some ten nanoseconds, so that it is always on: what is measured is what runs.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .host import architecture, is_x86
from .jit import kernel

NAMES = ("gather", "forward", "loss", "backward", "update", "wait")
GATHER, FORWARD, LOSS, BACKWARD, UPDATE, WAIT = range(len(NAMES))

_INDEX = ir.IntType(64)


@intrinsic
def ticks(typingctx):
    """Return a counter that runs evenly; its unit depends on the machine. 0 where there is none."""

    def codegen(context, builder, signature, args):
        if is_x86(builder.module):
            kind = ir.FunctionType(_INDEX, [])
            counter = builder.module.declare_intrinsic("llvm.readcyclecounter", (), kind)
            return builder.call(counter, [])
        if architecture(builder.module) == "aarch64":
            # Programs may not read the cycle counter. And no inline assembly: Numba does not
            # initialise LLVM's assembly parser, and the first one that needs it ends the process.
            name = builder.module.add_metadata([ir.MetaDataString(builder.module, "cntvct_el0")])
            kind = ir.FunctionType(_INDEX, [name.type])
            read = "llvm.read_volatile_register.i64"
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, read), [name])
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
