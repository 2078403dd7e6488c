"""The register tile: a few rows times one 64-byte vector of columns, as explicit vector IR.

LLVM splits the 64-byte vector into what the host has (one AVX-512, two AVX2 or four NEON
registers). Every element is one chain of fused multiply-adds in the order of ``k``, whatever the
height of the tile it falls in. So how rows and columns are split between threads cannot change a
bit of a result.

Plain Numba loops over the same shapes reach a third of the speed, because LLVM keeps the sums in
memory and not in registers.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

VECTOR_BYTES = 64
TILE_ROWS = 6  # 6 rows x 2 AVX2 registers + 2 of B + 1 of A = 15 of 16 registers

_INDEX = ir.IntType(64)


def lanes(dtype):
    """Return how many numbers of ``dtype`` (a NumPy or Numba type) one vector holds."""
    return VECTOR_BYTES // (dtype.bitwidth // 8 if hasattr(dtype, "bitwidth") else dtype.itemsize)


def _pointer(context, builder, array_type, array, offset):
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [offset])


def _advance(builder, pointer, stride, times):
    return builder.gep(pointer, [builder.mul(stride, ir.Constant(_INDEX, times))])


def _vector_at(builder, pointer, vector, itemsize):
    load = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    load.align = itemsize
    return load


def _splat(builder, scalar, vector):
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
    return builder.shuffle_vector(first, undefined, zeros)


def _make_tile(rows):
    @intrinsic
    def tile(typingctx, A, a, a_row, a_col, B, b, b_row, I, i, i_row, C, c, c_row, K):
        sizes = [types.intp] * 3
        signature = types.void(A, *sizes, B, *sizes[:2], I, *sizes[:2], C, *sizes[:2], types.intp)

        def codegen(context, builder, signature, args):
            (A, a, a_row, a_col, B, b, b_row, I, i, i_row, C, c, c_row, K) = args
            A_type, B_type, I_type, C_type = (signature.args[n] for n in (0, 4, 7, 10))
            itemsize = A_type.dtype.bitwidth // 8
            vector = ir.VectorType(context.get_value_type(A_type.dtype), lanes(A_type.dtype))
            suffix = f"v{vector.count}f{8 * itemsize}"
            fma = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.{suffix}"
            )
            A_rows = _pointer(context, builder, A_type, A, a)
            A_rows = [_advance(builder, A_rows, a_row, r) for r in range(rows)]
            B_start = _pointer(context, builder, B_type, B, b)
            I_start = _pointer(context, builder, I_type, I, i)
            C_start = _pointer(context, builder, C_type, C, c)
            initial = [
                _vector_at(builder, _advance(builder, I_start, i_row, r), vector, itemsize)
                for r in range(rows)
            ]

            entry = builder.block
            loop = builder.append_basic_block("sum_over_k")
            done = builder.append_basic_block("store")
            builder.branch(loop)
            builder.position_at_end(loop)
            k = builder.phi(_INDEX)
            sums = [builder.phi(vector) for _ in range(rows)]
            B_row = _vector_at(
                builder, builder.gep(B_start, [builder.mul(k, b_row)]), vector, itemsize
            )
            A_column = builder.mul(k, a_col)
            grown = []
            for r in range(rows):
                scalar = builder.load(builder.gep(A_rows[r], [A_column]))
                grown.append(builder.call(fma, [_splat(builder, scalar, vector), B_row, sums[r]]))
            next_k = builder.add(k, ir.Constant(_INDEX, 1))
            k.add_incoming(ir.Constant(_INDEX, 0), entry)
            k.add_incoming(next_k, loop)
            for r in range(rows):
                sums[r].add_incoming(initial[r], entry)
                sums[r].add_incoming(grown[r], loop)
            builder.cbranch(builder.icmp_signed("<", next_k, K), loop, done)

            builder.position_at_end(done)
            for r in range(rows):
                pointer = _advance(builder, C_start, c_row, r)
                store = builder.store(grown[r], builder.bitcast(pointer, vector.as_pointer()))
                store.align = itemsize
            return context.get_dummy_value()

        return signature, codegen

    tile.__doc__ = f"""Overwrite {rows} rows x one vector of C with I + A B, in flat arrays.

    C[c + r*c_row + v] = I[i + r*i_row + v] + sum_k A[a + r*a_row + k*a_col] * B[b + k*b_row + v]
    for r < {rows}, v < lanes, k < K, with K >= 1. I may be C itself.
    """
    return tile


tile6, tile4, tile2, tile1 = (_make_tile(rows) for rows in (TILE_ROWS, 4, 2, 1))
