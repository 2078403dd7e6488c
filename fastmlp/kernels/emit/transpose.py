"""Small square blocks, transposed in registers."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.host import SQUARE_BYTES
from ..machine.jit import kernel
from ..machine.view import check_access, emit_element, unpack
from .emitter import VECTOR_BYTES, integer

LANE_BYTES = 16  # of a register, within which its elements can be interleaved


def _shuffled(builder, a, b, elements):
    mask = ir.Constant(ir.VectorType(ir.IntType(32), a.type.count), elements)
    return builder.shuffle_vector(a, b, mask)


def transposed_in_lanes(builder, rows, wide):
    """Return vectors whose register lanes of ``wide`` elements are transposed, ``wide`` vectors at
    a time.

    Every shuffle is one instruction, a perfect one: interleaving rows i and i + wide/2, log2(wide)
    times, moves the bits of the row index to the column index, one each time.
    """
    n = rows[0].type.count
    lanes = range(0, n, wide)
    halves = [
        [lane + k // 2 + n * (k % 2) + part * (wide // 2) for lane in lanes for k in range(wide)]
        for part in (0, 1)
    ]
    for _ in range(wide.bit_length() - 1):
        pairs = [
            pair
            for g in range(0, len(rows), wide)
            for pair in zip(rows[g : g + wide // 2], rows[g + wide // 2 : g + wide], strict=True)
        ]
        rows = [_shuffled(builder, a, b, half) for a, b in pairs for half in halves]
    return rows


def _transposed(builder, rows, wide):
    """Return the columns of n vectors of n elements, each a register of lanes of ``wide`` elements.

    Every shuffle is one instruction. Within lanes first; then lane l of row ``wide g + j`` is lane
    g of column ``wide l + j``.
    """
    n = len(rows)
    lanes = range(0, n, wide)
    rows = transposed_in_lanes(builder, rows, wide)
    evens, odds = (
        [n * row + lane + k for row in (0, 1) for lane in lanes[first::2] for k in range(wide)]
        for first in (0, 1)
    )
    columns = [None] * n
    for j in range(wide):
        parts = [rows[j::wide]]
        while len(parts[0]) > 1:
            parts = [
                [
                    _shuffled(builder, a, b, every)
                    for a, b in zip(part[::2], part[1::2], strict=True)
                ]
                for every in (evens, odds)
                for part in parts
            ]
        columns[j::wide] = [column for (column,) in parts]
    return columns


@intrinsic
def _transpose_square(typingctx, S, s, s_row, T, t, t_row):
    """Overwrite T[t + j*t_row + i] with S[s + i*s_row + j], for i, j < SQUARE_BYTES / itemsize."""

    def codegen(context, builder, signature, args):
        S, s, s_row, T, t, t_row = args
        dtype = signature.args[0].dtype
        itemsize = dtype.bitwidth // 8
        n = SQUARE_BYTES // itemsize
        vector = ir.VectorType(context.get_value_type(dtype), n)

        def rows(kind, array, offset, stride):
            data, _ = unpack(context, builder, kind, array)
            start = builder.gep(data, [offset])
            for r in range(n):
                row = builder.gep(start, [builder.mul(stride, integer(r))])
                check_access(context, builder, kind, array, row, SQUARE_BYTES)
                yield builder.bitcast(row, vector.as_pointer())

        values = []
        for pointer in rows(signature.args[0], S, s, s_row):
            load = builder.load(pointer)
            load.align = itemsize
            values.append(load)
        values = _transposed(builder, values, LANE_BYTES // itemsize)
        for value, pointer in zip(values, rows(signature.args[3], T, t, t_row), strict=True):
            store = builder.store(value, pointer)
            store.align = itemsize
        return context.get_dummy_value()

    size = types.intp
    return types.void(S, size, size, T, size, size), codegen


@kernel
def transpose_block(S, s, s_row, T, t, t_row):
    """T = S^T for one block of lanes x lanes elements; s_row and t_row are row strides."""
    lanes, side = VECTOR_BYTES // S.itemsize, SQUARE_BYTES // S.itemsize
    for i in range(0, lanes, side):
        for j in range(0, lanes, side):
            _transpose_square(S, s + i * s_row + j, s_row, T, t + j * t_row + i, t_row)


BYTES = 16  # rows and columns of a block of bytes, which fill sixteen SSE registers


@intrinsic
def transpose_bytes(typingctx, S, order, first, count, T, t, t_row, k0, k1):
    """Overwrite T[t + k*t_row + i] with S[order[first + i], k], for i < BYTES and k0 <= k < k1.

    Rows i >= count are 0; count is at least 1. ``S`` has at least BYTES columns. The last block of
    a row ends at its last column and may start before k0: columns before k0 are then overwritten
    with their own values, possibly while another member writes the same.
    """

    def codegen(context, builder, signature, args):
        S, order, first, count, T, t, t_row, k0, k1 = args
        kinds = signature.args
        data, shape = unpack(context, builder, kinds[0], S)
        width = builder.extract_value(shape, 1)
        target, _ = unpack(context, builder, kinds[4], T)
        vector = ir.VectorType(ir.IntType(8), BYTES)
        numbers = [integer(i) for i in range(BYTES)]
        are_there = [builder.icmp_signed("<", i, count) for i in numbers]
        starts = []
        for i, is_there in zip(numbers, are_there, strict=True):
            index = builder.add(first, builder.select(is_there, i, numbers[0]))
            row = builder.load(emit_element(context, builder, kinds[1], order, index))
            starts.append(builder.gep(data, [builder.mul(row, width)]))
        step = integer(BYTES)
        blocks = builder.sdiv(builder.add(builder.sub(k1, k0), builder.sub(step, numbers[1])), step)
        last = builder.sub(width, step)
        with cgutils.for_range(builder, blocks) as loop:
            k = builder.add(k0, builder.mul(loop.index, step))
            k = builder.select(builder.icmp_signed(">", k, last), last, k)
            values = []
            for row, is_there in zip(starts, are_there, strict=True):
                pointer = builder.gep(row, [k])
                check_access(context, builder, kinds[0], S, pointer, BYTES)
                load = builder.load(builder.bitcast(pointer, vector.as_pointer()))
                load.align = 1
                values.append(builder.select(is_there, load, ir.Constant(vector, None)))
            start = builder.gep(target, [builder.add(t, builder.mul(k, t_row))])
            for j, value in enumerate(_transposed(builder, values, BYTES)):
                pointer = builder.gep(start, [builder.mul(t_row, numbers[j])])
                check_access(context, builder, kinds[4], T, pointer, BYTES)
                store = builder.store(value, builder.bitcast(pointer, vector.as_pointer()))
                store.align = 1
        return context.get_dummy_value()

    size = types.intp
    return types.void(S, order, size, size, T, size, size, size, size), codegen
