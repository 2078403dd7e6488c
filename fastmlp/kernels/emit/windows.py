"""Maxima of windows of images, for a group of samples in the lanes of vectors."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .emitter import Emitter, integer


def first_maximum(builder, values):
    """Return the maximum of vectors, and the number of the first one that holds it, in each lane.

    Numbers are reals. NaN is the largest number, as in PyTorch.
    """
    best = values[0]
    tap = ir.Constant(best.type, [0.0] * best.type.count)
    for number, value in enumerate(values[1:], 1):
        is_larger = _is_larger(builder, value, best)
        best = builder.select(is_larger, value, best)
        own = ir.Constant(best.type, [float(number)] * best.type.count)
        tap = builder.select(is_larger, own, tap)
    return best, tap


def _is_larger(builder, value, best):
    # A comparison with NaN is true: so a NaN is taken, and kept because it is not a number.
    is_larger = builder.fcmp_unordered(">", value, best)
    return builder.and_(is_larger, builder.fcmp_ordered("ord", best, best))


def at_tap(builder, gradient, taps, number):
    """Return the gradient of a tap of a window: 0 in lanes where another tap is the maximum.

    ``taps`` holds the numbers of the maxima, ``number`` the tap's own in all lanes.
    """
    is_first = builder.fcmp_ordered("==", taps, number)
    return builder.select(is_first, gradient, ir.Constant(gradient.type, None))


class _Windows(Emitter):
    """Emits loops over adjacent vectors of channels and the taps of their windows."""

    def __init__(self, context, builder, names, signature, args):
        kinds, given = (dict(zip(names, each, strict=True)) for each in (signature.args, args))
        super().__init__(context, builder, kinds, given, kinds["TAPS"].dtype)

    def at(self, array, start, *offsets):
        """Return a pointer to a vector."""
        index = self.given[start]
        for offset in offsets:
            index = self.builder.add(index, offset)
        return self.vector_at(array, self.pointer(array, index))

    def offset_of(self, y, x):
        """Return the offset of a tap from the window's first one."""
        row = self.builder.mul(y, self.given["row"])
        return self.builder.add(row, self.builder.mul(x, self.given["pixel"]))

    def number_of(self, y, x):
        """Return a tap's number in all lanes."""
        number = self.builder.add(self.builder.mul(y, self.given["width"]), x)
        return self.splat(self.builder.sitofp(number, self.vector.element))

    def each_channel(self):
        """Return a loop over the channels: the offset of each."""
        return cgutils.for_range_slice(
            self.builder, integer(0), self.builder.mul(self.given["n"], integer(self.lanes)),
            integer(self.lanes),
        )  # fmt: skip

    def each_tap(self, body):
        """Call ``body(y, x)`` in a loop over the taps, row by row."""
        with (
            cgutils.for_range(self.builder, self.given["height"]) as y,
            cgutils.for_range(self.builder, self.given["width"]) as x,
        ):
            body(y.index, x.index)

    def maxima(self):
        """Emit the loop over channels; a window of 2x2, the most frequent one, without loops."""
        builder, given, two = self.builder, self.given, integer(2)
        is_small = builder.and_(
            builder.icmp_signed("==", given["height"], two),
            builder.icmp_signed("==", given["width"], two),
        )
        with builder.if_else(is_small) as (small, any_size):
            with small, self.each_channel() as (channel, _):
                places = [(integer(y), integer(x)) for y in (0, 1) for x in (0, 1)]
                values = [self.load(self.at("A", "a", self.offset_of(*at), channel))
                          for at in places]  # fmt: skip
                self.store_maximum(channel, *first_maximum(builder, values))
            with any_size, self.each_channel() as (channel, _):
                self.store_maximum(channel, *self.maximum(channel))

    def maximum(self, channel):
        """Return the maximum of a window of any size, and its tap."""
        builder = self.builder
        best = cgutils.alloca_once_value(builder, self.load(self.at("A", "a", channel)))
        tap = cgutils.alloca_once_value(builder, ir.Constant(self.vector, None))

        def compare(y, x):
            value = self.load(self.at("A", "a", self.offset_of(y, x), channel))
            is_larger = _is_larger(builder, value, builder.load(best))
            builder.store(builder.select(is_larger, value, builder.load(best)), best)
            number = self.number_of(y, x)
            builder.store(builder.select(is_larger, number, builder.load(tap)), tap)

        self.each_tap(compare)
        return builder.load(best), builder.load(tap)

    def store_maximum(self, channel, best, tap):
        """Store a maximum, and its tap if there is room for taps."""
        self.store(best, self.at("C", "c", channel))
        with self.builder.if_then(self.given["with_taps"]):
            self.store(tap, self.at("TAPS", "t", channel))

    def spread(self):
        """Emit the loops over taps and channels."""
        builder = self.builder
        zero = ir.Constant(self.vector, None)

        def spread_tap(y, x):
            offset, number = self.offset_of(y, x), self.number_of(y, x)
            with self.each_channel() as (channel, _):
                gradient = self.load(self.at("D", "d", channel))
                taps = self.load(self.at("TAPS", "t", channel))
                target = self.at("C", "c", offset, channel)
                before = builder.select(self.given["adds"], self.load(target), zero)
                share = at_tap(builder, gradient, taps, number)
                self.store(builder.fadd(before, share), target)

        self.each_tap(spread_tap)


_MAXIMA = ("A", "a", "n", "height", "width", "row", "pixel", "C", "c", "TAPS", "t", "with_taps")
_SPREAD = ("D", "d", "TAPS", "t", "n", "height", "width", "row", "pixel", "C", "c", "adds")


@intrinsic
def maxima_of_window(
    typingctx, A, a, n, height, width, row, pixel, C, c, TAPS, t, with_taps
):  # fmt: skip
    """Overwrite n vectors from C[c] on with the maxima of windows of vectors, a vector apart.

    The first window has height x width vectors from A[a] on, rows ``row`` elements apart, columns
    ``pixel``. With taps, the numbers of the first maxima, row by row, are written from TAPS[t] on.
    """

    def codegen(context, builder, signature, args):
        _Windows(context, builder, _MAXIMA, signature, args).maxima()
        return context.get_dummy_value()

    size = types.intp
    return types.void(
        A, size, size, size, size, size, size, C, size, TAPS, size, types.boolean
    ), codegen  # fmt: skip


@intrinsic
def spread_to_window(typingctx, D, d, TAPS, t, n, height, width, row, pixel, C, c, adds):
    """Give the gradient of each of n maxima, from D[d] on, to the tap that TAPS names.

    Windows are as in :func:`maxima_of_window`, from C[c] on. With ``adds``, add to what is there;
    without, overwrite the window, with 0 for other taps.
    """

    def codegen(context, builder, signature, args):
        _Windows(context, builder, _SPREAD, signature, args).spread()
        return context.get_dummy_value()

    size = types.intp
    return types.void(
        D, size, TAPS, size, size, size, size, size, size, C, size, types.boolean
    ), codegen  # fmt: skip
