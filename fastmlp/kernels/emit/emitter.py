"""What all emitters of vector code share: constants, multiply-adds, vectors in arrays."""

from contextlib import contextmanager
from inspect import Parameter, Signature

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.host import HAS_FMA
from ..machine.view import View, check_access, emit_element, pack, unpack

VECTOR_BYTES = 64
INDEX = ir.IntType(64)
_LANE = ir.IntType(32)


def lanes(dtype):
    """Return how many elements of ``dtype`` (a NumPy or Numba type) a vector holds."""
    return VECTOR_BYTES // (dtype.bitwidth // 8 if hasattr(dtype, "bitwidth") else dtype.itemsize)


def integer(value):
    """Return a constant for indices and strides."""
    return ir.Constant(INDEX, value)


def multiply_add(builder, kind):
    """Return the function ``a b + c`` of scalars or vectors of one type."""
    prefix, real = "", kind
    if isinstance(kind, ir.VectorType):
        prefix, real = f"v{kind.count}", kind.element
    name = f"llvm.{'fma' if HAS_FMA else 'fmuladd'}.{prefix}f{32 if real == ir.FloatType() else 64}"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)


def splat(builder, scalar, count):
    """Return a vector whose elements are all ``scalar``."""
    undefined = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(_LANE, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_LANE, count), None))


def sum_of_lanes(builder, vector):
    """Return the sum of a vector's elements, by halves: the same order on every CPU."""
    while vector.type.count > 1:
        half = vector.type.count // 2
        undefined = ir.Constant(vector.type, ir.Undefined)
        lower, upper = (
            builder.shuffle_vector(
                vector, undefined,
                ir.Constant(ir.VectorType(_LANE, half), list(range(first, first + half))),
            )
            for first in (0, half)
        )  # fmt: skip
        vector = builder.fadd(lower, upper)
    return builder.extract_element(vector, ir.Constant(_LANE, 0))


@contextmanager
def repeated(builder, count):
    """Emit a loop that runs ``count`` times, at least once; yield its index.

    A loop that may not run at all is compiled once more, without it, in the loops around it.
    """
    before, loop = builder.block, builder.append_basic_block("repeated")
    after = builder.append_basic_block("after")
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(INDEX)
    index.add_incoming(integer(0), before)
    yield index
    following = builder.add(index, integer(1))
    index.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
    builder.position_at_end(after)


class Emitter:
    """Emits code on named arguments: scalars, and arrays or views.

    Parameters
    ----------
    kinds, given : dict
        Numba types and LLVM values of the arguments.
    dtype : numba type
        Of vectors.
    """

    def __init__(self, context, builder, kinds, given, dtype):
        self.context, self.builder, self.kinds, self.given = context, builder, kinds, given
        self.itemsize, self.lanes = dtype.bitwidth // 8, lanes(dtype)
        self.vector = ir.VectorType(context.get_value_type(dtype), self.lanes)
        self.fma = multiply_add(builder, self.vector)

    def __getitem__(self, name):
        """Return a scalar argument, or a pointer to an array's first element."""
        kind, value = self.kinds[name], self.given[name]
        if isinstance(kind, types.Array | View):
            return unpack(self.context, self.builder, kind, value)[0]
        return value

    def pointer(self, name, index):
        """Return a pointer to an element of an array."""
        return emit_element(self.context, self.builder, self.kinds[name], self.given[name], index)

    def number(self, name, index):
        """Return an element of an array."""
        return self.builder.load(self.pointer(name, index))

    def element(self, name, index):
        """Return an element of an array of integers."""
        number = self.number(name, index)
        return number if number.type == INDEX else self.builder.sext(number, INDEX)

    def splat(self, scalar):
        """Return a vector whose elements are all ``scalar``."""
        return splat(self.builder, scalar, self.lanes)

    def row(self, pointer, stride, number):
        """Return a pointer ``number`` strides behind another."""
        return self.builder.gep(pointer, [self.builder.mul(stride, number)])

    def check(self, name, pointer, size=VECTOR_BYTES):
        """Assert, in a debug build, that ``size`` bytes lie within an array."""
        kind, value = self.kinds[name], self.given[name]
        check_access(self.context, self.builder, kind, value, pointer, size)

    def vector_at(self, name, pointer):
        """Return a pointer to a vector in an array."""
        self.check(name, pointer)
        return self.as_vector(pointer)

    def as_vector(self, pointer):
        """Return a pointer to a vector, unchecked."""
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def load(self, pointer):
        """Load a vector."""
        value = self.builder.load(pointer)
        value.align = self.itemsize
        return value

    def store(self, value, pointer):
        """Store a vector."""
        self.builder.store(value, pointer).align = self.itemsize


def emitting(emitter, text):
    """Return the intrinsic whose code ``emitter.code`` emits, with parameters of the names in
    ``text``: arrays are in capitals, the others are indices. Vectors are of A's type, or D's.
    """
    names = text.split()

    def function(typingctx, *given):
        dtype = given[names.index("D" if "D" in names else "A")].dtype

        def kind_of(name, kind):
            return kind if name[0].isupper() else types.intp

        def codegen(context, builder, signature, args):
            kinds, values = (dict(zip(names, of, strict=True)) for of in (signature.args, args))
            emitter(context, builder, kinds, values, dtype).code()
            return context.get_dummy_value()

        return types.void(*map(kind_of, names, given)), codegen

    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("ctx", *names)]
    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # for Numba
    function.__name__ = emitter.__name__
    function.__doc__ = emitter.__doc__
    return intrinsic(function)


def on_stack(size, dtype=None):
    """Return the intrinsic ``new(like)``: a view of ``size`` elements on the stack, of ``dtype`` or
    of the type of ``like``'s elements, valid until the kernel returns.
    """

    @intrinsic
    def new(typingctx, like):
        kind = like.dtype if dtype is None else dtype

        def codegen(context, builder, signature, args):
            element = context.get_value_type(kind)
            array = cgutils.alloca_once(builder, ir.ArrayType(element, size))
            array.align = VECTOR_BYTES
            first = builder.bitcast(array, element.as_pointer())
            return pack(context, builder, signature.return_type, first, integer(size))

        return View(kind)(like), codegen

    return new
