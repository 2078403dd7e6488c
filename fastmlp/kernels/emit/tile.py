"""The matrix products, as explicit vector IR: tiles of a few rows times one 64-byte vector.

The sums of a tile stay in registers during the loop over ``k``. LLVM splits the 64-byte vector into
the registers of the CPU: one for AVX-512, two for AVX2, four for NEON. Rows are split into as few
tiles as the registers allow, of nearly equal height: a low tile has too few independent sums.

Every element is one chain of fused multiply-adds in the order of ``k``, for any height of its tile.
So neither the CPU's tile nor the division of work between threads changes a bit.

Plain Numba loops over the same shapes reach a third of the speed, because LLVM keeps the sums in
memory. Tiles called one by one from Numba reach 70 % of the peak at 32 steps; with the loops over
tiles in the IR, 90 %.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..machine.host import TILE_ROWS
from .emitter import INDEX, Emitter, integer

_MOST_ADDRESSES = 6
_PARAMETERS = (
    *("A", "a", "a_row", "a_panel", "B", "b", "b_row"),
    *("I", "i", "i_row", "keep", "gain", "C", "c", "c_row", "n", "K"),
)


class RowTiles(Emitter):
    """Emits rows in tiles that the registers hold.

    Subclasses set ``n``, the number of rows.
    """

    n: ir.Value

    def tile(self, rows, row):
        """Emit ``rows`` rows from ``row`` on."""
        raise NotImplementedError

    def rows(self, most):
        """Emit all rows in tiles of at most ``most`` rows."""
        self.split(self.n, most, self.tile)

    def split(self, n, most, body):
        """Call ``body(size, first)`` in loops over ``n`` things, split into parts of at most
        ``most`` and of two sizes, the larger first.
        """
        builder, one = self.builder, integer(1)
        parts = self.quotient(n, integer(most))
        larger = self.quotient(n, builder.select(
            builder.icmp_signed(">", parts, integer(0)), parts, one))  # fmt: skip
        smaller = builder.sub(larger, one)
        n_larger = builder.sub(n, builder.mul(smaller, parts))
        n_smaller = builder.sub(parts, n_larger)
        first = integer(0)
        for size in range(most, 0, -1):
            is_larger = builder.icmp_signed("==", larger, integer(size))
            is_smaller = builder.icmp_signed("==", smaller, integer(size))
            others = builder.select(is_smaller, n_smaller, integer(0))
            first = self.parts(size, builder.select(is_larger, n_larger, others), first, body)

    def quotient(self, a, b):
        """a / b, rounded up."""
        one = integer(1)
        return self.builder.udiv(self.builder.sub(self.builder.add(a, b), one), b)

    def parts(self, size, count, first, body):
        """Emit ``count`` parts of one size from ``first`` on; return what comes after them."""
        builder = self.builder
        before = builder.block
        part, after = builder.append_basic_block("part"), builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed(">", count, integer(0)), part, after)
        builder.position_at_end(part)
        start, left = builder.phi(INDEX), builder.phi(INDEX)
        start.add_incoming(first, before)
        left.add_incoming(count, before)
        body(size, start)
        next_start = builder.add(start, integer(size))
        next_left = builder.sub(left, integer(1))
        start.add_incoming(next_start, builder.block)
        left.add_incoming(next_left, builder.block)
        builder.cbranch(builder.icmp_signed(">", next_left, integer(0)), part, after)
        end = builder.block
        builder.position_at_end(after)
        behind = builder.phi(INDEX)
        behind.add_incoming(first, before)
        behind.add_incoming(next_start, end)
        return behind


class _TileEmitter(RowTiles):
    """Emits a product; its two layouts of A differ in where an element lies."""

    def __init__(self, context, builder, signature, args, of_columns):
        kinds = dict(zip(_PARAMETERS, signature.args, strict=True))
        given = dict(zip(_PARAMETERS, args, strict=True))
        super().__init__(context, builder, kinds, given, kinds["A"].dtype)
        self.of_columns, self.is_near = of_columns, False
        self.A, self.B, self.I, self.C = (
            builder.gep(self[array], [given[offset]])
            for array, offset in (("A", "a"), ("B", "b"), ("I", "i"), ("C", "c"))
        )
        self.a_row, self.a_panel, self.b_row = given["a_row"], given["a_panel"], given["b_row"]
        self.i_row, self.c_row = given["i_row"], given["c_row"]
        self.n, self.K = given["n"], given["K"]
        self.keep, self.gain = self.splat(given["keep"]), self.splat(given["gain"])

    def product(self):
        """Emit all rows. High tiles have more rows than there are registers for their addresses,
        unless the rows of A are one vector apart, as in panels: then one address is enough.
        """
        if self.of_columns and self.lanes <= TILE_ROWS:
            self.one_tile(self.lanes)
            return
        if self.of_columns or TILE_ROWS <= _MOST_ADDRESSES:
            self.rows(TILE_ROWS)
            return
        in_panels = self.builder.icmp_signed("==", self.a_row, integer(self.lanes))
        with self.builder.if_else(in_panels) as (near, far):
            with far:
                self.rows(_MOST_ADDRESSES)
            with near:
                self.is_near = True
                self.rows(TILE_ROWS)

    def one_tile(self, most):
        """Emit at most ``most`` rows as one tile; LLVM takes twice as long for loops over tiles."""
        builder = self.builder
        for rows in range(most, 0, -1):
            with builder.if_then(builder.icmp_signed("==", self.n, integer(rows))):
                self.tile(rows, integer(0))

    def panel(self):
        """Emit as many rows as a vector has elements."""
        parts = -(-self.lanes // TILE_ROWS)
        sizes = [(self.lanes + part) // parts for part in range(parts)]
        for part, size in enumerate(sizes):
            self.tile(size, integer(sum(sizes[:part])))

    def tile(self, rows, row):
        """Emit one tile: the loop over k, and the stores."""
        builder = self.builder
        elements_of_A = self.elements_of_A(rows, row)
        before = builder.block
        loop, done = builder.append_basic_block("sum_over_k"), builder.append_basic_block("store")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, offset = builder.phi(INDEX), builder.phi(INDEX)
        sums = [builder.phi(self.vector) for _ in range(rows)]
        next_k = builder.add(k, integer(1))
        B_row = self.load(self.vector_at("B", self.row(self.B, self.b_row, k)))
        grown = []
        for element, total in zip(elements_of_A(offset), sums, strict=True):
            self.check("A", element, self.itemsize)
            scalar = builder.load(element)
            grown.append(builder.call(self.fma, [self.splat(scalar), B_row, total]))
        next_offset = self.next_offset(offset, next_k)
        end = builder.block  # assertions cut the loop
        for variable, initial, next_value in (
            (k, integer(0), next_k),
            (offset, integer(0), next_offset),
            *zip(sums, [ir.Constant(self.vector, None)] * rows, grown, strict=True),
        ):
            variable.add_incoming(initial, before)
            variable.add_incoming(next_value, end)
        builder.cbranch(builder.icmp_signed("<", next_k, self.K), loop, done)
        builder.position_at_end(done)
        for r, total in enumerate(grown):
            number = builder.add(row, integer(r))
            source = self.vector_at("I", self.row(self.I, self.i_row, number))
            kept = builder.fmul(self.keep, self.load(source))
            total = builder.call(self.fma, [self.gain, total, kept])
            self.store(total, self.vector_at("C", self.row(self.C, self.c_row, number)))

    def elements_of_A(self, rows, row):
        """Return a function from an offset along k to pointers to the tile's elements of A."""
        builder, numbers = self.builder, range(rows)
        if self.of_columns or self.is_near:
            apart = 1 if self.of_columns else self.lanes
            start = builder.gep(self.A, [builder.mul(row, integer(apart))])

            def elements(offset):
                first = builder.gep(start, [offset])
                return [builder.gep(first, [integer(r * apart)]) for r in numbers]

            return elements
        starts = [self.row(self.A, self.a_row, builder.add(row, integer(r))) for r in numbers]
        return lambda offset: [builder.gep(start, [offset]) for start in starts]

    def next_offset(self, offset, next_k):
        """Return the offset from the start of a row of A to its element at the next k."""
        builder = self.builder
        if self.of_columns:
            return builder.add(offset, self.a_row)
        lane = builder.and_(next_k, integer(self.lanes - 1))
        to_next_panel = builder.sub(self.a_panel, integer(self.lanes))
        is_next_panel = builder.icmp_signed("==", lane, integer(0))
        jump = builder.select(is_next_panel, to_next_panel, integer(0))
        return builder.add(builder.add(offset, integer(1)), jump)


