"""Named tuples in kernels: the types of their fields, declared once, and copies with changes."""

from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from .stored import Stored, emit_copy, record_type
from .view import View

# Placeholders in declarations: a network's floating-point type, and integers of the same size.
REAL, BITS = types.Opaque("real"), types.Opaque("bits of a real")

Real = Annotated[Any, REAL]
Reals = Annotated[Any, View(REAL)]
RealRows = Annotated[Any, View(REAL, 2)]
RealBits = Annotated[Any, View(BITS)]
Floats = Annotated[Any, View(types.float64)]
Ints = Annotated[Any, View(types.int64)]
IntRows = Annotated[Any, View(types.int64, 2)]
Int32s = Annotated[Any, View(types.int32)]
Keys = Annotated[Any, View(types.uint64)]
Bytes = Annotated[Any, View(types.uint8)]
ByteRows = Annotated[Any, View(types.uint8, 2)]

_SCALARS = {int: types.int64, float: types.float64, bool: types.boolean}


@cache
def declared_type(declaration, real):
    """Return the Numba type of an argument or a field, arrays as views, records in memory as such.

    Parameters
    ----------
    declaration : type
        ``int``, ``float``, ``bool``, a name of this module such as ``Reals``, a tuple of these, or
        a class of named tuples whose fields are annotated with these.
    real : numba type
        ``float32`` or ``float64``, which replaces ``Real``.
    """
    if declaration in _SCALARS:
        return _SCALARS[declaration]
    if isinstance(declaration, tuple):
        return types.BaseTuple.from_types([declared_type(part, real) for part in declaration])
    if hasattr(declaration, "_fields"):
        hints = get_type_hints(declaration, include_extras=True)
        fields = [declared_type(hints[name], real) for name in declaration._fields]
        return record_type(declaration, tuple(fields))
    kind = get_args(declaration)[1]
    placeholders = {REAL: real, BITS: types.Integer.from_bitwidth(real.bitwidth)}
    if isinstance(kind, View):
        return View(placeholders.get(kind.dtype, kind.dtype), kind.ndim)
    return placeholders.get(kind, kind)


def replacing(*names):
    """Return the intrinsic ``replace(record, values)``: a copy of a named tuple with these fields
    replaced by the values of a tuple.

    A copy of a record in memory is in the memory of the kernel that makes it, and valid until the
    next copy is made at the same line: a kernel that returns it must be inlined.
    """

    @intrinsic
    def replace(typingctx, record, values):
        is_stored = isinstance(record, Stored)
        of = record.of if is_stored else record.instance_class
        kinds = record.kinds if is_stored else record.types
        indices = [of._fields.index(name) for name in names]
        for name, index, given in zip(names, indices, values, strict=True):
            if types.unliteral(given) != kinds[index]:
                raise TypingError(f"{name} must be of type {kinds[index]}, got {given}")

        def codegen(context, builder, signature, args):
            parts = cgutils.unpack_tuple(builder, args[1])
            changes = dict(zip(indices, parts, strict=True))
            if is_stored:
                return emit_copy(context, builder, record, args[0], changes)
            made = args[0]
            for index, value in changes.items():
                made = builder.insert_value(made, value, index)
            return made

        return (record.copied if is_stored else record)(record, values), codegen

    return replace
