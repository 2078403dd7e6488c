"""Products of a convolution as explicit vector IR: one group of samples in the lanes of vectors.

An image layer stores the samples of a group, one in each lane, feature by feature. So a product has
a vector of samples and a scalar weight, whatever the number of channels, and takes taps from where
they are: inputs are neither unfolded nor padded. The taps of a position that lie within the image
are ranges along y and x, computed for each position: no product has a zero from padding.

Every element is one chain of fused multiply-adds, in the order y, x, channel of the taps, for any
height of its tile.
"""

from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.host import TILE_ROWS
from .emitter import integer, repeated
from .tile import RowTiles

_PARAMETERS = ("W", "w", "w_panel", "X", "x", "B", "b", "C", "c", "n", "image", "y", "lines")


class _Taps(NamedTuple):
    """The taps of a position along one axis, as LLVM values."""

    count: ir.Value
    tap: ir.Value  # the first one
    position: ir.Value  # of the vectors that it multiplies


class _Convolution(RowTiles):
    """Emits lines of positions of a group of samples, for tiles of channels.

    Attributes
    ----------
    apart : int
        Elements between the weights of two rows.
    target : str
        The shape that gives the positions: ``out`` or ``in``.
    """

    apart: int
    target: str

    def __init__(self, context, builder, signature, args):
        kinds = dict(zip(_PARAMETERS, signature.args, strict=True))
        given = dict(zip(_PARAMETERS, args, strict=True))
        super().__init__(context, builder, kinds, given, kinds["W"].dtype)
        self.n = given["n"]
        fields = kinds["image"].fields
        self.size = dict(zip(fields, cgutils.unpack_tuple(builder, given["image"]), strict=True))

    def tile(self, rows, row):
        """Emit all positions for ``rows`` channels from channel ``row`` on."""
        builder, size = self.builder, self.size
        sums = [cgutils.alloca_once(builder, self.vector) for _ in range(rows)]
        width, channels = (size[f"{self.target}_{side}"] for side in ("width", "channels"))
        with repeated(builder, self.given["lines"]) as line:
            y = self.taps(builder.add(self.given["y"], line), "height")
            with repeated(builder, width) as column:
                x = self.taps(column, "width")
                for r, total in enumerate(sums):
                    builder.store(self.initial(builder.add(row, integer(r))), total)
                self.sum_taps(sums, row, y, x)
                position = builder.mul(line, width)
                position = builder.mul(builder.add(position, column), channels)
                first = builder.add(position, row)
                for r, total in enumerate(sums):
                    feature = builder.add(first, integer(r))
                    offset = builder.mul(feature, integer(self.lanes))
                    target = self.pointer("C", builder.add(self.given["c"], offset))
                    self.store(builder.load(total), self.vector_at("C", target))

    def initial(self, row):
        """Return what the sums of a row start from."""
        raise NotImplementedError

    def taps(self, position, axis):
        """Return the taps of a position along an axis."""
        raise NotImplementedError

    def sum_taps(self, sums, row, y, x):
        """Add all taps of a position."""
        raise NotImplementedError

    def add_products(self, sums, weights, vectors, count, weight_step):
        """Add ``count`` products of adjacent vectors and weights at the offsets ``weight_step``."""
        builder = self.builder
        with repeated(builder, count) as k:
            step = builder.mul(k, integer(self.lanes))
            vector = self.load(self.vector_at("X", builder.gep(vectors, [step])))
            first = builder.gep(weights, [weight_step(k)])
            for r, total in enumerate(sums):
                element = builder.gep(first, [integer(r * self.apart)])
                self.check("W", element, self.itemsize)
                scalar = self.splat(builder.load(element))
                grown = builder.call(self.fma, [scalar, vector, builder.load(total)])
                builder.store(grown, total)

    def least(self, a, b):
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    def most(self, a, b):
        return self.builder.select(self.builder.icmp_signed(">", a, b), a, b)

    def weights_at(self, row, y_tap, x_tap):
        """Return a pointer to the first weight of a tap."""
        builder, size = self.builder, self.size
        tap = builder.add(builder.mul(y_tap, size["kernel_width"]), x_tap)
        offset = builder.mul(builder.mul(tap, size["in_channels"]), integer(self.lanes))
        offset = builder.add(offset, builder.mul(row, integer(self.apart)))
        return self.pointer("W", builder.add(self.given["w"], offset))


