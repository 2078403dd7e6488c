"""Starting a compiled worker on a team of threads, without compiling it again.

A worker is an ordinary kernel ``worker(member, team, sync, *arguments)``: called from Python with
``(0, 1, ...)`` it runs on the calling thread. To run on a team, it is called by address from the
only parallel region of the package. With a prange loop that calls the worker by name, Numba
compiles the worker's code a second and a third time: 10 s instead of 1 s for the general step.
"""

from typing import Any

from llvmlite import ir
from numba import prange, typeof, types
from numba.core import cgutils
from numba.extending import intrinsic

from .calls import compiled_address
from .jit import kernel
from .team import join_team

_INDEX = ir.IntType(64)


def signature_of(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the types of a worker's parameters for these arguments."""
    return (types.intp, types.intp, types.int64[::1], *(typeof(a) for a in arguments))


def address_of(worker, *arguments):
    """Return the address of a worker, compiling or loading it first.

    Parameters
    ----------
    worker : dispatcher
        ``worker(member, team, sync, *arguments)``, returning nothing.
    """
    return compiled_address(worker, signature_of(arguments))


@intrinsic
def _pack(typingctx, address, sync, arguments):
    """Store a call on the stack; return its address and that of a function that makes it."""
    parts = [sync, *arguments]

    def codegen(context, builder, signature, args):
        kinds = [context.get_value_type(part) for part in parts]
        packed_type = ir.LiteralStructType([_INDEX, *kinds])
        packed = cgutils.alloca_once(builder, packed_type)
        values = [args[0], args[1], *cgutils.unpack_tuple(builder, args[2])]
        for index, value in enumerate(values):
            builder.store(value, cgutils.gep_inbounds(builder, packed, 0, index))

        trampoline = ir.Function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [_INDEX, _INDEX, _INDEX]),
            builder.module.get_unique_name("fastmlp_call_member"),
        )
        trampoline.linkage = "internal"
        inside = ir.IRBuilder(trampoline.append_basic_block())
        member, team, packed_address = trampoline.args
        call = inside.load(inside.inttoptr(packed_address, packed_type.as_pointer()))
        worker_type = ir.FunctionType(context.get_value_type(types.none), [_INDEX, _INDEX, *kinds])
        worker = inside.inttoptr(inside.extract_value(call, 0), worker_type.as_pointer())
        unpacked = [inside.extract_value(call, 1 + n) for n in range(len(kinds))]
        inside.call(worker, [member, team, *unpacked])
        inside.ret_void()

        pair = [builder.ptrtoint(pointer, _INDEX) for pointer in (packed, trampoline)]
        return context.make_tuple(builder, signature.return_type, pair)

    pair_type = types.UniTuple(types.intp, 2)
    return pair_type(types.intp, sync, arguments), codegen


@intrinsic
def _call(typingctx, trampoline, packed, member, team):
    """Make a packed call as one member of a team."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(ir.VoidType(), [_INDEX, _INDEX, _INDEX])
        function = builder.inttoptr(args[0], kind.as_pointer())
        builder.call(function, [args[2], args[3], args[1]])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp), codegen


@kernel(parallel=True)
def _run_region(threads, sync, trampoline, packed):
    for _ in prange(threads):
        member, team = join_team(sync, threads)
        if member >= 0:
            _call(trampoline, packed, member, team)


@kernel(cached=True)
def run_team(address, threads, sync, arguments):
    """Run the worker at ``address`` on at most ``threads`` threads; ``sync`` must be zero.

    ``arguments`` is the tuple of the worker's arguments after ``sync``, of the types for which the
    address was taken.
    """
    packed, trampoline = _pack(address, sync, arguments)
    _run_region(threads, sync, trampoline, packed)
