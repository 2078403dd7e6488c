"""Stretches of flat arrays, as arrays of their own."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_INT = ir.IntType(32)


@intrinsic
def view(typingctx, array, start, size):
    """Return array[start : start + size] of a flat array, unchecked and uncounted.

    A slice would count references with atomic instructions, which threads then contend for; an
    index that is a sum would be tested for being negative at each element, which keeps loops from
    becoming vector code. The view is valid only as long as the array it was taken from.
    """

    def codegen(context, builder, signature, args):
        kind = signature.args[0]
        whole = context.make_array(kind)(context, builder, args[0])
        part = context.make_array(signature.return_type)(context, builder)
        itemsize = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
        context.populate_array(
            part,
            data=builder.gep(whole.data, [args[1]]),
            shape=cgutils.pack_array(builder, [args[2]]),
            strides=cgutils.pack_array(builder, [itemsize]),
            itemsize=itemsize,
            meminfo=None,
        )
        return part._getvalue()

    return array(array, types.intp, types.intp), codegen


@intrinsic
def uncounted(typingctx, value):
    """Return an array, or a tuple with arrays in it, to which no references are counted.

    The threads of a team would count references to the arrays they share with atomic instructions,
    at every call that passes them on: the momentum step of two threads took as long as that of one.
    Valid only as long as what it was taken from.
    """

    def strip(context, builder, kind, part):
        if isinstance(kind, types.BaseTuple):
            parts = cgutils.unpack_tuple(builder, part)
            stripped = [strip(context, builder, *pair) for pair in zip(kind, parts, strict=True)]
            return context.make_tuple(builder, kind, stripped)
        if isinstance(kind, types.Array):
            array = context.make_array(kind)(context, builder, part)
            array.meminfo = cgutils.get_null_value(array.meminfo.type)
            return array._getvalue()
        return part

    def codegen(context, builder, signature, args):
        return strip(context, builder, signature.args[0], args[0])

    return value(value), codegen


@intrinsic
def row_view(typingctx, matrix, row, start, size):
    """Return matrix[row, start : start + size] of a matrix in C order, unchecked and uncounted."""

    def codegen(context, builder, signature, args):
        kind = signature.args[0]
        whole = context.make_array(kind)(context, builder, args[0])
        part = context.make_array(signature.return_type)(context, builder)
        itemsize = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
        width = builder.extract_value(whole.shape, 1)
        context.populate_array(
            part,
            data=builder.gep(whole.data, [builder.add(builder.mul(args[1], width), args[2])]),
            shape=cgutils.pack_array(builder, [args[3]]),
            strides=cgutils.pack_array(builder, [itemsize]),
            itemsize=itemsize,
            meminfo=None,
        )
        return part._getvalue()

    size_type = types.intp
    flat = types.Array(matrix.dtype, 1, "C")
    return flat(matrix, size_type, size_type, size_type), codegen


@intrinsic
def prefetch(typingctx, matrix, row, start):
    """Ask for the cache line of matrix[row, start] to be brought into the second-level cache."""

    def codegen(context, builder, signature, args):
        whole = context.make_array(signature.args[0])(context, builder, args[0])
        width = builder.extract_value(whole.shape, 1)
        place = builder.add(builder.mul(args[1], width), args[2])
        _prefetch(builder, builder.gep(whole.data, [place]))
        return context.get_dummy_value()

    return types.void(matrix, types.intp, types.intp), codegen


@intrinsic
def prefetch_line(typingctx, array, place):
    """Ask for the cache line of array[place] to be brought into the second-level cache."""

    def codegen(context, builder, signature, args):
        whole = context.make_array(signature.args[0])(context, builder, args[0])
        _prefetch(builder, builder.gep(whole.data, [args[1]]))
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


def _prefetch(builder, place):
    pointer = builder.bitcast(place, cgutils.voidptr_t)
    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, *[_INT] * 3])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [pointer, _INT(0), _INT(2), _INT(1)])  # to read; L2; data
