"""Softmax and losses of a group of rows: as many as a vector has lanes, each in a lane.

Outputs lie in rows: sixteen bytes of each row at a time are transposed in registers. An element is
the same chain of operations as in the kernel of one row (rules/), and has the same bits. ``O`` has
the offset of each lane's row; a group of fewer rows repeats its last one.
"""

import math

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .elementary import Elementary
from .emitter import Emitter, emitting, integer, repeated, splat
from .sums import CHAINS
from .transpose import LANE_BYTES, transposed_in_lanes

_INT, _WORD = ir.IntType(32), ir.IntType(64)


class _Group(Emitter):
    """Reads and writes columns of a group of rows, as vectors with an element of every row."""

    def __init__(self, context, builder, kinds, given, dtype):
        super().__init__(context, builder, kinds, given, dtype)
        self.wide = LANE_BYTES // self.itemsize  # columns that are transposed at once
        self.real = Elementary(builder, dtype, self.lanes)
        self.double = Elementary(builder, types.float64, self.lanes)
        self.zero = self.real.number(0.0)
        self.words = ir.VectorType(_WORD, self.lanes)

    def parts(self):
        """Emit the number of times that ``wide`` columns are read: n / wide, rounded up."""
        more = self.builder.add(self["n"], integer(self.wide - 1))
        return self.builder.sdiv(more, integer(self.wide))

    def column(self, part, j):
        """Emit the index of column j of a part."""
        return self.builder.add(self.builder.mul(part, integer(self.wide)), integer(j))

    def pieces(self, name, start, part):
        """Yield a pointer to a part's columns in each row."""
        first = self.builder.gep(self[name], [self.builder.add(self[start], self.column(part, 0))])
        vector = ir.VectorType(self.vector.element, self.wide)
        for lane in range(self.lanes):
            pointer = self.builder.gep(first, [self.number("O", integer(lane))])
            self.check(name, pointer, LANE_BYTES)
            yield self.builder.bitcast(pointer, vector.as_pointer())

    def columns(self, name, start, part):
        """Load a part's columns."""
        rows = [self.load(pointer) for pointer in self.pieces(name, start, part)]
        vectors = [self.joined(rows[k :: self.wide]) for k in range(self.wide)]
        return transposed_in_lanes(self.builder, vectors, self.wide)

    def put(self, name, start, part, columns):
        """Store a part's columns."""
        vectors = transposed_in_lanes(self.builder, columns, self.wide)
        for lane, pointer in enumerate(self.pieces(name, start, part)):
            vector, first = vectors[lane % self.wide], lane // self.wide * self.wide
            row = self.shuffled(vector, vector, range(first, first + self.wide))
            self.store(row, pointer)

    def joined(self, vectors):
        """Emit the elements of several vectors as one vector."""
        while len(vectors) > 1:
            elements = range(2 * vectors[0].type.count)
            pairs = zip(vectors[::2], vectors[1::2], strict=True)
            vectors = [self.shuffled(a, b, elements) for a, b in pairs]
        return vectors[0]

    def shuffled(self, a, b, elements):
        mask = ir.Constant(ir.VectorType(_INT, len(elements)), list(elements))
        return self.builder.shuffle_vector(a, b, mask)

    def in_double(self, vector):
        """Emit a vector as float64."""
        is_double = vector.type == self.double.real
        return vector if is_double else self.builder.fpext(vector, self.double.real)

    def vector_in(self, name, element):
        """Return a pointer to the first ``lanes`` elements of an array, of an LLVM type."""
        self.check(name, self[name], self.lanes * (4 if element == _INT else 8))
        return self.builder.bitcast(self[name], ir.VectorType(element, self.lanes).as_pointer())


class _Softmax(_Group):
    """A = softmax(Z) in a group of rows of n columns; the strip S holds all columns."""

    def code(self):
        builder = self.builder
        with repeated(builder, self.parts()) as part:
            for j, column in enumerate(self.columns("Z", "z", part)):
                self.store(column, self.at(self.column(part, j)))
        inverse = self.inverse(self.largest())
        with repeated(builder, self["n"]) as j:
            self.store(builder.fmul(self.load(self.at(j)), inverse), self.at(j))
        padded = builder.mul(self.parts(), integer(self.wide))
        with cgutils.for_range_slice(builder, self["n"], padded, integer(1)) as (j, _):
            self.store(self.zero, self.at(j))
        with repeated(builder, self.parts()) as part:
            places = [self.at(self.column(part, j)) for j in range(self.wide)]
            self.put("A", "a", part, [self.load(place) for place in places])

    def at(self, j):
        """Return a pointer to a column in the strip."""
        start = self.builder.mul(j, integer(self.lanes))
        return self.vector_at("S", self.builder.gep(self["S"], [start]))

    def largest(self):
        """Emit the largest element of each row."""
        builder = self.builder
        largest = cgutils.alloca_once_value(builder, self.load(self.at(integer(0))))
        with cgutils.for_range_slice(builder, integer(1), self["n"], integer(1)) as (j, _):
            before, column = builder.load(largest), self.load(self.at(j))
            is_larger = builder.fcmp_ordered(">", column, before)
            builder.store(builder.select(is_larger, column, before), largest)
        return builder.load(largest)

    def inverse(self, largest):
        """Overwrite the strip with exp(z - largest); emit 1 / the sum of each row, by the chains of
        ``sums.py``.
        """
        builder, zero, one = self.builder, integer(0), integer(1)
        whole = builder.and_(self["n"], integer(-CHAINS))
        is_long = builder.icmp_signed(">", whole, zero)
        chains = cgutils.alloca_once(builder, ir.ArrayType(self.double.real, CHAINS))

        def add(index, value):
            place = builder.gep(chains, [zero, index])
            builder.store(builder.fadd(builder.load(place), value), place)

        with cgutils.for_range(builder, builder.select(is_long, integer(CHAINS), one)) as loop:
            builder.store(self.double.number(0.0), builder.gep(chains, [zero, loop.index]))
        with repeated(builder, self["n"]) as j:
            power = self.real.exp(builder.fsub(self.load(self.at(j)), largest))
            self.store(power, self.at(j))
            is_whole = builder.icmp_signed("<", j, whole)
            own = builder.and_(j, integer(CHAINS - 1))
            add(builder.select(is_whole, own, zero), self.in_double(power))
        with builder.if_then(is_long):
            half = CHAINS
            while half > 1:
                half //= 2
                for index in range(half):
                    add(integer(index), builder.load(
                        builder.gep(chains, [zero, integer(index + half)])
                    ))  # fmt: skip
        total = builder.load(builder.gep(chains, [zero, zero]))
        if total.type != self.vector:
            total = builder.fptrunc(total, self.vector)
        return builder.fdiv(self.real.number(1.0), total)


