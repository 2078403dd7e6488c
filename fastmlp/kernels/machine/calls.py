"""Calling a kernel by its address, with argument types that are checked when the caller compiles.

Each activation, loss and update rule is compiled separately, when a network first uses it. Steps
receive its address. So a step is compiled once for all of them, and its code does not grow with
their number: the general step compiles in 9 s instead of 19 s with switches.

Each kind of call is declared once, by :func:`call_type`. The returned intrinsic makes the call in
compiled code, and determines the types for which :func:`address` compiles a kernel.
"""

from functools import cache

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.numpy_support import from_dtype

from .records import declared_type
from .stored import emit_passed, passed_type

_REALS = (types.float32, types.float64)


def call_type(name, *declarations):
    """Return the intrinsic ``call(address, arguments)`` for one kind of call.

    In compiled code it calls the kernel at ``address``, which returns nothing, with a tuple of
    arguments; arrays are passed as views, and records that are in memory by address. Other types
    than those declared are an error when the caller is compiled.

    Parameters
    ----------
    name : str
        Name in error messages.
    *declarations : type
        Type of each argument, as for :func:`declared_type`.
    """

    @intrinsic
    def call(typingctx, address, arguments):
        given = tuple(types.unliteral(passed_type(kind)) for kind in arguments)
        expected = [_types(declarations, real) for real in _REALS]
        if given not in expected:
            raise TypingError(
                f"a call of {name} takes {_listed(expected[0])} (or the same in float64), "
                f"got {_listed(given)}"
            )

        def codegen(context, builder, signature, args):
            kinds = [context.get_value_type(kind) for kind in given]
            nothing = context.get_value_type(types.none)
            function = builder.inttoptr(args[0], ir.FunctionType(nothing, kinds).as_pointer())
            passed = emit_passed(context, builder, arguments, args[1])
            builder.call(function, cgutils.unpack_tuple(builder, passed))
            return context.get_dummy_value()

        return types.void(types.intp, arguments), codegen

    call.declarations = declarations
    return call


@cache
def address(call, dispatcher, dtype):
    """Return the address of a kernel for calls of one kind, compiling or loading it first.

    Parameters
    ----------
    call : intrinsic
        Returned by :func:`call_type`.
    dispatcher : kernel, compiled with ``cached=True``
    dtype : dtype
        Dtype of the network: ``float32`` or ``float64``.
    """
    return compiled_address(dispatcher, call_signature(call, from_dtype(dtype)))


def call_signature(call, real):
    """Return the types for which a kernel for calls of one kind is compiled."""
    return _types(call.declarations, real)


def compiled_address(dispatcher, signature):
    """Return the address of a kernel for exactly these types, compiling or loading it first."""
    dispatcher.compile(signature)
    compiled = dispatcher.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)


def _types(declarations, real):
    return tuple(declared_type(declaration, real) for declaration in declarations)


def _listed(kinds):
    return ", ".join(map(str, kinds))
