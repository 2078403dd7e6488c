"""Time of the phases of a step and of its layers, counted by the first member of a team.

A count takes about ten nanoseconds, so it is always on: the code measured is the code that runs.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .host import architecture, is_x86
from .jit import kernel

NAMES = ("gather", "forward", "loss", "backward", "update", "wait")
GATHER, FORWARD, LOSS, BACKWARD, UPDATE, WAIT = range(len(NAMES))
PARTS_OF_LAYER = ("forward", "backward", "update")
LAYER_FORWARD, LAYER_BACKWARD, LAYER_UPDATE = range(len(PARTS_OF_LAYER))

_INDEX = ir.IntType(64)


@intrinsic
def ticks(typingctx):
    """Return a counter of constant rate in a unit of the machine; 0 where there is none."""

    def codegen(context, builder, signature, args):
        if is_x86(builder.module):
            kind = ir.FunctionType(_INDEX, [])
            counter = builder.module.declare_intrinsic("llvm.readcyclecounter", (), kind)
            return builder.call(counter, [])
        if architecture(builder.module) == "aarch64":
            # Programs may not read the cycle counter. Inline assembly would end the process: Numba
            # does not initialise LLVM's assembly parser.
            name = builder.module.add_metadata([ir.MetaDataString(builder.module, "cntvct_el0")])
            kind = ir.FunctionType(_INDEX, [name.type])
            read = "llvm.read_volatile_register.i64"
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, read), [name])
        return ir.Constant(_INDEX, 0)

    return types.int64(), codegen


@kernel(cached=True)
def read_ticks():
    """Return the counter, for Python to compare with its own clock."""
    return ticks()


@kernel
def count(phases, member, phase, since):
    """Add the ticks since ``since`` to a phase, if this is the first member; return the time."""
    now = ticks()
    if member == 0:
        phases[phase] += now - since
    return now


@kernel
def count_layer(layer_ticks, member, layer, part, since, now):
    """Add the ticks from ``since`` to ``now`` to a part of a layer; return ``now``."""
    if member == 0:
        layer_ticks[layer * len(PARTS_OF_LAYER) + part] += now - since
    return now
