"""Maxima of windows of images, for a group of samples in the lanes of vectors."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .emitter import Emitter, integer

_INT = ir.IntType(32)


class _Window(Emitter):
    """Emits loops over the taps of a window."""

    def __init__(self, context, builder, names, signature, args):
        kinds, given = (dict(zip(names, each, strict=True)) for each in (signature.args, args))
        super().__init__(context, builder, kinds, given, kinds["A"].dtype)

    def each_tap(self, body):
        """Call ``body(offset, number)`` in a loop over the taps, row by row."""
        builder, given = self.builder, self.given
        with (
            cgutils.for_range(builder, given["height"]) as y,
            cgutils.for_range(builder, given["width"]) as x,
        ):
            row = builder.mul(y.index, given["row"])
            offset = builder.add(row, builder.mul(x.index, given["pixel"]))
            body(offset, builder.add(builder.mul(y.index, given["width"]), x.index))

    def at(self, array, start, offset):
        """Return a pointer to a vector."""
        index = self.builder.add(self.given[start], offset)
        return self.vector_at(array, self.pointer(array, index))

    def maximum(self):
        """Return the maximum, and the index of the first tap that holds it, in each lane.

        NaN is the largest number, as in PyTorch.
        """
        builder = self.builder
        best = cgutils.alloca_once_value(builder, self.load(self.at("A", "a", integer(0))))
        kind = ir.VectorType(_INT, self.lanes)
        tap = cgutils.alloca_once_value(builder, ir.Constant(kind, None))

        def compare(offset, number):
            value, so_far = self.load(self.at("A", "a", offset)), builder.load(best)
            is_nan = builder.fcmp_unordered("uno", value, value)
            was_number = builder.fcmp_ordered("ord", so_far, so_far)
            is_larger = builder.or_(
                builder.fcmp_ordered(">", value, so_far), builder.and_(is_nan, was_number)
            )
            builder.store(builder.select(is_larger, value, so_far), best)
            numbers = self.splat(builder.trunc(number, _INT))
            builder.store(builder.select(is_larger, numbers, builder.load(tap)), tap)

        self.each_tap(compare)
        return builder.load(best), builder.load(tap)


_MAXIMUM = ("A", "a", "height", "width", "row", "pixel", "c")
_SPREAD = ("A", "a", "height", "width", "row", "pixel", "D", "d", "g", "adds")


@intrinsic
def max_of_window(typingctx, A, a, height, width, row, pixel, c):
    """Overwrite the vector A[c] with the maximum of the height x width vectors from A[a] on.

    Rows of the window are ``row`` elements apart, columns ``pixel``.
    """

    def codegen(context, builder, signature, args):
        window = _Window(context, builder, _MAXIMUM, signature, args)
        best, _ = window.maximum()
        window.store(best, window.at("A", "c", integer(0)))
        return context.get_dummy_value()

    size = types.intp
    return types.void(A, size, size, size, size, size, size), codegen


@intrinsic
def spread_to_maximum(typingctx, A, a, height, width, row, pixel, D, d, g, adds):
    """Add the vector D[g] to the gradients from D[d] on of the first maximum of a window of A.

    If ``adds`` is 0, overwrite the gradients of the window: 0 for all others.
    """

    def codegen(context, builder, signature, args):
        window = _Window(context, builder, _SPREAD, signature, args)
        _, tap = window.maximum()
        delta, zero = window.load(window.at("D", "g", integer(0))), ir.Constant(window.vector, None)
        adds = builder.icmp_signed("!=", window.given["adds"], integer(0))
        adds = window.splat(adds)

        def spread(offset, number):
            target = window.at("D", "d", offset)
            is_first = builder.icmp_signed("==", tap, window.splat(builder.trunc(number, _INT)))
            before = builder.select(adds, window.load(target), zero)
            share = builder.select(is_first, delta, zero)
            window.store(builder.fadd(before, share), target)

        window.each_tap(spread)
        return context.get_dummy_value()

    size = types.intp
    return types.void(A, size, size, size, size, size, D, size, size, size), codegen
