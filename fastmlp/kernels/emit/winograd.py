"""The transforms of a convolution of 3x3 by Winograd's F(2x2, 3x3), as vector IR.

A tile of 2x2 outputs needs 4x4 inputs. In 16 *places* a product of transformed weights and inputs,
summed over channels, replaces the 36 products of the direct form:

    y = A^T [sum over channels of (G w G^T) * (B^T x B)] A         (Lavin & Gray 2016, section 4.1)

The backward forms are the adjoints of these maps: with m = A dz A^T,

    dx = B [sum over filters of (G w G^T) * m] B^T,   dw = G^T [sum over tiles of (B^T x B) * m] G

so that all three have 16 products for each tile. What lies beyond the edges of an image is 0.
"""

from inspect import Parameter, Signature

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .emitter import Emitter, integer
from .windows import at_tap, first_maximum

PLACES = 16
_TILE = 4  # inputs along each axis
_OUT = 2


def _half(builder, value):
    return builder.fmul(value, ir.Constant(value.type, [0.5] * value.type.count))


def _negative(builder, value):
    return builder.fsub(ir.Constant(value.type, [-0.0] * value.type.count), value)


def _inputs(b, x):
    """B^T x."""
    return [b.fsub(x[0], x[2]), b.fadd(x[1], x[2]), b.fsub(x[2], x[1]), b.fsub(x[1], x[3])]


def _inputs_adjoint(b, m):
    """B m."""
    inner = b.fadd(b.fsub(m[1], m[2]), m[3])
    return [m[0], inner, b.fsub(b.fadd(m[1], m[2]), m[0]), _negative(b, m[3])]


def _outputs(b, m):
    """A^T m."""
    return [b.fadd(b.fadd(m[0], m[1]), m[2]), b.fsub(b.fsub(m[1], m[2]), m[3])]


def _outputs_adjoint(b, y):
    """A y."""
    return [y[0], b.fadd(y[0], y[1]), b.fsub(y[0], y[1]), _negative(b, y[1])]


def _weights(b, w):
    """G w."""
    even = b.fadd(w[0], w[2])
    return [w[0], _half(b, b.fadd(even, w[1])), _half(b, b.fsub(even, w[1])), w[2]]


def _weights_adjoint(b, m):
    """G^T m."""
    even = _half(b, b.fadd(m[1], m[2]))
    return [b.fadd(m[0], even), _half(b, b.fsub(m[1], m[2])), b.fadd(even, m[3])]