class _CrossEntropy(_Group):
    """D = F (A - one-hot(Y)) in a group of rows of n columns; losses L and hits H."""

    def code(self):
        builder = self.builder
        labels = builder.load(self.vector_in("Y", _INT))
        labels.align = 4
        factors = self.load(self.as_vector(self["F"]))
        lowest, one = self.real.number(-math.inf), self.real.number(1.0)
        # Of each row: the largest z, that of the label, the largest a and its index.
        first = [lowest, self.zero, self.zero, ir.Constant(labels.type, None)]
        found = [cgutils.alloca_once_value(builder, value) for value in first]
        with repeated(builder, self.parts()) as part:
            Z, A = self.columns("Z", "z", part), self.columns("A", "a", part)
            gradients = []
            for j, (z, a) in enumerate(zip(Z, A, strict=True)):
                column = self.column(part, j)
                index = splat(builder, builder.trunc(column, _INT), self.lanes)
                is_label = builder.icmp_signed("==", labels, index)
                is_there = builder.icmp_signed("<", column, self["n"])
                z = builder.select(is_there, z, lowest) if j > 0 else z
                self.compare(found, z, a, index, is_label, j == 0)
                error = builder.fsub(a, builder.select(is_label, one, self.zero))
                gradients.append(builder.fmul(factors, error))
            self.put("D", "d", part, gradients)
        largest, own, likeliest, best = map(builder.load, found)
        log_total = builder.fneg(self.double.log(self.in_double(likeliest)))
        loss = builder.fsub(log_total, self.in_double(builder.fsub(own, largest)))
        loss = builder.fadd(self.double.number(0.0), loss)
        self.store(loss, self.vector_in("L", ir.DoubleType()))
        is_hit = builder.icmp_signed("==", best, labels)
        self.store(builder.zext(is_hit, self.words), self.vector_in("H", _WORD))

    def compare(self, found, z, a, index, is_label, is_first):
        """Compare a column with what was found in the columns before.

        A row's outputs are all NaN or none is: the first column of a part, which is never padding,
        tells.
        """
        builder = self.builder
        largest, own, likeliest, best = map(builder.load, found)
        is_larger = builder.fcmp_ordered(">", z, largest)
        is_likelier = builder.fcmp_ordered(">", a, likeliest)
        is_new = builder.fcmp_unordered(">", a, likeliest) if is_first else is_likelier
        changes = (
            (is_larger, z, largest),
            (is_label, z, own),
            (is_new, a, likeliest),
            (is_likelier, index, best),
        )
        for place, change in zip(found, changes, strict=True):
            builder.store(builder.select(*change), place)


class _BinaryCrossEntropy(_Group):
    """D = F (A - Y) in a group of rows of one column; losses L, hits H by the threshold T[0]."""

    def code(self):
        builder, double = self.builder, self.double
        z, a = (self.columns(name, start, integer(0))[0] for name, start in ("Zz", "Aa"))
        targets, factors = (self.load(self.as_vector(self[name])) for name in "YF")
        logit, output, target = map(self.in_double, (z, a, targets))
        zero = double.number(0.0)
        is_negative = builder.fcmp_ordered("<", logit, zero)
        larger = builder.select(is_negative, zero, logit)
        size = builder.select(is_negative, builder.fneg(logit), logit)
        rest = double.log1p(double.exp(builder.fneg(size)))
        loss = builder.fsub(larger, builder.fmul(logit, target))
        loss = builder.fadd(zero, builder.fadd(loss, rest))
        self.store(loss, self.vector_in("L", ir.DoubleType()))
        threshold = splat(builder, builder.load(self["T"]), self.lanes)
        is_predicted = builder.fcmp_ordered(">=", output, threshold)
        is_true = builder.fcmp_ordered(">=", target, double.number(0.5))
        is_hit = builder.not_(builder.xor(is_predicted, is_true))
        self.store(builder.zext(is_hit, self.words), self.vector_in("H", _WORD))
        gradient = builder.fmul(factors, builder.fsub(a, targets))
        self.put("D", "d", integer(0), [gradient, *[self.zero] * (self.wide - 1)])


# In flat arrays: row i of Z begins at Z[z + O[i]], and so forth.
softmax_of_group = emitting(_Softmax, "Z z A a O n S")
cross_entropy_of_group = emitting(_CrossEntropy, "Z z A a D d O n Y F L H")
binary_cross_entropy_of_group = emitting(_BinaryCrossEntropy, "Z z A a D d O Y F T L H")
