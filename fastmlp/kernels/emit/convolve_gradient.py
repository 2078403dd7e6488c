"""The gradient of a convolution's weights: sums over samples and positions, as vector IR.

Both factors are vectors of samples: the vectors of sums stay in registers while a tile of inputs
times outputs goes over all positions and groups, and their lanes are added at the end. Every
element is one chain for each lane, in the order group, y, x, so its bits depend on no tile.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.host import OUTER_TILE
from .emitter import Emitter, integer, multiply_add

_GRADIENT = (
    *("X", "x", "x_group", "x_row", "x_column", "D", "d", "d_group", "d_row", "d_column"),
    *("groups", "height", "width", "I", "i", "i_row", "keep", "gain", "C", "c", "c_row"),
    *("m", "n"),
)


class _Gradient(Emitter):
    """Emits sums over samples and positions, in tiles of inputs times outputs."""

    def __init__(self, context, builder, signature, args):
        kinds = dict(zip(_GRADIENT, signature.args, strict=True))
        given = dict(zip(_GRADIENT, args, strict=True))
        super().__init__(context, builder, kinds, given, kinds["X"].dtype)
        self.fma_of_scalars = multiply_add(builder, self.vector.element)

    def product(self):
        """Emit all tiles, of full size first."""
        most_m, most_n = OUTER_TILE
        self.ranges("m", most_m, lambda m, a: self.ranges(
            "n", most_n, lambda n, b: self.tile(m, a, n, b)))  # fmt: skip

    def ranges(self, name, most, body):
        """Call ``body(size, first)`` for ranges of at most ``most``, all but the last full."""
        builder, total = self.builder, self.given[name]
        full = builder.udiv(total, integer(most))
        with cgutils.for_range(builder, full) as loop:
            body(most, builder.mul(loop.index, integer(most)))
        done = builder.mul(full, integer(most))
        rest = builder.sub(total, done)
        for size in range(1, most):
            with builder.if_then(builder.icmp_signed("==", rest, integer(size))):
                body(size, done)

    def tile(self, m, a, n, b):
        """Emit one tile: m inputs from ``a`` on times n outputs from ``b`` on."""
        builder, given = self.builder, self.given
        sums = [[cgutils.alloca_once(builder, self.vector) for _ in range(n)] for _ in range(m)]
        for row in sums:
            for total in row:
                builder.store(ir.Constant(self.vector, None), total)
        with (
            cgutils.for_range(builder, given["groups"]) as group,
            cgutils.for_range(builder, given["height"]) as y,
        ):
            X, D = (
                self.start(array, offset, first, group.index, y.index)
                for array, offset, first in (("X", "x", a), ("D", "d", b))
            )
            with cgutils.for_range(builder, given["width"]) as x:
                inputs = self.vectors("X", self.row(X, given["x_column"], x.index), m)
                deltas = self.vectors("D", self.row(D, given["d_column"], x.index), n)
                for value, row in zip(inputs, sums, strict=True):
                    for delta, total in zip(deltas, row, strict=True):
                        grown = builder.call(self.fma, [value, delta, builder.load(total)])
                        builder.store(grown, total)
        for i, row in enumerate(sums):
            for j, total in enumerate(row):
                self.finish(
                    builder.add(a, integer(i)), builder.add(b, integer(j)),
                    self.sum_lanes(builder.load(total)),
                )  # fmt: skip

    def start(self, array, offset, first, group, y):
        """Return a pointer to the first vector of a line of positions."""
        builder, given = self.builder, self.given
        index = builder.add(given[offset], builder.mul(first, integer(self.lanes)))
        index = builder.add(index, builder.mul(group, given[f"{offset}_group"]))
        index = builder.add(index, builder.mul(y, given[f"{offset}_row"]))
        return self.pointer(array, index)

    def vectors(self, array, pointer, count):
        """Load ``count`` adjacent vectors."""
        builder = self.builder
        pointers = [builder.gep(pointer, [integer(i * self.lanes)]) for i in range(count)]
        return [self.load(self.vector_at(array, each)) for each in pointers]

    def sum_lanes(self, vector):
        """Return the sum of a vector's elements, by halves: the same order on every CPU."""
        builder, count = self.builder, self.lanes
        while count > 1:
            count //= 2
            parts = [
                builder.shuffle_vector(vector, vector, ir.Constant(
                    ir.VectorType(ir.IntType(32), count), list(range(start, start + count))
                ))
                for start in (0, count)
            ]  # fmt: skip
            vector = builder.fadd(*parts)
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    def finish(self, i, j, total):
        """Store keep I + gain total."""
        builder, given = self.builder, self.given
        source = builder.add(given["i"], builder.mul(i, given["i_row"]))
        kept = builder.fmul(given["keep"], self.number("I", builder.add(source, j)))
        target = builder.add(given["c"], builder.mul(i, given["c_row"]))
        grown = builder.call(self.fma_of_scalars, [given["gain"], total, kept])
        builder.store(grown, self.pointer("C", builder.add(target, j)))


@intrinsic
def convolve_gradient(
    typingctx, X, x, x_group, x_row, x_column, D, d, d_group, d_row, d_column,
    groups, height, width, I, i, i_row, keep, gain, C, c, c_row, m, n,
):  # fmt: skip
    """Overwrite m x n elements of C with keep I + gain sum x dz.

    The sum is over ``groups`` of samples, ``height`` x ``width`` positions and the samples in the
    lanes. X[x] and D[d] start the vectors of the first input and the first output; the next ones
    follow. Element (r, s) of C is at C[c + r*c_row + s], its source at I[i + r*i_row + s].
    """
    size, real = types.intp, X.dtype
    signature = types.void(
        X, size, size, size, size, D, size, size, size, size,
        size, size, size, I, size, size, real, real, C, size, size, size, size,
    )  # fmt: skip

    def codegen(context, builder, signature, args):
        _Gradient(context, builder, signature, args).product()
        return context.get_dummy_value()

    return signature, codegen
