"""Records in memory: kernels receive the address of a named tuple's fields, not the fields.

A step passes some seventy arrays. As values, each call copied the addresses and sizes of all of
them, and half of a kernel's code before optimisation did nothing else. In memory, a record is a
sequence of 64-bit words: an integer, a float64 or the address of an array's elements each take one,
each dimension of an array one, and a record inside a record its words. A launch writes them once
(``launch.py``), and a kernel reads the field that it uses.
"""

from typing import Any, TypeVar

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_cast, lower_getattr_generic
from numba.core.typeconv import Conversion
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, models, register_model

from .view import View, pack, unpack

_WORD, _DOUBLE = ir.IntType(64), ir.DoubleType()
_stored: set[Any] = set()
T = TypeVar("T")


def stored(record: type[T]) -> type[T]:
    """Class decorator: kernels receive the address of a named tuple of this class.

    Instances have a ``__dict__``, in which a launch keeps the words of a record. Copies and pickles
    do not have it: the addresses are those of the original.
    """
    made = type(record.__name__, (record,), {
        "__module__": record.__module__,
        "__qualname__": record.__qualname__,
        "__doc__": record.__doc__,
        "__getstate__": lambda self: None,
    })  # fmt: skip
    _stored.add(made)
    return made


class Stored(types.Type):
    """The type of a record in memory.

    Parameters
    ----------
    of : type
        A class of named tuples; ``tuple`` if fields have no names.
    kinds : tuple of numba types
        Of the fields: ``int64``, ``float64``, views or records in memory.
    is_copy : bool, default False
        Whether it is a copy that a kernel made. The compiler may read all others early, and once.
    """

    def __init__(self, of: type, kinds: tuple[Any, ...], is_copy: bool = False):
        self.of, self.kinds, self.is_copy = of, kinds, is_copy
        name = f"{of.__name__} in {'/'.join(sorted(set(_elements(kinds))))}"
        super().__init__(name=f"copy of {name}" if is_copy else name)

    @property
    def key(self) -> Any:
        """What makes two types equal."""
        return self.of, self.kinds, self.is_copy

    @property
    def copied(self) -> Any:
        """The type of a copy."""
        return Stored(self.of, self.kinds, is_copy=True)

    @property
    def original(self) -> Any:
        """The type of what may be a copy, in another kernel."""
        return Stored(self.of, self.kinds)

    def field(self, index: int) -> Any:
        """Return the type of a field."""
        kind = self.kinds[index]
        return kind.copied if self.is_copy and isinstance(kind, Stored) else kind

    def unify(self, typingctx: Any, other: Any) -> Any:
        """Return the type of a variable that is one or the other."""
        return self.copied if getattr(other, "original", None) == self.original else None

    def can_convert_to(self, typingctx: Any, other: Any) -> Any:
        """Return how a record becomes a copy, which it is if nothing changes it."""
        return Conversion.safe if other == self.copied else None

    def index(self, name: str) -> int:
        """Return the index of a field."""
        return self.of._fields.index(name)  # type: ignore[attr-defined]

    def offset(self, index: int) -> int:
        """Return the number of words before a field."""
        return sum(map(words_of, self.kinds[:index]))


def _elements(kinds: tuple[Any, ...]) -> list[str]:
    """Return the names of the floating-point types of all arrays."""
    found = []
    for kind in kinds:
        if isinstance(kind, Stored):
            found += _elements(kind.kinds)
        elif isinstance(kind, View) and isinstance(kind.dtype, types.Float):
            found.append(str(kind.dtype))
    return found


def words_of(kind: Any) -> int:
    """Return the number of words of a field."""
    if isinstance(kind, Stored):
        return sum(map(words_of, kind.kinds))
    return 1 + kind.ndim if isinstance(kind, View) else 1


@register_model(Stored)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Stored):
        super().__init__(manager, kind, _WORD.as_pointer())


def _at(builder: Any, pointer: Any, words: int) -> Any:
    return builder.gep(pointer, [_WORD(words)])


def _field(context: Any, builder: Any, record: Stored, value: Any, index: int) -> Any:
    """Return a field of a record."""
    kind, pointer = record.kinds[index], _at(builder, value, record.offset(index))
    if isinstance(kind, Stored):
        return pointer

    def load(pointer: Any) -> Any:
        loaded = builder.load(pointer)
        if not record.is_copy:
            loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    if isinstance(kind, View):
        data = builder.inttoptr(load(pointer), context.get_value_type(kind).elements[0])
        shape = [load(_at(builder, pointer, 1 + axis)) for axis in range(kind.ndim)]
        return pack(context, builder, kind, data, *shape)
    if kind == types.float64:
        return load(builder.bitcast(pointer, _DOUBLE.as_pointer()))
    return load(pointer)


