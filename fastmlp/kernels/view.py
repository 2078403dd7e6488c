"""Stretches of flat arrays, as arrays of their own."""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


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
