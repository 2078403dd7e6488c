"""Calling a kernel by its address.

What a network or an objective is made of (an activation, a loss, an update rule) is compiled for
itself, and only when a network uses it; the steps that use it are given its address. So a step is
compiled once for all of them, its code does not grow with their number, and LLVM does not optimise
each of them again for every step: 9 s to compile the general step in place of 19 s with switches.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .view import emit_views, view_type


def address(dispatcher, signature):
    """Return the address by which :func:`call` calls a kernel with arguments of these types.

    Parameters
    ----------
    dispatcher : kernel, compiled with ``cached=True``
    signature : tuple of numba types
        Arrays arrive as views.
    """
    return compiled_address(dispatcher, tuple(map(view_type, signature)))


def compiled_address(dispatcher, signature):
    """Return the address of a kernel for exactly these types, compiling or loading it first."""
    dispatcher.compile(signature)
    compiled = dispatcher.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)


@intrinsic
def call(typingctx, address, arguments):
    """Call the kernel at ``address``, which returns nothing, with a tuple of arguments.

    Their types must be those with which the address was taken; arrays go as views.
    """

    def codegen(context, builder, signature, args):
        kinds = [context.get_value_type(view_type(kind)) for kind in arguments]
        nothing = context.get_value_type(types.none)
        kind = ir.FunctionType(nothing, kinds)
        function = builder.inttoptr(args[0], kind.as_pointer())
        values = cgutils.unpack_tuple(builder, emit_views(context, builder, arguments, args[1]))
        builder.call(function, values)
        return context.get_dummy_value()

    return types.void(types.intp, arguments), codegen