def _store(context: Any, builder: Any, kind: Any, value: Any, pointer: Any) -> None:
    """Write a field from a word on."""
    if isinstance(kind, Stored):
        for word in range(words_of(kind)):
            builder.store(builder.load(_at(builder, value, word)), _at(builder, pointer, word))
    elif isinstance(kind, View):
        data, shape = unpack(context, builder, kind, value)
        words = [builder.ptrtoint(data, _WORD), *cgutils.unpack_tuple(builder, shape)]
        for word, part in enumerate(words):
            builder.store(part, _at(builder, pointer, word))
    elif kind == types.float64:
        builder.store(value, builder.bitcast(pointer, _DOUBLE.as_pointer()))
    else:
        builder.store(value, pointer)


@infer_getattr
class _Fields(AttributeTemplate):
    key = Stored

    def generic_resolve(self, kind: Stored, name: str) -> Any:
        return kind.field(kind.index(name)) if name in kind.of._fields else None  # type: ignore[attr-defined]


@lower_getattr_generic(Stored)
def _named_field(context: Any, builder: Any, kind: Stored, value: Any, name: str) -> Any:
    return _field(context, builder, kind, value, kind.index(name))


@lower_cast(Stored, Stored)
def _as_copy(context: Any, builder: Any, given: Stored, wanted: Stored, value: Any) -> Any:
    return value


@intrinsic
def fields_of(typingctx, record):
    """Return the fields of a record in memory as a tuple."""

    def codegen(context, builder, signature, args):
        parts = [
            _field(context, builder, record, args[0], index) for index in range(len(record.kinds))
        ]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.Tuple(record.kinds)(record), codegen


def emit_copy(context: Any, builder: Any, kind: Stored, value: Any, changes: dict[int, Any]) -> Any:
    """Return a copy with some fields replaced, in the memory of this function, in emitted code.

    It is valid until the same code makes the next copy, or the function ends.
    """
    made = _memory(builder, kind)
    _store(context, builder, kind, value, made)
    for index, field in changes.items():
        pointer = _at(builder, made, kind.offset(index))
        _store(context, builder, kind.kinds[index], field, pointer)
    return made


def _memory(builder: Any, kind: Stored) -> Any:
    return cgutils.alloca_once(builder, _WORD, size=words_of(kind))


# --- values as kernels pass them on: views of arrays, records in memory ---


def passed_type(kind: Any) -> Any:
    """Return the type of the result of :func:`emit_passed` for a value of this type."""
    if isinstance(kind, types.BaseTuple):
        of = getattr(kind, "instance_class", None)
        parts = tuple(passed_type(part) for part in kind.types)
        return record_type(of, parts)
    if isinstance(kind, Stored):
        return kind.original
    return View(kind.dtype, kind.ndim) if isinstance(kind, types.Array) else kind


def emit_passed(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return a view of an array, a record in memory, or a tuple of these, in emitted code.

    The record is in the memory of this function: it is valid until the function ends.
    """
    if isinstance(kind, types.BaseTuple):
        passed = passed_type(kind)
        parts = [
            emit_passed(context, builder, *part)
            for part in zip(kind, cgutils.unpack_tuple(builder, value), strict=True)
        ]
        if not isinstance(passed, Stored):
            return context.make_tuple(builder, passed, parts)
        made = _memory(builder, passed)
        for index, part in enumerate(parts):
            pointer = _at(builder, made, passed.offset(index))
            _store(context, builder, passed.kinds[index], part, pointer)
        return made
    if isinstance(kind, types.Array):
        data, shape = unpack(context, builder, kind, value)
        return pack(
            context, builder, passed_type(kind), data, *cgutils.unpack_tuple(builder, shape)
        )
    return value


@intrinsic
def as_passed(typingctx, value):
    """Return a view of an array, a record in memory, or a tuple of these."""

    def codegen(context, builder, signature, args):
        return emit_passed(context, builder, value, args[0])

    passed = passed_type(value)
    return (passed.copied if isinstance(passed, Stored) else passed)(value), codegen


def record_type(of: Any, kinds: tuple[Any, ...]) -> Any:
    """Return the type of a named tuple as kernels receive it, from the types of its fields."""
    return Stored(of, kinds) if of in _stored else types.BaseTuple.from_types(kinds, of)
