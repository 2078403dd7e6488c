"""Small square blocks, transposed in registers."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .jit import kernel
from .tile import VECTOR_BYTES
from .view import check_access, unpack

_HALF = VECTOR_BYTES // 2  # bytes of a row of a block: eight float32 fill eight AVX registers
_INDEX = ir.IntType(64)


@intrinsic
def _transpose_square(typingctx, S, s, s_row, T, t, t_row):
    """Overwrite T[t + j*t_row + i] with S[s + i*s_row + j], for i and j below 32 bytes' numbers."""

    def codegen(context, builder, signature, args):
        S, s, s_row, T, t, t_row = args
        dtype = signature.args[0].dtype
        itemsize = dtype.bitwidth // 8
        n = _HALF // itemsize
        vector = ir.VectorType(context.get_value_type(dtype), n)

        def rows(kind, array, offset, stride):
            data, _ = unpack(context, builder, kind, array)
            start = builder.gep(data, [offset])
            for r in range(n):
                row = builder.gep(start, [builder.mul(stride, ir.Constant(_INDEX, r))])
                check_access(context, builder, kind, array, row, _HALF)
                yield builder.bitcast(row, vector.as_pointer())

        values = []
        for pointer in rows(signature.args[0], S, s, s_row):
            load = builder.load(pointer)
            load.align = itemsize
            values.append(load)
        # Perfect shuffles: merging rows i and i + n/2 element by element, log2(n) times, moves bit
        # after bit of the row's number to the column's.
        halves = [[k // 2 + n * (k % 2) + part * (n // 2) for k in range(n)] for part in (0, 1)]
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), n), half) for half in halves]
        for _ in range(n.bit_length() - 1):
            pairs = zip(values[: n // 2], values[n // 2 :], strict=True)
            values = [builder.shuffle_vector(a, b, mask) for a, b in pairs for mask in masks]
        for value, pointer in zip(values, rows(signature.args[3], T, t, t_row), strict=True):
            store = builder.store(value, pointer)
            store.align = itemsize
        return context.get_dummy_value()

    size = types.intp
    return types.void(S, size, size, T, size, size), codegen


@kernel
def transpose_block(S, s, s_row, T, t, t_row):
    """T = S^T for one block of lanes x lanes numbers, in flat arrays with strides of rows."""
    half = _HALF // S.itemsize
    for i in range(0, 2 * half, half):
        for j in range(0, 2 * half, half):
            _transpose_square(S, s + i * s_row + j, s_row, T, t + j * t_row + i, t_row)
