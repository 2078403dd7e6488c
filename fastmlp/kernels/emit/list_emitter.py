"""Emits, as vector IR, sums of products: list elements times vectors of panels."""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.host import SPARSE_PANELS
from ..machine.jit import kernel
from .emitter import INDEX, Emitter, integer

_ZERO = integer(0)


class ListEmitter(Emitter):
    """Emits sums of products: each list element times one vector of each panel.

    Parameters
    ----------
    kind, given : numba type, LLVM value
        A named tuple of arguments.
    panels : int
    """

    def __init__(self, context, builder, kind, given, panels):
        kinds = dict(zip(kind.fields, kind.types, strict=True))
        values = cgutils.unpack_tuple(builder, given)
        named = dict(zip(kind.fields, values, strict=True))
        super().__init__(context, builder, kinds, named, kinds["C"].dtype)
        self.panels = panels

    def vectors(self, name, start, row=_ZERO, stride=_ZERO):
        """Yield a pointer to a vector of each panel: name[start + row * stride + j * panel]."""
        builder = self.builder
        first = builder.gep(self[name], [builder.add(start, builder.mul(row, stride))])
        panel = self.given.get(f"{name.lower()}_panel", integer(self.lanes))
        for j in range(self.panels):
            yield self.vector_at(name, self.row(first, panel, integer(j)))

    def loaded(self, *where):
        """Return a vector of each panel; parameters as for :meth:`vectors`."""
        return list(map(self.load, self.vectors(*where)))

    def store_all(self, values, pointers):
        """Store a vector at each pointer."""
        for value, pointer in zip(values, pointers, strict=True):
            self.store(value, pointer)

    def sums(self, first, last, term, initial):
        """Return initial + sum of term(e) over e in [first, last), in registers."""
        builder = self.builder
        return self.accumulate(
            first,
            lambda e: builder.icmp_signed("<", e, last),
            lambda e: builder.add(e, integer(1)),
            term,
            initial,
        )

    def accumulate(self, start, is_left, following, term, initial):
        """Return initial + sum of term(e) over e = start, following(e) ... while is_left(e).

        Each element is one chain of operations, for any number of panels.
        """
        builder, before = self.builder, self.builder.block
        loop, done = builder.append_basic_block("numbers"), builder.append_basic_block("summed")
        builder.cbranch(is_left(start), loop, done)
        builder.position_at_end(loop)
        e = builder.phi(INDEX)
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

    def products(self, indices, name, start, stride, are_pairs=False):
        """Return the term values[e] name[start + indices[e] * stride + j * panel] of a sum.

        With ``are_pairs``, values[2 e] and indices[2 e + 1].
        """

        def term(e, sums):
            first = second = e
            if are_pairs:
                first = self.builder.shl(e, integer(1))
                second = self.builder.add(first, integer(1))
            number = self.splat(self.number("values", first))
            pointers = self.vectors(name, start, self.element(indices, second), stride)
            terms = zip(map(self.load, pointers), sums, strict=True)
            return [self.builder.call(self.fma, [number, *term]) for term in terms]

        return term


def for_panels(emit_product, Emitter=ListEmitter, most=SPARSE_PANELS):
    """Return a kernel ``(given, panels)`` of the code that ``emit_product(emitter)`` emits.

    Parameters
    ----------
    emit_product : callable
    Emitter : callable, default ListEmitter
        Makes the emitter for the named tuple ``given`` and 1 to 4 panels.
    most : int, default 4
        Another number of panels, if it is more.
    """
    many = (0,) * most

    @intrinsic
    def product(typingctx, given, count):
        def codegen(context, builder, signature, args):
            emit_product(Emitter(context, builder, given, args[0], len(count)))
            return context.get_dummy_value()

        return types.void(given, count), codegen

    @kernel
    def for_panels(given, panels):
        if panels == 4:
            product(given, (0, 0, 0, 0))
        elif panels == 3:
            product(given, (0, 0, 0))
        elif panels == 2:
            product(given, (0, 0))
        else:
            product(given, (0,))

    @kernel
    def for_many_panels(given, panels):
        if panels == most:
            product(given, many)
        else:
            for_panels(given, panels)

    return for_many_panels if most > SPARSE_PANELS else for_panels