def _both_ways(builder, transform, block):
    """Apply a transform along x, then along y, to a list of rows."""
    rows = [transform(builder, row) for row in block]
    columns = [transform(builder, list(column)) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


class _Transform(Emitter):
    """Emits one transform for a line of tiles; ``tiles`` is (first, last) along x."""

    def __init__(self, context, builder, names, signature, args):
        kinds, given = (dict(zip(names, each, strict=True)) for each in (signature.args, args))
        super().__init__(context, builder, kinds, given, kinds["M"].dtype)
        self.zero = ir.Constant(self.vector, None)
        if "image" in given:
            fields = kinds["image"].fields
            parts = cgutils.unpack_tuple(builder, given["image"])
            self.size = dict(zip(fields, parts, strict=True))
            first, last = cgutils.unpack_tuple(builder, given["tiles"])
            self.first, self.count = first, builder.sub(last, first)

    def product(self, *factors):
        """Return a product of integers."""
        found = factors[0]
        for factor in factors[1:]:
            found = self.builder.mul(found, factor)
        return found

    def sum(self, *terms):
        """Return a sum of integers."""
        found = terms[0]
        for term in terms[1:]:
            found = self.builder.add(found, term)
        return found

    def each(self, count):
        """Return a loop over vectors: the offset of each."""
        step = integer(self.lanes)
        return cgutils.for_range_slice(
            self.builder, integer(0), self.builder.mul(count, step), step
        )

    def places(self, offset):
        """Return pointers to a vector of M at all 16 places, as a block."""
        first = self.sum(self.given["m"], offset)
        numbers = [[integer(_TILE * y + x) for x in range(_TILE)] for y in range(_TILE)]
        return [
            [
                self.vector_at("M", self.pointer("M", self.sum(
                    first, self.product(self.given["m_place"], number))))
                for number in row
            ]
            for row in numbers
        ]  # fmt: skip

    def store_places(self, block, offset):
        for row, pointers in zip(block, self.places(offset), strict=True):
            for value, pointer in zip(row, pointers, strict=True):
                self.store(value, pointer)

    def load_places(self, offset):
        return [[self.load(pointer) for pointer in row] for row in self.places(offset)]

    def positions(self, tile, side, count):
        """Return positions along both axes with whether each lies within the image.

        ``side`` is ``in`` or ``out``; there are ``count`` along each axis.
        """
        builder, found = self.builder, []
        for axis, number in (("height", self.given["y"]), ("width", tile)):
            first = self.product(number, integer(_OUT))
            if side == "in":
                first = builder.sub(first, self.size[f"padding_{axis}"])
            size, along = self.size[f"{side}_{axis}"], []
            for k in range(count):
                at = self.sum(first, integer(k))
                is_inside = builder.icmp_unsigned("<", at, size)  # negative numbers are large
                along.append((at, is_inside))
            found.append(along)
        return found

    def offset_of(self, y, x, width, channels):
        """Return the offset of the first channel of a position."""
        return self.product(self.sum(self.product(y, width), x), channels, integer(self.lanes))

    def load_if(self, is_inside, name, index):
        """Return a vector of an array, or 0."""
        builder = self.builder
        found = cgutils.alloca_once_value(builder, self.zero)
        builder.store(self.zero, found)
        with builder.if_then(is_inside):
            builder.store(self.load(self.vector_at(name, self.pointer(name, index))), found)
        return builder.load(found)

    def inputs(self):
        """M = B^T x B for each tile and channel."""
        builder, size = self.builder, self.size
        channels = size["in_channels"]
        with cgutils.for_range(builder, self.count) as tile:
            along_y, along_x = self.positions(self.sum(self.first, tile.index), "in", _TILE)
            with self.each(channels) as (channel, _):
                block = [
                    [
                        self.load_if(builder.and_(y_inside, x_inside), "X", self.sum(
                            self.given["x"], channel,
                            self.offset_of(y, x, size["in_width"], channels)))
                        for x, x_inside in along_x
                    ]
                    for y, y_inside in along_y
                ]  # fmt: skip
                offset = self.product(tile.index, channels, integer(self.lanes))
                self.store_places(_both_ways(builder, _inputs, block), self.sum(offset, channel))

    def input_gradients(self):
        """Add B m B^T to the inputs of each tile and channel."""
        builder, size = self.builder, self.size
        channels = size["in_channels"]
        with cgutils.for_range(builder, self.count) as tile:
            along_y, along_x = self.positions(self.sum(self.first, tile.index), "in", _TILE)
            with self.each(channels) as (channel, _):
                offset = self.product(tile.index, channels, integer(self.lanes))
                block = self.load_places(self.sum(offset, channel))
                block = _both_ways(builder, _inputs_adjoint, block)
                for (y, y_inside), row in zip(along_y, block, strict=True):
                    for (x, x_inside), value in zip(along_x, row, strict=True):
                        with builder.if_then(builder.and_(y_inside, x_inside)):
                            at = self.offset_of(y, x, size["in_width"], channels)
                            pointer = self.vector_at("X", self.pointer(
                                "X", self.sum(self.given["x"], channel, at)))  # fmt: skip
                            self.store(builder.fadd(self.load(pointer), value), pointer)

    def outputs(self):
        """z = A^T m A + b for each tile and filter; after pooling, its maximum and the tap."""
        builder, size = self.builder, self.size
        filters = size["out_channels"]
        is_pooled = builder.icmp_signed(">", size["pool_height"], integer(1))
        with cgutils.for_range(builder, self.count) as tile:
            number = self.sum(self.first, tile.index)
            along_y, along_x = self.positions(number, "out", _OUT)
            with cgutils.for_range(builder, filters) as channel:
                lane = self.product(channel.index, integer(self.lanes))
                offset = self.product(tile.index, filters, integer(self.lanes))
                block = _both_ways(builder, _outputs, self.load_places(self.sum(offset, lane)))
                bias = self.splat(self.number("B", self.sum(self.given["b"], channel.index)))
                block = [[builder.fadd(value, bias) for value in row] for row in block]
                with builder.if_else(is_pooled) as (pooled, whole):
                    with pooled:
                        self.store_maximum(block, number, lane)
                    with whole:
                        self.store_outputs(block, along_y, along_x, lane)

    def store_outputs(self, block, along_y, along_x, lane):
        builder, size = self.builder, self.size
        for (y, y_inside), row in zip(along_y, block, strict=True):
            for (x, x_inside), value in zip(along_x, row, strict=True):
                with builder.if_then(builder.and_(y_inside, x_inside)):
                    at = self.offset_of(y, x, size["out_width"], size["out_channels"])
                    index = self.sum(self.given["z"], at, lane)
                    self.store(value, self.vector_at("Z", self.pointer("Z", index)))

    def window(self, number, lane):
        """Return the offset of a tile's window among the pooled outputs."""
        width = self.builder.udiv(self.size["out_width"], integer(_OUT))
        channels = self.size["out_channels"]
        return self.sum(self.offset_of(self.given["y"], number, width, channels), lane)

    def store_maximum(self, block, number, lane):
        best, tap = first_maximum(self.builder, [value for row in block for value in row])
        at = self.window(number, lane)
        self.store(best, self.vector_at("Z", self.pointer("Z", self.sum(self.given["z"], at))))
        with self.builder.if_then(self.given["with_taps"]):
            index = self.sum(self.given["t"], at)
            self.store(tap, self.vector_at("TAPS", self.pointer("TAPS", index)))

    def output_gradients(self):
        """M = A dz A^T for each tile and filter."""
        builder, size = self.builder, self.size
        filters = size["out_channels"]
        is_pooled = builder.icmp_signed(">", size["pool_height"], integer(1))
        with cgutils.for_range(builder, self.count) as tile:
            number = self.sum(self.first, tile.index)
            along_y, along_x = self.positions(number, "out", _OUT)
            with self.each(filters) as (lane, _):
                found = [[cgutils.alloca_once(builder, self.vector) for _ in range(_OUT)]
                         for _ in range(_OUT)]  # fmt: skip
                with builder.if_else(is_pooled) as (pooled, whole):
                    with pooled:
                        self.spread_maximum(found, self.window(number, lane))
                    with whole:
                        for (y, y_inside), row in zip(along_y, found, strict=True):
                            for (x, x_inside), target in zip(along_x, row, strict=True):
                                at = self.offset_of(y, x, size["out_width"], filters)
                                value = self.load_if(
                                    builder.and_(y_inside, x_inside), "D",
                                    self.sum(self.given["d"], at, lane),
                                )  # fmt: skip
                                builder.store(value, target)
                block = [[builder.load(value) for value in row] for row in found]
                offset = self.product(tile.index, filters, integer(self.lanes))
                block = _both_ways(builder, _outputs_adjoint, block)
                self.store_places(block, self.sum(offset, lane))

    def spread_maximum(self, found, at):
        """Store the gradient of a window's maximum at its tap, and 0 at the others."""
        gradient, taps = (
            self.load(self.vector_at(name, self.pointer(name, self.sum(self.given[start], at))))
            for name, start in (("D", "d"), ("TAPS", "t"))
        )
        self.store_at_tap(gradient, taps, [target for row in found for target in row])

    def taps(self, name, start, row):
        """Return pointers to a vector of weights at the nine taps, as a block."""
        numbers = [[integer(3 * y + x) for x in range(3)] for y in range(3)]
        return [
            [
                self.vector_at(name, self.pointer(name, self.sum(
                    self.given[start], row, self.product(self.given["tap"], number))))
                for number in line
            ]
            for line in numbers
        ]  # fmt: skip

    def weights(self):
        """M = G w G^T for each row of a panel of weights."""
        with self.each(self.given["n"]) as (row, _):
            block = [[self.load(at) for at in line] for line in self.taps("W", "w", row)]
            self.store_places(_both_ways(self.builder, _weights, block), row)

    def weight_gradients(self):
        """dw = G^T m G for each row of a panel of weights; overwrites or adds."""
        builder = self.builder
        with self.each(self.given["n"]) as (row, _):
            block = _both_ways(builder, _weights_adjoint, self.load_places(row))
            for line, values in zip(self.taps("W", "w", row), block, strict=True):
                for at, value in zip(line, values, strict=True):
                    before = builder.select(self.given["overwrite"], self.zero, self.load(at))
                    self.store(builder.fadd(before, value), at)

    def output_gradients_in_rows(self):
        """M = A dz A^T for each row of a group: vectors of filters, in a tile's blocks of D.

        D holds four blocks, one for each position; after pooling, two: gradients and taps.
        """
        builder = self.builder
        block_size = integer(self.lanes * self.lanes)

        def load(number, row):
            index = self.sum(self.given["d"], self.product(integer(number), block_size), row)
            return self.load(self.vector_at("D", self.pointer("D", index)))

        with self.each(integer(self.lanes)) as (row, _):
            found = [cgutils.alloca_once(builder, self.vector) for _ in range(_OUT * _OUT)]
            with builder.if_else(self.given["is_pooled"]) as (pooled, whole):
                with pooled:
                    gradient, taps = load(0, row), load(1, row)
                    self.store_at_tap(gradient, taps, found)
                with whole:
                    for number, target in enumerate(found):
                        builder.store(load(number, row), target)
            values = [builder.load(value) for value in found]
            block = _both_ways(builder, _outputs_adjoint, [values[:_OUT], values[_OUT:]])
            self.store_places(block, row)

    def store_at_tap(self, gradient, taps, targets):
        """Store the gradient of a maximum at its tap, and 0 at the others."""
        for number, target in enumerate(targets):
            own = ir.Constant(self.vector, [float(number)] * self.lanes)
            self.builder.store(at_tap(self.builder, gradient, taps, own), target)


_FLAGS = ("with_taps", "overwrite", "is_pooled")


def _make(verb, text):
    """Return the intrinsic of a transform, with parameters of the names in ``text``."""
    names = text.split()

    def kind_of(name, given):
        if name[0].isupper() or name == "image":
            return given
        if name == "tiles":
            return types.UniTuple(types.intp, 2)
        return types.boolean if name in _FLAGS else types.intp

    def transform(typingctx, *given):
        def codegen(context, builder, signature, args):
            getattr(_Transform(context, builder, names, signature, args), verb)()
            return context.get_dummy_value()

        return types.void(*map(kind_of, names, given)), codegen

    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("ctx", *names)]
    transform.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # for Numba
    transform.__name__ = verb
    transform.__doc__ = getattr(_Transform, verb).__doc__
    return intrinsic(transform)


# In flat arrays: M[m] is the first vector of the first place, ``m_place`` the distance of places; a
# line of tiles y, its tiles (first, last) along x; inputs of a group from X[x] on, and so forth.
inputs = _make("inputs", "X x image y tiles M m m_place")
input_gradients = _make("input_gradients", "X x image y tiles M m m_place")
outputs = _make("outputs", "M m m_place B b image y tiles Z z TAPS t with_taps")
output_gradients = _make("output_gradients", "D d TAPS t image y tiles M m m_place")
output_gradients_in_rows = _make("output_gradients_in_rows", "D d is_pooled M m m_place")
weights = _make("weights", "W w tap n M m m_place")
weight_gradients = _make("weight_gradients", "W w tap n M m m_place overwrite")
