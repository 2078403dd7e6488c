"""The products of Winograd's convolution: at each place, vectors of samples times scalar weights.

A place's weights are in panels of filters, each (channels, lanes), as those of a layer. Its inputs
and outputs have, for each tile, a vector for each channel or filter. Every element is one chain of
fused multiply-adds, for any height of its register tile.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.host import TILE_ROWS
from .emitter import integer, repeated
from .tile import RowTiles
from .winograd_forms import PLACES

_PARAMETERS = (
    *("W", "w", "w_place", "X", "x", "x_place", "C", "c", "c_place"),
    *("channels", "filters", "tiles"),
)


class _Products(RowTiles):
    """Emits the products at all places. Subclasses say what the rows of a register tile are."""

    def __init__(self, context, builder, signature, args):
        kinds = dict(zip(_PARAMETERS, signature.args, strict=True))
        given = dict(zip(_PARAMETERS, args, strict=True))
        super().__init__(context, builder, kinds, given, kinds["W"].dtype)

    def at(self, array, start, number, *offsets):
        """Return a pointer to an element of a place of an array."""
        builder = self.builder
        index = builder.add(self.given[start], builder.mul(self.given[f"{start}_place"], number))
        for offset in offsets:
            index = builder.add(index, offset)
        return builder.gep(self[array], [index])

    def place(self, number):
        """Emit the products at a place."""
        raise NotImplementedError

    def each_input(self, body):
        """Call ``body(k)`` in a loop over the vectors that a product sums."""
        raise NotImplementedError

    def product(self):
        """Emit the loop over places."""
        with repeated(self.builder, integer(PLACES)) as place:
            self.place(place)

    def each_tile(self, rows, W, apart, X, C, n_in, n_out):
        """Emit the products of ``rows`` rows of weights, for all tiles.

        ``W(k)`` is a pointer to the first row's weight of input k, the next one is ``apart``
        elements behind. X and C point to the first vectors of the first tile.
        """
        builder, lanes = self.builder, integer(self.lanes)
        with repeated(builder, self.given["tiles"]) as tile:
            sums = [cgutils.alloca_once(builder, self.vector) for _ in range(rows)]
            for total in sums:
                builder.store(ir.Constant(self.vector, None), total)
            inputs = self.row(X, builder.mul(n_in, lanes), tile)

            def add(k, inputs=inputs, sums=sums):
                vector = self.load(self.vector_at("X", self.row(inputs, lanes, k)))
                first = W(k)
                for r, total in enumerate(sums):
                    element = builder.gep(first, [integer(r * apart)])
                    self.check("W", element, self.itemsize)
                    scalar = self.splat(builder.load(element))
                    grown = builder.call(self.fma, [scalar, vector, builder.load(total)])
                    builder.store(grown, total)

            self.each_input(add)
            target = self.row(C, builder.mul(n_out, lanes), tile)
            for r, total in enumerate(sums):
                pointer = builder.gep(target, [integer(r * self.lanes)])
                self.store(builder.load(total), self.vector_at("C", pointer))


class _Forward(_Products):
    """Rows are the filters of a panel."""

    def place(self, number):
        builder, given, lanes = self.builder, self.given, integer(self.lanes)
        panel = builder.mul(given["channels"], lanes)
        with repeated(builder, builder.udiv(given["filters"], lanes)) as p:
            W = self.at("W", "w", number, builder.mul(p, panel))
            X = self.at("X", "x", number)
            C = self.at("C", "c", number, builder.mul(p, integer(self.lanes**2)))

            def tile(rows, row):
                self.each_tile(
                    rows, lambda k: builder.gep(W, [builder.add(builder.mul(k, lanes), row)]), 1,
                    X, self.row(C, lanes, row), given["channels"], given["filters"],
                )  # fmt: skip

            self.split(lanes, TILE_ROWS, tile)

    def each_input(self, body):
        with repeated(self.builder, self.given["channels"]) as k:
            body(k)


class _Backward(_Products):
    """Rows are channels."""

    def place(self, number):
        builder, given, lanes = self.builder, self.given, integer(self.lanes)
        panel = builder.mul(given["channels"], lanes)
        W, X, C = self.at("W", "w", number), self.at("X", "x", number), self.at("C", "c", number)

        def tile(rows, row):
            def weight(k):
                at = builder.add(
                    builder.mul(builder.udiv(k, lanes), panel),
                    builder.and_(k, integer(self.lanes - 1)),
                )
                return builder.gep(W, [builder.add(at, builder.mul(row, lanes))])

            self.each_tile(
                rows, weight, self.lanes, X, self.row(C, lanes, row),
                given["filters"], given["channels"],
            )  # fmt: skip

        self.split(given["channels"], TILE_ROWS, tile)

    def each_input(self, body):
        builder, lanes = self.builder, integer(self.lanes)
        with (
            repeated(builder, builder.udiv(self.given["filters"], lanes)) as p,
            repeated(builder, lanes) as lane,
        ):
            body(builder.add(builder.mul(p, lanes), lane))


def _make(emitter):
    @intrinsic
    def products(typingctx, W, w, w_place, X, x, x_place, C, c, c_place, channels, filters, tiles):
        def codegen(context, builder, signature, args):
            emitter(context, builder, signature, args).product()
            return context.get_dummy_value()

        size = types.intp
        return types.void(
            W, size, size, X, size, size, C, size, size, size, size, size
        ), codegen  # fmt: skip

    return products


products, products_back = _make(_Forward), _make(_Backward)

products.__doc__ = """Overwrite C, filters of each tile, by the products of X, its channels.

Places of W, X and C start at W[w], X[x] and C[c], each ``_place`` elements behind the one before.
"""

products_back.__doc__ = """Overwrite C, channels of each tile, by the products of X, its filters."""
