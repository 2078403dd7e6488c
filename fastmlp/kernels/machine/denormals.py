"""Flush denormal numbers to zero while a kernel runs, and restore the mode after it.

A denormal operand makes an x86 multiply-add up to a hundred times slower, and weights under L2 or
activations of a saturated unit reach that range. ARM flushes, too, so that both compute the same,
except for results that are denormal before rounding but not after it, which ARM also flushes. On
other CPUs the mode is not changed.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .host import architecture, is_x86

_BITS, _REGISTER = ir.IntType(32), ir.IntType(64)


class _X86:
    """The mode is in MXCSR, which is read and written through memory."""

    on = 0x8040  # FTZ | DAZ

    @classmethod
    def flush(cls, builder):
        """Switch flushing on; return the mode before."""
        slot = cgutils.alloca_once_value(builder, ir.Constant(_BITS, 0))
        cls._call(builder, "stmxcsr", slot)
        before = builder.load(slot)
        builder.store(builder.or_(before, ir.Constant(_BITS, cls.on)), slot)
        cls._call(builder, "ldmxcsr", slot)
        return before

    @classmethod
    def restore(cls, builder, mode):
        cls._call(builder, "ldmxcsr", cgutils.alloca_once_value(builder, mode))

    @staticmethod
    def _call(builder, name, slot):
        kind = ir.FunctionType(ir.VoidType(), [slot.type])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")
        builder.call(function, [slot])


class _Arm:
    """The mode is in FPCR, of whose 64 bits the upper half is unused."""

    on = 1 << 24  # FZ

    @classmethod
    def flush(cls, builder):
        """Switch flushing on; return the mode before."""
        kind = ir.FunctionType(_REGISTER, [])
        read = cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.get.fpcr")
        before = builder.trunc(builder.call(read, []), _BITS)
        cls.restore(builder, builder.or_(before, ir.Constant(_BITS, cls.on)))
        return before

    @staticmethod
    def restore(builder, mode):
        kind = ir.FunctionType(ir.VoidType(), [_REGISTER])
        write = cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.set.fpcr")
        builder.call(write, [builder.zext(mode, _REGISTER)])


def _cpu(builder):
    """Return the class for the CPU that code is emitted for; None if the mode is not changed."""
    if is_x86(builder.module):
        return _X86
    return _Arm if architecture(builder.module) == "aarch64" else None


@intrinsic
def flush_denormals(typingctx):
    """Switch flushing on; return the mode before, for :func:`restore_denormals`."""

    def codegen(context, builder, signature, args):
        cpu = _cpu(builder)
        return ir.Constant(_BITS, 0) if cpu is None else cpu.flush(builder)

    return types.uint32(), codegen


@intrinsic
def restore_denormals(typingctx, mode):
    """Set the mode that :func:`flush_denormals` returned."""

    def codegen(context, builder, signature, args):
        cpu = _cpu(builder)
        if cpu is not None:
            cpu.restore(builder, args[0])
        return context.get_dummy_value()

    return types.void(types.uint32), codegen
