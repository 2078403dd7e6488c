"""Sums over a range, as vector IR, whose order depends on nothing but its length.

Kernels are compiled without ``reassoc``, with which LLVM adds in an order that depends on the
vectors of the CPU. A single chain of additions would take four cycles for each element. Eight
chains in float64, one vector, are added by halves at the end; elements after the last whole vector
belong to the first chain. As plain loops they took 0.4 s of a cold start to compile.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.view import emit_element, unpack
from .emitter import integer, multiply_add

CHAINS = 8
_DOUBLE = ir.DoubleType()


def _element(builder, total, x, y):
    return builder.fadd(total, x)


def _absolute(builder, total, x, y):
    suffix = f"v{CHAINS}f64" if isinstance(x.type, ir.VectorType) else "f64"
    kind = ir.FunctionType(x.type, [x.type])
    absolute = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fabs.{suffix}")
    return builder.fadd(total, builder.call(absolute, [x]))


def _product(builder, total, x, y):
    return builder.call(multiply_add(builder, x.type), [x, y, total])


def _sum(add):
    """Return the intrinsic ``total(x, y)`` of flat arrays or views of one size, in float64."""

    @intrinsic
    def total(typingctx, x, y):
        def codegen(context, builder, signature, args):
            def loaded(array, kind, index, count):
                real = context.get_value_type(kind.dtype)
                element = emit_element(context, builder, kind, array, index, count)
                wide, as_stored = _DOUBLE, real
                if count > 1:
                    wide, as_stored = (ir.VectorType(part, count) for part in (_DOUBLE, real))
                value = builder.load(builder.bitcast(element, as_stored.as_pointer()))
                value.align = kind.dtype.bitwidth // 8
                return value if real == _DOUBLE else builder.fpext(value, wide)

            def grown(total, index, count):
                values = (
                    loaded(array, kind, index, count)
                    for array, kind in zip(args, signature.args, strict=True)
                )
                return add(builder, total, *values)

            _, shape = unpack(context, builder, x, args[0])
            size = cgutils.unpack_tuple(builder, shape)[0]
            vector = ir.VectorType(_DOUBLE, CHAINS)
            whole = builder.and_(size, integer(-CHAINS))
            sums = cgutils.alloca_once_value(builder, ir.Constant(vector, None))
            step = integer(CHAINS)
            with cgutils.for_range_slice(builder, integer(0), whole, step) as (index, _):
                builder.store(grown(builder.load(sums), index, CHAINS), sums)
            chains = [
                builder.extract_element(builder.load(sums), ir.IntType(32)(lane))
                for lane in range(CHAINS)
            ]
            first = cgutils.alloca_once_value(builder, chains[0])
            with cgutils.for_range_slice(builder, whole, size, integer(1)) as (index, _):
                builder.store(grown(builder.load(first), index, 1), first)
            chains[0] = builder.load(first)
            while len(chains) > 1:
                half = len(chains) // 2
                chains = [builder.fadd(chains[lane], chains[lane + half]) for lane in range(half)]
            return chains[0]

        return types.float64(x, y), codegen

    return total


sum_of_elements, sum_of_absolutes, sum_of_products = map(_sum, (_element, _absolute, _product))
