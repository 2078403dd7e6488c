"""Products of rows of bytes with one another, as vector IR."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.view import check_access, emit_element, unpack
from .emitter import INDEX, integer, splat

# Longest rows, in bytes: a sum of more squares of 255 might not fit an int32.
MOST_FEATURES = 1 << 15
AT_ONCE = 4  # products at a time: they read the first row once
_CHUNK = 16  # bytes: as int16, they fill a 32-byte register
_SUM = ir.VectorType(ir.IntType(32), _CHUNK // 2)


def _sum_of_products(builder, x, y):
    """Eight sums of two products each of sixteen bytes: one instruction on x86 (vpmaddwd)."""
    wide = ir.VectorType(ir.IntType(32), _CHUNK)
    product = builder.mul(builder.zext(x, wide), builder.zext(y, wide))
    undefined = ir.Constant(wide, ir.Undefined)
    pairs = [
        builder.shuffle_vector(product, undefined, ir.Constant(_SUM, list(range(side, _CHUNK, 2))))
        for side in (0, 1)
    ]
    return builder.add(*pairs)


@intrinsic
def multiply_bytes(typingctx, X, order, first, row, G, g, factor):
    """G[g + s] = factor X_row . X_s for rows s < row, both counted from order[first] on.

    Products of integers are exact. Overwrites G up to the next multiple of AT_ONCE. X has at least
    16 columns and at most MOST_FEATURES.
    """

    def codegen(context, builder, signature, args):
        X, order, first, row, G, g, factor = args
        kinds = signature.args
        data, shape = unpack(context, builder, kinds[0], X)
        width = builder.extract_value(shape, 1)
        chunk = ir.VectorType(ir.IntType(8), _CHUNK)
        real = context.get_value_type(kinds[4].dtype)

        def start_of(number):
            pointer = emit_element(context, builder, kinds[1], order, builder.add(first, number))
            return builder.gep(data, [builder.mul(builder.load(pointer), width)])

        def bytes_at(start, k):
            pointer = builder.gep(start, [k])
            check_access(context, builder, kinds[0], X, pointer, _CHUNK)
            load = builder.load(builder.bitcast(pointer, chunk.as_pointer()))
            load.align = 1
            return load

        # The last chunk ends with the row: bytes that the chunk before it has are set to 0.
        rest = builder.urem(width, integer(_CHUNK))
        left = builder.sub(width, rest)
        tail = builder.sub(width, integer(_CHUNK))
        lanes = ir.Constant(chunk, [_CHUNK - 1 - j for j in range(_CHUNK)])
        count = splat(builder, builder.trunc(rest, ir.IntType(8)), _CHUNK)
        is_new = builder.icmp_unsigned("<", lanes, count)

        reduce = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.IntType(32), [_SUM]),
            f"llvm.vector.reduce.add.v{_CHUNK // 2}i32",
        )
        mine = start_of(row)
        # Two fifths of the chunks of an image of a digit are 0.
        places = cgutils.alloca_once(builder, INDEX, MOST_FEATURES // _CHUNK)
        n_places = cgutils.alloca_once_value(builder, integer(0))
        with cgutils.for_range_slice(builder, integer(0), left, integer(_CHUNK)) as (k, _):
            n = builder.load(n_places)
            builder.store(k, builder.gep(places, [n]))
            bits = builder.bitcast(bytes_at(mine, k), ir.IntType(8 * _CHUNK))
            is_there = builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))
            builder.store(builder.add(n, builder.zext(is_there, INDEX)), n_places)
        groups = builder.udiv(builder.add(row, integer(AT_ONCE - 1)), integer(AT_ONCE))
        with cgutils.for_range(builder, groups) as loop:
            s = builder.mul(loop.index, integer(AT_ONCE))
            numbers = [builder.add(s, integer(j)) for j in range(AT_ONCE)]
            others = [
                start_of(builder.select(builder.icmp_signed("<", number, row), number, row))
                for number in numbers
            ]
            x = builder.select(is_new, bytes_at(mine, tail), ir.Constant(chunk, None))
            totals = [
                cgutils.alloca_once_value(builder, _sum_of_products(builder, x, bytes_at(y, tail)))
                for y in others
            ]
            with cgutils.for_range(builder, builder.load(n_places)) as chunks:
                k = builder.load(builder.gep(places, [chunks.index]))
                x = bytes_at(mine, k)
                for y, total in zip(others, totals, strict=True):
                    products = _sum_of_products(builder, x, bytes_at(y, k))
                    builder.store(builder.add(builder.load(total), products), total)
            for number, total in zip(numbers, totals, strict=True):
                found = builder.sitofp(builder.call(reduce, [builder.load(total)]), real)
                pointer = emit_element(context, builder, kinds[4], G, builder.add(g, number))
                builder.store(builder.fmul(found, factor), pointer)
        return context.get_dummy_value()

    size = types.intp
    return types.void(X, order, size, size, G, size, G.dtype), codegen
