"""Emits, as vector IR, sums over lists of numbers, each of which multiplies vectors of panels."""

from llvmlite import ir
from numba import types
from numba.core import cgutils

from ..machine.host import HAS_FMA
from ..machine.view import View, check_access, emit_element, unpack
from .tile import VECTOR_BYTES, lanes

_INDEX = ir.IntType(64)


def integer(value):
    """Return a constant for places and strides."""
    return ir.Constant(_INDEX, value)


class Emitter:
    """Emits sums over lists of numbers, of which each multiplies one vector in some panels."""

    def __init__(self, context, builder, kind, given, panels):
        self.context, self.builder, self.panels = context, builder, panels
        self.kinds = dict(zip(kind.fields, kind.types, strict=True))
        values = cgutils.unpack_tuple(builder, given)
        self.given = dict(zip(kind.fields, values, strict=True))
        dtype = self.kinds["C"].dtype
        self.itemsize, self.lanes = dtype.bitwidth // 8, lanes(dtype)
        self.vector = ir.VectorType(context.get_value_type(dtype), self.lanes)
        self.fma = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.{'fma' if HAS_FMA else 'fmuladd'}.v{self.lanes}f{8 * self.itemsize}",
        )

    def __getitem__(self, name):
        """A number among the arguments, or where an array's data start."""
        kind, value = self.kinds[name], self.given[name]
        if isinstance(kind, types.Array | View):
            return unpack(self.context, self.builder, kind, value)[0]
        return value

    def pointer(self, name, place):
        """A pointer to an element of an array."""
        return emit_element(self.context, self.builder, self.kinds[name], self.given[name], place)

    def element(self, name, place):
        """An element of an array of integers."""
        number = self.number(name, place)
        return number if number.type == _INDEX else self.builder.sext(number, _INDEX)

    def number(self, name, place):
        """An element of an array."""
        return self.builder.load(self.pointer(name, place))

    def splat(self, scalar):
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def vectors(self, name, start, row, stride):
        """Pointers to one vector in each panel: name[start + row * stride + j * panel]."""
        builder = self.builder
        first = builder.gep(self[name], [builder.add(start, builder.mul(row, stride))])
        panel = self.given.get(f"{name.lower()}_panel", ir.Constant(_INDEX, self.lanes))
        for j in range(self.panels):
            pointer = builder.gep(first, [builder.mul(panel, ir.Constant(_INDEX, j))])
            self.check(name, pointer, VECTOR_BYTES)
            yield builder.bitcast(pointer, self.vector.as_pointer())

    def check(self, name, pointer, size):
        """Assert, in a debug build, that so many bytes lie within an array."""
        kind, value = self.kinds[name], self.given[name]
        check_access(self.context, self.builder, kind, value, pointer, size)

    def load(self, pointer):
        value = self.builder.load(pointer)
        value.align = self.itemsize
        return value

    def store(self, value, pointer):
        self.builder.store(value, pointer).align = self.itemsize

    def sums(self, first, last, term, initial):
        """initial + term(e, sum) over e in [first, last), in registers."""
        builder = self.builder
        return self.accumulate(
            first,
            lambda e: builder.icmp_signed("<", e, last),
            lambda e: builder.add(e, integer(1)),
            term,
            initial,
        )

    def accumulate(self, start, is_left, following, term, initial):
        """initial + term(e, sum) over e = start, following(e) ... as long as is_left(e).

        One chain of operations for each number, whatever the number of panels.
        """
        builder, before = self.builder, self.builder.block
        loop, done = builder.append_basic_block("numbers"), builder.append_basic_block("summed")
        builder.cbranch(is_left(start), loop, done)
        builder.position_at_end(loop)
        e = builder.phi(_INDEX)
        sums = [builder.phi(self.vector) for _ in initial]
        grown = term(e, sums)
        later = following(e)
        end = builder.block  # assertions cut the loop
        for variable, value, next_value in (
            (e, start, later),
            *zip(sums, initial, grown, strict=True),
        ):
            variable.add_incoming(value, before)
            variable.add_incoming(next_value, end)
        builder.cbranch(is_left(later), loop, done)
        builder.position_at_end(done)
        found = [builder.phi(self.vector) for _ in initial]
        for total, value, next_value in zip(found, initial, grown, strict=True):
            total.add_incoming(value, before)
            total.add_incoming(next_value, end)
        return found

    def products(self, places, name, start, stride, are_pairs=False):
        """The term values[e] name[start + places[e] * stride + j * panel] of a sum.

        Or of values[2 e] and places[2 e + 1].
        """

        def term(e, sums):
            first = second = e
            if are_pairs:
                first = self.builder.shl(e, integer(1))
                second = self.builder.add(first, integer(1))
            number = self.splat(self.number("values", first))
            pointers = self.vectors(name, start, self.element(places, second), stride)
            terms = zip(map(self.load, pointers), sums, strict=True)
            return [self.builder.call(self.fma, [number, *term]) for term in terms]

        return term
