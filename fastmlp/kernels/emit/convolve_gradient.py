"""The gradient of a convolution's weights: sums over samples and positions, as vector IR.

Both factors are vectors of samples: the vectors of sums stay in registers while a tile of inputs
times outputs goes over all positions and groups, and their lanes are added at the end. Every
element is one chain for each lane, so its bits depend on no tile. The order of the chain is group,
line of windows, tap of the window, position along x.

After pooling, gradients are stored for windows, with the number of the tap that gave the maximum:
all other taps have a gradient of 0, which is made in registers. Stored in full, the gradients of a
first layer of 26x26x32 are 1.4 MB for 16 samples.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.host import OUTER_TILE, WINDOWS_TILE
from .emitter import integer, repeated, sum_of_lanes
from .tile import RowTiles
from .windows import at_tap

_GRADIENT = (
    *("X", "x", "x_group", "x_row", "x_column", "x_line", "D", "d", "d_group", "d_row", "d_column"),
    *("TAPS", "t", "groups", "lines", "columns", "window"),
    *("C", "c", "c_row", "line", "m", "n", "overwrite"),
)


class _Gradient(RowTiles):
    """Emits sums over samples and positions, in tiles of inputs times outputs."""

    def __init__(self, context, builder, signature, args, has_window, sides):
        kinds = dict(zip(_GRADIENT, signature.args, strict=True))
        given = dict(zip(_GRADIENT, args, strict=True))
        super().__init__(context, builder, kinds, given, kinds["X"].dtype)
        self.has_window, self.sides = has_window, sides
        self.lines, self.columns, self.window = (
            cgutils.unpack_tuple(builder, given[name]) for name in ("lines", "columns", "window")
        )
        if not has_window:
            self.window = integer(1), integer(1)

    def product(self):
        """Emit all tiles."""
        most_m, most_n = self.sides
        self.split(self.given["m"], most_m, lambda m, a: self.split(
            self.given["n"], most_n, lambda n, b: self.block(m, a, n, b)))  # fmt: skip

    def block(self, m, a, n, b):
        """Emit one tile: m inputs from ``a`` on times n outputs from ``b`` on."""
        builder, given = self.builder, self.given
        sums = [[cgutils.alloca_once(builder, self.vector) for _ in range(n)] for _ in range(m)]
        for row in sums:
            for total in row:
                builder.store(ir.Constant(self.vector, None), total)
        height, width = self.window
        first, last = self.lines
        rows = self.offsets_of(a, m)
        with (
            repeated(builder, given["groups"]) as group,
            cgutils.for_range_slice(
                builder, builder.udiv(first, height), self.quotient(last, height), integer(1)
            ) as (line, _),
            repeated(builder, height) as y_tap,
        ):
            y = builder.add(builder.mul(line, height), y_tap)
            is_inside = builder.and_(
                builder.icmp_signed(">=", y, first), builder.icmp_signed("<", y, last)
            )
            with builder.if_then(is_inside), repeated(builder, width) as x_tap:
                tap = builder.add(builder.mul(y_tap, width), x_tap)
                X = self.start("X", "x", "x", integer(0), group, y)
                D, TAPS = (
                    self.start(name, offset, "d", b, group, line)
                    for name, offset in (("D", "d"), ("TAPS", "t"))
                )
                X = [builder.gep(X, [row]) for row in rows]
                self.add_line(sums, X, D, TAPS, x_tap, tap)
        self.finish_tile(sums, a, b)

    def finish_tile(self, sums, a, b):
        """Add the lanes of each sum, and store it.

        In a loop whose length is hidden from LLVM: unrolled, it took half of the time to compile.
        """
        builder, n = self.builder, integer(len(sums[0]))
        tile = cgutils.alloca_once(builder, self.vector, len(sums) * len(sums[0]))
        flat = [total for row in sums for total in row]
        for number, total in enumerate(flat):
            builder.store(builder.load(total), builder.gep(tile, [integer(number)]))
        is_any = builder.icmp_signed(">", self.given["n"], integer(0))
        count = builder.select(is_any, integer(len(flat)), integer(1))
        with repeated(builder, count) as number:
            total = sum_of_lanes(builder, builder.load(builder.gep(tile, [number])))
            i, j = builder.udiv(number, n), builder.urem(number, n)
            self.finish(builder.add(a, i), builder.add(b, j), total)

    def offsets_of(self, first, count):
        """Return the offsets of adjacent inputs of the product, which are in lines."""
        builder, line, lanes = self.builder, self.given["line"], integer(self.lanes)
        number, along_x = builder.udiv(first, line), builder.urem(first, line)
        start, found = builder.mul(number, self.given["x_line"]), []
        for _ in range(count):
            found.append(builder.add(start, builder.mul(along_x, lanes)))
            along_x = builder.add(along_x, integer(1))
            is_end = builder.icmp_signed("==", along_x, line)
            along_x = builder.select(is_end, integer(0), along_x)
            next_line = builder.add(start, self.given["x_line"])
            start = builder.select(is_end, next_line, start)
        return found

    def start(self, array, offset, strides, first, group, line):
        """Return a pointer to the first vector of a line, which may lie before the image."""
        builder, given = self.builder, self.given
        index = builder.add(given[offset], builder.mul(first, integer(self.lanes)))
        index = builder.add(index, builder.mul(group, given[f"{strides}_group"]))
        index = builder.add(index, builder.mul(line, given[f"{strides}_row"]))
        return builder.gep(self[array], [index])

    def add_line(self, sums, X, D, TAPS, x_tap, tap):
        """Add the products at one tap of the windows of a line."""
        builder, given = self.builder, self.given
        width = self.window[1]
        first, last = (
            self.quotient(self.positive(builder.sub(end, x_tap)), width) for end in self.columns
        )
        number = builder.sitofp(tap, self.vector.element)
        with cgutils.for_range_slice(builder, first, last, integer(1)) as (column, _):
            x = builder.add(builder.mul(column, width), x_tap)
            inputs = [
                self.load(self.vector_at("X", self.row(each, given["x_column"], x))) for each in X
            ]
            n = len(sums[0])
            deltas = self.vectors("D", self.row(D, given["d_column"], column), n)
            if self.has_window:
                taps = self.vectors("TAPS", self.row(TAPS, given["d_column"], column), n)
                wanted = self.splat(number)
                deltas = [
                    at_tap(builder, delta, each, wanted)
                    for delta, each in zip(deltas, taps, strict=True)
                ]
            for value, row in zip(inputs, sums, strict=True):
                for delta, total in zip(deltas, row, strict=True):
                    grown = builder.call(self.fma, [value, delta, builder.load(total)])
                    builder.store(grown, total)

    def positive(self, number):
        """Return a number, or 0 if it is negative."""
        builder = self.builder
        return builder.select(builder.icmp_signed(">", number, integer(0)), number, integer(0))

    def vectors(self, array, pointer, count):
        """Load ``count`` adjacent vectors."""
        builder = self.builder
        pointers = [builder.gep(pointer, [integer(i * self.lanes)]) for i in range(count)]
        return [self.load(self.vector_at(array, each)) for each in pointers]

    def finish(self, i, j, total):
        """Store a sum, or add it to what is there."""
        builder, given = self.builder, self.given
        row = builder.add(given["c"], builder.mul(i, given["c_row"]))
        target = self.pointer("C", builder.add(row, j))
        grown = builder.fadd(builder.load(target), total)
        builder.store(builder.select(given["overwrite"], total, grown), target)


def _make_gradient(has_window, sides):
    @intrinsic
    def product(
        typingctx, X, x, x_group, x_row, x_column, x_line, D, d, d_group, d_row, d_column,
        TAPS, t, groups, lines, columns, window, C, c, c_row, line, m, n, overwrite,
    ):  # fmt: skip
        size, pair = types.intp, types.UniTuple(types.intp, 2)
        signature = types.void(
            X, size, size, size, size, size, D, size, size, size, size,
            TAPS, size, size, pair, pair, pair, C, size, size, size, size, size, types.boolean,
        )  # fmt: skip

        def codegen(context, builder, signature, args):
            _Gradient(context, builder, signature, args, has_window, sides).product()
            return context.get_dummy_value()

        return signature, codegen

    return product


convolve_gradient = _make_gradient(False, OUTER_TILE)
convolve_gradient_of_windows = _make_gradient(True, WINDOWS_TILE)
sum_gradient = _make_gradient(False, (1, OUTER_TILE[1]))  # of one input, with few tiles to compile

convolve_gradient.__doc__ = """Overwrite, or add to, m x n elements of C: the sum of x dz.

The sum is over ``groups`` of samples, the positions of ``lines`` and ``columns`` (first, last), and
the samples in the lanes. X[x] and D[d] are the vectors of the first input and the first output at
position (0, 0), which may lie before the image. The next outputs follow; so do the next inputs, in
lines of ``line``, ``x_line`` elements apart. Element (r, s) is C[c + r*c_row + s]. ``window`` is
(1, 1), and TAPS is not used.
"""

convolve_gradient_of_windows.__doc__ = """As convolve_gradient, after pooling by windows.

D has a vector for each window of ``window`` (height, width), and TAPS, from TAPS[t] on, the number
of the tap that gave its maximum; ``lines`` and ``columns`` are those of positions.
"""
