"""Flush denormal numbers to zero while a kernel runs, and restore the mode after it.

A denormal operand makes an x86 multiply-add up to a hundred times slower, and weights under L2 or
activations of a saturated unit drift into that range. ARM flushes, too, so that both compute the
same, but for results that are denormal before rounding and not after it: ARM flushes those as well.
On other CPUs the mode is left alone.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .host import architecture, is_x86

_BITS, _REGISTER = ir.IntType(32), ir.IntType(64)


class _Mxcsr:
    """Control and status of x86's vector instructions; read and written by way of memory."""

    flush = 0x8040  # FTZ | DAZ

    @staticmethod
    def _call(builder, name, slot):
        kind = ir.FunctionType(ir.VoidType(), [slot.type])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")
        builder.call(function, [slot])

    @classmethod
    def read(cls, builder):
        slot = cgutils.alloca_once_value(builder, ir.Constant(_BITS, 0))
        cls._call(builder, "stmxcsr", slot)
        return builder.load(slot)

    @classmethod
    def write(cls, builder, mode):
        cls._call(builder, "ldmxcsr", cgutils.alloca_once_value(builder, mode))


class _Fpcr:
    """Control of ARM's floating-point instructions, of which the upper half is unused."""

    flush = 1 << 24  # FZ

    @staticmethod
    def _function(builder, name, kind):
        return cgutils.get_or_insert_function(builder.module, kind, f"llvm.aarch64.{name}.fpcr")

    @classmethod
    def read(cls, builder):
        function = cls._function(builder, "get", ir.FunctionType(_REGISTER, []))
        return builder.trunc(builder.call(function, []), _BITS)

    @classmethod
    def write(cls, builder, mode):
        function = cls._function(builder, "set", ir.FunctionType(ir.VoidType(), [_REGISTER]))
        builder.call(function, [builder.zext(mode, _REGISTER)])


def _control(builder):
    """Return the register that holds the mode of the CPU that code is emitted for, or None."""
    if is_x86(builder.module):
        return _Mxcsr
    return _Fpcr if architecture(builder.module) == "aarch64" else None


@intrinsic
def flush_denormals(typingctx):
    """Switch flushing on; return the mode before, for :func:`restore_denormals`."""

    def codegen(context, builder, signature, args):
        control = _control(builder)
        if control is None:
            return ir.Constant(_BITS, 0)
        before = control.read(builder)
        control.write(builder, builder.or_(before, ir.Constant(_BITS, control.flush)))
        return before

    return types.uint32(), codegen


@intrinsic
def restore_denormals(typingctx, mode):
    """Set the mode that :func:`flush_denormals` returned."""

    def codegen(context, builder, signature, args):
        control = _control(builder)
        if control is not None:
            control.write(builder, args[0])
        return context.get_dummy_value()

    return types.void(types.uint32), codegen
