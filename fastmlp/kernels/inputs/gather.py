"""Dense rows of the data, copied into a block by kernels that are called by address.

So no step depends on the type of the rows. Images stay bytes, which take a quarter of the memory
and of its bandwidth, and are scaled when they are copied, in float64 as in ``ops.scalers.Scaling``.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..emit.emitter import VECTOR_BYTES, integer, splat
from ..machine.jit import kernel
from ..machine.view import View, check_access, emit_element, pack, prefetch, row_view, unpack, view

_BYTE = ir.IntType(8)
_ONE, _MANY = (0,), (0, 0)


@intrinsic
def typed_row(typingctx, X, row, start, size, like):
    """Return elements ``start`` to ``start + size`` of a row of a matrix of bytes.

    The elements have the type of the flat array ``like``.
    """

    def codegen(context, builder, signature, args):
        X, row, start, size, _ = args
        kind = signature.return_type
        data, shape = unpack(context, builder, signature.args[0], X)
        first = builder.gep(data, [builder.mul(row, builder.extract_value(shape, 1))])
        pointer = builder.bitcast(first, context.get_value_type(kind.dtype).as_pointer())
        numbers = builder.gep(pointer, [start])
        itemsize = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
        n_bytes = builder.mul(size, itemsize)
        check_access(context, builder, signature.args[0], X, numbers, n_bytes)
        return pack(context, builder, kind, numbers, size)

    size_type = types.intp
    return View(like.dtype)(X, size_type, size_type, size_type, like), codegen


@intrinsic
def _copy_row(typingctx, X, row, A, a, panel):
    """Copy a row of X, which has A's type, to A[a], A[a + panel] ..., a vector to each.

    As vector IR: of a loop over elements, LLVM made four loops and a test whether rows overlap.
    """

    def codegen(context, builder, signature, args):
        X, row, A, a, panel = args
        matrix, _, target, *_ = signature.args
        itemsize = target.dtype.bitwidth // 8
        real = context.get_value_type(target.dtype)
        lanes = VECTOR_BYTES // itemsize
        data, shape = unpack(context, builder, matrix, X)
        width = builder.extract_value(shape, 1)
        first = builder.gep(data, [builder.mul(row, width)])
        start = builder.bitcast(first, real.as_pointer())
        to, _ = unpack(context, builder, target, A)
        to = builder.gep(to, [a])

        def copy(kind, source, place):
            size = kind.count * itemsize if isinstance(kind, ir.VectorType) else itemsize
            check_access(context, builder, matrix, X, source, size)
            check_access(context, builder, target, A, place, size)
            value = builder.load(builder.bitcast(source, kind.as_pointer()))
            value.align = itemsize
            builder.store(value, builder.bitcast(place, kind.as_pointer())).align = itemsize

        count = builder.udiv(width, integer(itemsize))
        panels, rest = (f(count, integer(lanes)) for f in (builder.udiv, builder.urem))
        with cgutils.for_range(builder, panels) as loop:
            source = builder.gep(start, [builder.mul(loop.index, integer(lanes))])
            copy(
                ir.VectorType(real, lanes),
                source,
                builder.gep(to, [builder.mul(loop.index, panel)]),
            )
        source = builder.gep(start, [builder.sub(count, rest)])
        place = builder.gep(to, [builder.mul(panels, panel)])
        with cgutils.for_range(builder, rest) as loop:
            copy(real, *(builder.gep(part, [loop.index]) for part in (source, place)))
        return context.get_dummy_value()

    size = types.intp
    return types.void(X, size, A, size, size), codegen


@kernel
def prefetch_rows(X, order, first, last):
    """Prefetch rows order[first : last] of X."""
    for i in range(first, min(last, order.size)):
        for byte in range(0, X.shape[1], VECTOR_BYTES):
            prefetch(X, order[i], byte)


@kernel(cached=True)
def gather_same(X, order, first, last, offset, factor, A, start, row, panel):
    """Copy rows order[first : last] of X, which has A's type, to rows of A from ``start`` on."""
    for i in range(first, last):
        _copy_row(X, order[i], A, start + (i - first) * row, panel)


@intrinsic
def _scale_bytes(typingctx, X, row, k, offset, factor, o, A, a, count):
    """A[a + j] = (X[row, k + j] - offset[o + j]) factor[o + j] for one vector of A.

    ``count`` is a tuple of length 1 if all columns have the same offset, else longer. As vector IR:
    LLVM compiled the loop to scalar code, 2.6 cycles an element.
    """
    n_offsets = len(count)

    def codegen(context, builder, signature, args):
        X, row, k, offset, factor, o, A, a, _ = args
        kinds = signature.args

        def load(pointer, vector):
            found = builder.load(builder.bitcast(pointer, vector.as_pointer()))
            found.align = 1 if vector.element == _BYTE else 8
            return found

        def scale(kind, array):
            count = lanes if n_offsets > 1 else 1
            first = emit_element(context, builder, kind, array, o, count)
            if n_offsets > 1:
                return load(first, wide)
            return splat(builder, builder.load(first), lanes)

        real = kinds[6].dtype
        lanes = VECTOR_BYTES * 8 // real.bitwidth
        wide, narrow = ir.VectorType(ir.DoubleType(), lanes), ir.VectorType(_BYTE, lanes)
        _, shape = unpack(context, builder, kinds[0], X)
        index = builder.add(builder.mul(row, builder.extract_value(shape, 1)), k)
        pointer = emit_element(context, builder, kinds[0], X, index, lanes)
        value = builder.uitofp(load(pointer, narrow), wide)
        value = builder.fmul(builder.fsub(value, scale(kinds[3], offset)), scale(kinds[4], factor))
        vector = ir.VectorType(context.get_value_type(real), lanes)
        if real != types.float64:
            value = builder.fptrunc(value, vector)
        target = emit_element(context, builder, kinds[6], A, a, lanes)
        store = builder.store(value, builder.bitcast(target, vector.as_pointer()))
        store.align = real.bitwidth // 8
        return context.get_dummy_value()

    size = types.intp
    return types.void(X, size, size, offset, factor, size, A, size, count), codegen


@kernel(cached=True)
def gather_bytes(X, order, first, last, offset, factor, A, start, row, panel):
    """Copy rows of bytes, scaled: (x - offset) factor. Arguments as for :func:`gather_same`."""
    lanes = VECTOR_BYTES // A.itemsize
    n = X.shape[1]
    whole = n // lanes * lanes
    for i in range(first, last):
        a = start + (i - first) * row
        for k in range(0, whole, lanes):
            if offset.size == 1:
                _scale_bytes(X, order[i], k, offset, factor, 0, A, a, _ONE)
            else:
                _scale_bytes(X, order[i], k, offset, factor, k, A, a, _MANY)
            a += panel
        source, target = row_view(X, order[i], whole, n - whole), view(A, a, n - whole)
        for j in range(target.size):
            o = 0 if offset.size == 1 else whole + j
            target[j] = A.dtype.type((np.float64(source[j]) - offset[o]) * factor[o])
