"""Views: an address and a shape, in place of Numba's arrays; and parts of flat arrays.

Numba's array has seven fields, two of them for reference counts. Kernels pass dozens of arrays, and
most of the compiled code of a step copied unused fields. With views and without reference counts,
the general step has a quarter of the code before optimisation.
"""

import functools
import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_builtin,
    lower_getattr,
    models,
    register_model,
    type_callable,
)

from .assertions import CHECKED, check_range

_INT, _WORD = ir.IntType(32), ir.IntType(64)


class View(types.Type):
    """The type of a view: elements in C order, of one or two dimensions.

    Indices are not checked, and negative ones do not count from the end: the test for a negative
    index keeps loops from becoming vector code. A view is valid as long as its array.
    """

    def __init__(self, dtype, ndim=1):
        self.dtype, self.ndim = dtype, ndim
        super().__init__(name=f"view({dtype}, {ndim}d)")


@register_model(View)
class _Model(models.StructModel):
    def __init__(self, manager, kind):
        shape = types.UniTuple(types.intp, kind.ndim)
        super().__init__(manager, kind, [("data", types.CPointer(kind.dtype)), ("shape", shape)])


def unpack(context, builder, kind, value):
    """Return the address of the elements of an array or view, and its shape, in emitted code."""
    if isinstance(kind, View):
        return builder.extract_value(value, 0), builder.extract_value(value, 1)
    array = context.make_array(kind)(context, builder, value)
    return array.data, array.shape


def check_access(context, builder, kind, value, pointer, size):
    """Emit, in a debug build, the assertion that ``size`` bytes at ``pointer`` are within an array
    or a view.
    """
    if CHECKED:
        data, _ = unpack(context, builder, kind, value)
        start = builder.sub(builder.ptrtoint(pointer, _WORD), builder.ptrtoint(data, _WORD))
        total = builder.mul(_count(context, builder, kind, value), _WORD(kind.dtype.bitwidth // 8))
        check_range(builder, start, size, total, "bytes")


def emit_element(context, builder, kind, value, index, count=1):
    """Return the address of the element ``index`` of an array or a view, in emitted code.

    In a debug build, ``count`` elements from it on must be within the bounds.
    """
    if CHECKED:
        check_range(builder, index, count, _count(context, builder, kind, value), "elements")
    return builder.gep(unpack(context, builder, kind, value)[0], [index])


def _count(context, builder, kind, value):
    """Return the number of elements of an array or a view."""
    _, shape = unpack(context, builder, kind, value)
    return functools.reduce(builder.mul, cgutils.unpack_tuple(builder, shape))


def pack(context, builder, kind, pointer, *shape):
    """Return a view, in emitted code."""
    value = ir.Constant(context.get_value_type(kind), ir.Undefined)
    value = builder.insert_value(value, pointer, 0)
    for axis, size in enumerate(shape):
        value = builder.insert_value(value, size, (1, axis))
    return value


@infer_getattr
class _Attributes(AttributeTemplate):
    key = View

    def resolve_dtype(self, kind):
        return types.DType(kind.dtype)

    def resolve_itemsize(self, kind):
        return types.intp

    def resolve_size(self, kind):
        return types.intp if kind.ndim == 1 else None

    def resolve_shape(self, kind):
        return types.UniTuple(types.intp, kind.ndim)


@lower_getattr(View, "dtype")
def _dtype(context, builder, kind, value):
    return context.get_dummy_value()


@lower_getattr(View, "itemsize")
def _itemsize(context, builder, kind, value):
    return context.get_constant(types.intp, kind.dtype.bitwidth // 8)


@lower_getattr(View, "size")
def _size(context, builder, kind, value):
    return builder.extract_value(value, (1, 0))


@lower_getattr(View, "shape")
def _shape(context, builder, kind, value):
    return builder.extract_value(value, 1)


@type_callable(operator.getitem)
def _type_of_element(context):
    return lambda view, index: view.dtype if _is_index(view, index) else None


@type_callable(operator.setitem)
def _type_of_assignment(context):
    return lambda view, index, value: types.none if _is_index(view, index) else None


def _is_index(view, index):
    """Whether ``view`` is the type of a view, and ``index`` that of an index of it."""
    parts = index.types if isinstance(index, types.BaseTuple) else (index,)
    is_of_integers = all(isinstance(part, types.Integer) for part in parts)
    return isinstance(view, View) and is_of_integers and len(parts) == view.ndim


def _element(context, builder, kinds, args):
    """Return the address of an element."""
    if kinds[0].ndim == 1:
        index = context.cast(builder, args[1], kinds[1], types.intp)
        return emit_element(context, builder, kinds[0], args[0], index)
    _, shape = unpack(context, builder, kinds[0], args[0])
    row, column = (
        context.cast(builder, part, kind, types.intp)
        for part, kind in zip(cgutils.unpack_tuple(builder, args[1]), kinds[1].types, strict=True)
    )
    index = builder.add(builder.mul(row, builder.extract_value(shape, 1)), column)
    return emit_element(context, builder, kinds[0], args[0], index)


@lower_builtin(operator.getitem, View, types.Any)
def _get_element(context, builder, signature, args):
    kind = signature.args[0].dtype
    return context.unpack_value(builder, kind, _element(context, builder, signature.args, args))


@lower_builtin(operator.setitem, View, types.Any, types.Any)
def _set_element(context, builder, signature, args):
    kind = signature.args[0].dtype
    value = context.cast(builder, args[2], signature.args[2], kind)
    context.pack_value(builder, kind, value, _element(context, builder, signature.args, args))
    return context.get_dummy_value()


@intrinsic
def view(typingctx, array, start, size):
    """Return array[start : start + size] of a flat array or view."""

    def codegen(context, builder, signature, args):
        first = emit_element(context, builder, signature.args[0], *args)
        return pack(context, builder, signature.return_type, first, args[2])

    return View(array.dtype)(array, types.intp, types.intp), codegen


@intrinsic
def row_view(typingctx, matrix, row, start, size):
    """Return matrix[row, start : start + size] of a matrix."""

    def codegen(context, builder, signature, args):
        _, shape = unpack(context, builder, signature.args[0], args[0])
        index = builder.add(builder.mul(args[1], builder.extract_value(shape, 1)), args[2])
        first = emit_element(context, builder, signature.args[0], args[0], index, args[3])
        return pack(context, builder, signature.return_type, first, args[3])

    size_type = types.intp
    return View(matrix.dtype)(matrix, size_type, size_type, size_type), codegen


@intrinsic
def prefetch(typingctx, matrix, row, start):
    """Prefetch the cache line of matrix[row, start] into the L2 cache."""

    def codegen(context, builder, signature, args):
        data, shape = unpack(context, builder, signature.args[0], args[0])
        index = builder.add(builder.mul(args[1], builder.extract_value(shape, 1)), args[2])
        _prefetch(builder, builder.gep(data, [index]))
        return context.get_dummy_value()

    return types.void(matrix, types.intp, types.intp), codegen


@intrinsic
def prefetch_line(typingctx, array, index):
    """Prefetch the cache line of array[index] into the L2 cache."""

    def codegen(context, builder, signature, args):
        data, _ = unpack(context, builder, signature.args[0], args[0])
        _prefetch(builder, builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


def _prefetch(builder, element):
    pointer = builder.bitcast(element, cgutils.voidptr_t)
    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, *[_INT] * 3])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [pointer, _INT(0), _INT(2), _INT(1)])  # to read; L2; data
