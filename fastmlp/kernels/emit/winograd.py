"""The transforms of Winograd's convolution: between images and the 16 places of each tile.

The maps are those of winograd_forms.py. What lies beyond the edges of an image is 0.
"""

from inspect import Parameter, Signature

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from . import winograd_forms as forms
from .emitter import integer
from .windows import at_tap, first_maximum
from .winograd_places import OUT, TILE, Places


class _Transform(Places):
    """Emits one transform."""

    def inputs(self):
        """M = B^T x B for each tile and channel."""
        builder, size = self.builder, self.size
        channels = size["in_channels"]
        with cgutils.for_range(builder, self.count) as tile:
            along_y, along_x = self.positions(self.sum(self.first, tile.index), "in", TILE)
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
                self.store_places(
                    forms.both_ways(builder, forms.inputs, block), self.sum(offset, channel)
                )

    def input_gradients(self):
        """Add B m B^T to the inputs of each tile and channel."""
        builder, size = self.builder, self.size
        channels = size["in_channels"]
        with cgutils.for_range(builder, self.count) as tile:
            along_y, along_x = self.positions(self.sum(self.first, tile.index), "in", TILE)
            with self.each(channels) as (channel, _):
                offset = self.product(tile.index, channels, integer(self.lanes))
                block = self.load_places(self.sum(offset, channel))
                block = forms.both_ways(builder, forms.inputs_adjoint, block)
                for (y, y_inside), row in zip(along_y, block, strict=True):
                    for (x, x_inside), value in zip(along_x, row, strict=True):
                        with builder.if_then(builder.and_(y_inside, x_inside)):
                            at = self.offset_of(y, x, size["in_width"], channels)
                            pointer = self.at("X", self.sum(self.given["x"], channel, at))
                            self.store(builder.fadd(self.load(pointer), value), pointer)

    def outputs(self):
        """z = A^T m A + b for each tile and filter; after pooling, its maximum and the tap."""
        builder, size = self.builder, self.size
        filters = size["out_channels"]
        is_pooled = builder.icmp_signed(">", size["pool_height"], integer(1))
        with cgutils.for_range(builder, self.count) as tile:
            number = self.sum(self.first, tile.index)
            along_y, along_x = self.positions(number, "out", OUT)
            with cgutils.for_range(builder, filters) as channel:
                lane = self.product(channel.index, integer(self.lanes))
                offset = self.product(tile.index, filters, integer(self.lanes))
                block = forms.both_ways(
                    builder, forms.outputs, self.load_places(self.sum(offset, lane))
                )
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
                    self.store(value, self.at("Z", index))

    def window(self, number, lane):
        """Return the offset of a tile's window among the pooled outputs."""
        width = self.builder.udiv(self.size["out_width"], integer(OUT))
        channels = self.size["out_channels"]
        return self.sum(self.offset_of(self.given["y"], number, width, channels), lane)

    def store_maximum(self, block, number, lane):
        best, tap = first_maximum(self.builder, [value for row in block for value in row])
        at = self.window(number, lane)
        self.store(best, self.at("Z", self.sum(self.given["z"], at)))
        with self.builder.if_then(self.given["with_taps"]):
            index = self.sum(self.given["t"], at)
            self.store(tap, self.at("TAPS", index))

    def output_gradients(self):
        """M = A dz A^T for each tile and filter."""
        builder, size = self.builder, self.size
        filters = size["out_channels"]
        is_pooled = builder.icmp_signed(">", size["pool_height"], integer(1))
        with cgutils.for_range(builder, self.count) as tile:
            number = self.sum(self.first, tile.index)
            along_y, along_x = self.positions(number, "out", OUT)
            with self.each(filters) as (lane, _):
                found = [[cgutils.alloca_once(builder, self.vector) for _ in range(OUT)]
                         for _ in range(OUT)]  # fmt: skip
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
                block = forms.both_ways(builder, forms.outputs_adjoint, block)
                self.store_places(block, self.sum(offset, lane))

    def spread_maximum(self, found, at):
        """Store the gradient of a window's maximum at its tap, and 0 at the others."""
        gradient, taps = (
            self.load(self.at(name, self.sum(self.given[start], at)))
            for name, start in (("D", "d"), ("TAPS", "t"))
        )
        self.store_at_tap(gradient, taps, [target for row in found for target in row])

    def taps(self, row):
        """Return pointers to a vector of weights at the nine taps, as a block."""
        numbers = [[integer(3 * y + x) for x in range(3)] for y in range(3)]
        return [
            [
                self.at("W", self.sum(
                    self.given["w"], row, self.product(self.given["tap"], number)))
                for number in line
            ]
            for line in numbers
        ]  # fmt: skip

    def weights(self):
        """M = G w G^T for each row of a panel of weights."""
        with self.each(self.given["n"]) as (row, _):
            block = [[self.load(at) for at in line] for line in self.taps(row)]
            self.store_places(forms.both_ways(self.builder, forms.weights, block), row)

    def weight_gradients(self):
        """dw = G^T m G for each row of a panel of weights; overwrites or adds."""
        builder = self.builder
        with self.each(self.given["n"]) as (row, _):
            block = forms.both_ways(builder, forms.weights_adjoint, self.load_places(row))
            for line, values in zip(self.taps(row), block, strict=True):
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
            return self.load(self.at("D", index))

        with self.each(integer(self.lanes)) as (row, _):
            found = [cgutils.alloca_once(builder, self.vector) for _ in range(OUT * OUT)]
            with builder.if_else(self.given["is_pooled"]) as (pooled, whole):
                with pooled:
                    gradient, taps = load(0, row), load(1, row)
                    self.store_at_tap(gradient, taps, found)
                with whole:
                    for number, target in enumerate(found):
                        builder.store(load(number, row), target)
            values = [builder.load(value) for value in found]
            block = forms.both_ways(builder, forms.outputs_adjoint, [values[:OUT], values[OUT:]])
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
