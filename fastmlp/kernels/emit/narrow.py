"""Products of a dense layer with few units, whose tiles would fill a quarter of a vector.

Inputs are in the lanes: a unit's output is the sum of products of two vectors, its chains added by
halves at the end; a unit's gradient is a vector of its weights' gradients. The weights are read
from a *strip*, a transposed copy with one row for each unit.

An element of the gradients is one chain in the order of its terms, as in the tiles. An output is
``lanes`` chains: other bits than those of a tile.
"""

from llvmlite import ir
from numba.core import cgutils

from .emitter import INDEX, Emitter, emitting, integer, on_stack

FEW, MANY = 4, 1024  # at most: units and inputs of the layer
_ROWS = 4  # at once, so that no multiply-add waits for the one before
_PANELS = 4
_LANE = ir.IntType(32)


class _Narrow(Emitter):
    """Emits code for each number of units ``n``, and for several rows or panels at once."""

    def emit(self, n):
        """Emit the code for n units."""
        raise NotImplementedError

    def code(self):
        """Emit ``emit(n)`` for the number of units that is given."""
        for n in range(1, FEW + 1):
            is_n = self.builder.icmp_signed("==", self["n"], integer(n))
            with self.builder.if_then(is_n):
                self.emit(n)

    def in_steps(self, first, last, size, emit):
        """Emit ``emit(index, count)`` for ``size`` indices at once, then for single ones."""
        builder = self.builder
        count = builder.sub(last, first)
        whole = builder.add(first, builder.sub(count, builder.srem(count, integer(size))))
        for start, stop, step in ((first, whole, size), (whole, last, 1)):
            with cgutils.for_range_slice(builder, start, stop, integer(step)) as (index, _):
                emit(index, step)

    def sums(self, count, last, grow):
        """Emit a loop over 0 to ``last`` (at least 1) that adds to ``count`` vectors; return them.

        ``grow(index, sums)`` emits a step.
        """
        builder = self.builder
        before = builder.block
        loop, done = builder.append_basic_block("sum"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INDEX)
        totals = [builder.phi(self.vector) for _ in range(count)]
        grown = grow(index, totals)
        following = builder.add(index, integer(1))
        index.add_incoming(integer(0), before)
        index.add_incoming(following, builder.block)
        for total, new in zip(totals, grown, strict=True):
            total.add_incoming(ir.Constant(self.vector, None), before)
            total.add_incoming(new, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, last), loop, done)
        builder.position_at_end(done)
        return grown

    def added(self, vector):
        """Add the elements of a vector by halves."""
        builder, size = self.builder, self.lanes
        while size > 1:
            size //= 2
            halves = [
                builder.shuffle_vector(
                    vector, vector, ir.Constant(ir.VectorType(_LANE, size), list(part))
                )
                for part in (range(size), range(size, 2 * size))
            ]
            vector = builder.fadd(*halves)
        return builder.extract_element(vector, ir.Constant(_LANE, 0))

    def at(self, name, *offsets):
        """Return a pointer to an element of an array, its offsets added."""
        total = offsets[0]
        for offset in offsets[1:]:
            total = self.builder.add(total, offset)
        return self.builder.gep(self[name], [total])

    def times(self, number, name):
        return self.builder.mul(number, self[name])

    def vector_of(self, name, *offsets):
        """Load a vector of an array."""
        return self.load(self.vector_at(name, self.at(name, *offsets)))

    def scalar_of(self, name, *offsets):
        """Load an element of an array into all lanes."""
        pointer = self.at(name, *offsets)
        self.check(name, pointer, self.itemsize)
        return self.splat(self.builder.load(pointer))

    def unit(self, j):
        """Return the offset of a unit's row of the strip."""
        return self.builder.mul(integer(j), self["width"])


class _Outputs(_Narrow):
    """Z = A W + b for n units; 0 in the other lanes of Z. ``width``: the padded inputs."""

    def emit(self, n):
        self.in_steps(integer(0), self["rows"], _ROWS, lambda r, count: self.tile(n, r, count))

    def tile(self, n, row, count):
        builder, lanes = self.builder, integer(self.lanes)
        rows = [builder.add(row, integer(r)) for r in range(count)]
        starts = [builder.add(self["a"], self.times(r, "a_row")) for r in rows]

        def grow(panel, sums):
            inputs = [self.vector_of("A", start, self.times(panel, "a_panel")) for start in starts]
            column = builder.mul(panel, lanes)
            weights = [self.vector_of("S", self.unit(j), column) for j in range(n)]
            pairs = [(x, w) for x in inputs for w in weights]
            return [
                builder.call(self.fma, [*pair, total])
                for pair, total in zip(pairs, sums, strict=True)
            ]

        panels = builder.sdiv(self["width"], lanes)
        sums = self.sums(count * n, panels, grow)
        biases = self.vector_of("B", self["b"])
        for r, number in enumerate(rows):
            outputs = ir.Constant(self.vector, None)
            for j in range(n):
                outputs = builder.insert_element(
                    outputs, self.added(sums[r * n + j]), ir.Constant(_LANE, j)
                )
            pointer = self.at("Z", self["z"], self.times(number, "z_row"))
            self.store(builder.fadd(outputs, biases), self.vector_at("Z", pointer))


class _InputGradients(_Narrow):
    """C = D W^T for panel q of n units' inputs."""

    def emit(self, n):
        builder = self.builder
        column = builder.mul(self["q"], integer(self.lanes))
        weights = [self.vector_of("S", self.unit(j), column) for j in range(n)]
        with cgutils.for_range(builder, self["rows"]) as loop:
            gradients = [
                self.scalar_of("D", self["d"], self.times(loop.index, "d_row"), integer(j))
                for j in range(n)
            ]
            total = builder.fmul(gradients[0], weights[0])
            for gradient, w in zip(gradients[1:], weights[1:], strict=True):
                total = builder.call(self.fma, [gradient, w, total])
            pointer = self.at("C", self["c"], self.times(loop.index, "c_row"))
            self.store(total, self.vector_at("C", pointer))


class _WeightGradients(_Narrow):
    """S = A^T D for some panels of n units' inputs."""

    def emit(self, n):
        self.in_steps(integer(0), self["panels"], _PANELS, lambda q, k: self.tile(n, q, k))

    def tile(self, n, panel, count):
        builder = self.builder
        panels = [builder.add(panel, integer(q)) for q in range(count)]
        starts = [builder.add(self["a"], self.times(q, "a_panel")) for q in panels]

        def grow(row, sums):
            inputs = [self.vector_of("A", start, self.times(row, "a_row")) for start in starts]
            d = self.times(row, "d_row")
            gradients = [self.scalar_of("D", self["d"], d, integer(j)) for j in range(n)]
            pairs = [(x, gradient) for x in inputs for gradient in gradients]
            return [
                builder.call(self.fma, [*pair, total])
                for pair, total in zip(pairs, sums, strict=True)
            ]

        sums = self.sums(count * n, self["rows"], grow)
        for q, number in enumerate(panels):
            column = builder.mul(number, integer(self.lanes))
            for j in range(n):
                pointer = self.at("S", self.unit(j), column)
                self.store(sums[q * n + j], self.vector_at("S", pointer))


# In flat arrays: A[a] is the first input of the first row, and so forth.
narrow_outputs = emitting(_Outputs, "A a a_row a_panel S width B b Z z z_row rows n")
narrow_input_gradients = emitting(_InputGradients, "D d d_row S width q C c c_row rows n")
narrow_gradients = emitting(_WeightGradients, "A a a_row a_panel D d d_row S width panels rows n")

new_strip = on_stack(FEW * MANY)