class _Forward(_Convolution):
    """Rows are the channels of outputs in one panel of the weights."""

    apart = 1
    target = "out"

    def initial(self, row):
        return self.splat(self.number("B", self.builder.add(self.given["b"], row)))

    def taps(self, position, axis):
        builder, size = self.builder, self.size
        first = builder.sub(builder.mul(position, size[f"stride_{axis}"]), size[f"padding_{axis}"])
        tap = self.most(integer(0), builder.neg(first))
        end = self.least(size[f"kernel_{axis}"], builder.sub(size[f"in_{axis}"], first))
        return _Taps(builder.sub(end, tap), tap, builder.add(first, tap))

    def sum_taps(self, sums, row, y, x):
        """Add all taps: along x, channels included, weights and inputs are adjacent.

        At least one lies within the image.
        """
        builder, size = self.builder, self.size
        channels, vector = size["in_channels"], integer(self.lanes)
        count = builder.mul(x.count, channels)
        with repeated(builder, y.count) as tap:
            weights = self.weights_at(row, builder.add(y.tap, tap), x.tap)
            line = builder.mul(builder.add(y.position, tap), size["in_width"])
            feature = builder.mul(builder.add(line, x.position), channels)
            inputs = builder.add(self.given["x"], builder.mul(feature, vector))
            self.add_products(
                sums, weights, self.pointer("X", inputs), count,
                lambda k: builder.mul(k, vector),
            )  # fmt: skip


class _Backward(_Convolution):
    """Rows are the channels of inputs."""

    target = "in"

    def __init__(self, *args):
        super().__init__(*args)
        self.apart = self.lanes

    def initial(self, row):
        return ir.Constant(self.vector, None)

    def taps(self, position, axis):
        """Return the outputs that an input reaches, the first one first, and the taps to them."""
        builder, size = self.builder, self.size
        one, stride = integer(1), size[f"stride_{axis}"]
        end = builder.add(position, size[f"padding_{axis}"])
        last = self.least(builder.sdiv(end, stride), builder.sub(size[f"out_{axis}"], one))
        start = builder.sub(builder.add(end, stride), size[f"kernel_{axis}"])
        first = builder.sdiv(self.most(start, integer(0)), stride)
        tap = builder.sub(end, builder.mul(first, stride))
        return _Taps(builder.add(builder.sub(last, first), one), tap, first)

    def sum_taps(self, sums, row, y, x):
        """Add all taps to all channels of outputs, whose weights are in panels."""
        builder, size = self.builder, self.size
        channels, vector = size["out_channels"], integer(self.lanes)
        to_next_panel = builder.sub(self.given["w_panel"], vector)

        def weight_step(k):
            panel = builder.udiv(k, vector)
            return builder.add(k, builder.mul(panel, to_next_panel))

        # One condition that no loop can be freed of: else all are compiled without it, too.
        zero = integer(0)
        taps = builder.mul(self.most(y.count, zero), self.most(x.count, zero))
        with (
            builder.if_then(builder.icmp_signed(">", taps, zero)),
            repeated(builder, y.count) as below,
        ):
            y_tap = builder.sub(y.tap, builder.mul(below, size["stride_height"]))
            line = builder.mul(builder.add(y.position, below), size["out_width"])
            with repeated(builder, x.count) as beside:
                x_tap = builder.sub(x.tap, builder.mul(beside, size["stride_width"]))
                weights = self.weights_at(row, y_tap, x_tap)
                position = builder.add(line, builder.add(x.position, beside))
                feature = builder.mul(position, channels)
                deltas = builder.add(self.given["x"], builder.mul(feature, vector))
                self.add_products(sums, weights, self.pointer("X", deltas), channels, weight_step)


def _make_convolution(emitter):
    @intrinsic
    def product(typingctx, W, w, w_panel, X, x, B, b, C, c, n, image, y, lines):
        size = types.intp
        signature = types.void(
            W, size, size, X, size, B, size, C, size, size, image, size, size
        )  # fmt: skip

        def codegen(context, builder, signature, args):
            emitter(context, builder, signature, args).rows(TILE_ROWS)
            return context.get_dummy_value()

        return signature, codegen

    return product


convolve, convolve_back = _make_convolution(_Forward), _make_convolution(_Backward)

convolve.__doc__ = """Overwrite n channels of lines of outputs of a group of samples with b + x W.

Weights are those of a panel: tap and input channel k at ``W[w + k*lanes + r]`` for r < n, the bias
at ``B[b + r]``; ``w_panel`` is not used. Inputs start at X[x], a vector of samples for each
feature. ``lines`` lines from line ``y`` on are written from C[c] on, which is the first channel's
vector of the first of them. ``image`` is the layer's Image.
"""

convolve_back.__doc__ = """Overwrite n channels of lines of dL/dx with dL/dz W^T, for a group.

Input channel r, tap t and output channel k have their weight at
``W[w + (k // lanes)*w_panel + (t*in_channels + r)*lanes + k % lanes]``, and dL/dz starts at X[x].
Lines are as for :func:`convolve`. B and b are not used.
"""
