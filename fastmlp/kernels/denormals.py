"""Flush denormal numbers to zero while a kernel runs, and restore the mode after it.

A denormal operand makes an x86 multiply-add up to a hundred times slower, and weights under L2 or
activations of a saturated unit drift into that range. x86 only; elsewhere the mode is left alone.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FLUSH = 0x8040  # FTZ | DAZ in MXCSR
_BITS = ir.IntType(32)


def _mxcsr(builder, name, slot):
    kind = ir.FunctionType(ir.VoidType(), [slot.type])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")
    builder.call(function, [slot])


def _is_x86(builder):
    return "x86" in builder.module.triple or "i686" in builder.module.triple


@intrinsic
def flush_denormals(typingctx):
    """Switch flushing on; return the mode before, for :func:`restore_denormals`."""

    def codegen(context, builder, signature, args):
        slot = cgutils.alloca_once_value(builder, ir.Constant(_BITS, 0))
        if _is_x86(builder):
            _mxcsr(builder, "stmxcsr", slot)
            before = builder.load(slot)
            builder.store(builder.or_(before, ir.Constant(_BITS, _FLUSH)), slot)
            _mxcsr(builder, "ldmxcsr", slot)
            return before
        return builder.load(slot)

    return types.uint32(), codegen


@intrinsic
def restore_denormals(typingctx, mode):
    """Set the mode that :func:`flush_denormals` returned."""

    def codegen(context, builder, signature, args):
        if _is_x86(builder):
            _mxcsr(builder, "ldmxcsr", cgutils.alloca_once_value(builder, args[0]))
        return context.get_dummy_value()

    return types.void(types.uint32), codegen