def _make_product(of_columns, is_panel=False):
    @intrinsic
    def product(
        typingctx, A, a, a_row, a_panel, B, b, b_row, I, i, i_row, keep, gain, C, c, c_row, n, K
    ):
        size, real = types.intp, A.dtype
        signature = types.void(
            A, size, size, size, B, size, size, I, size, size, real, real, C, size, size, size, size
        )

        def codegen(context, builder, signature, args):
            emitter = _TileEmitter(context, builder, signature, args, of_columns)
            emitter.panel() if is_panel else emitter.product()
            return context.get_dummy_value()

        return signature, codegen

    return product


multiply_rows, multiply_columns = _make_product(False), _make_product(True)
multiply_panel = _make_product(True, is_panel=True)

multiply_rows.__doc__ = """Overwrite n rows x one vector of C with keep I + gain A B.

In flat arrays, for r < n, v < lanes, and the sum over k < K, where K is at least 1:

    C[c + r*c_row + v] = keep I[i + r*i_row + v] + gain sum_k A_rk B[b + k*b_row + v]
    A_rk = A[a + r*a_row + (k // lanes)*a_panel + k % lanes]

I may be C itself.
"""

multiply_columns.__doc__ = (
    """As multiply_rows, with A_rk = A[a + k*a_row + r] and n at most lanes; no use of a_panel."""
)

multiply_panel.__doc__ = """As multiply_columns, for n = ``lanes``.

A loop that calls it has no other tiles, for whose addresses LLVM would keep forty variables.
"""
