"""Random masks as vector code: eight counters of Philox at once."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .emitter import INDEX, Emitter, integer, repeated

# Philox4x32-10 (Salmon et al. 2011): multipliers, and what is added to the key in each round.
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_LOW = 0xFFFFFFFF

UNITS = 16  # units that share eight counters, for two rows
_COUNTERS = 8
_WORDS = ir.VectorType(INDEX, _COUNTERS)


def _constant(value):
    return ir.Constant(_WORDS, [value] * _COUNTERS)


def philox(builder, counters, keys):
    """Return the four words of each of eight counters, in the lower halves of 64-bit elements.

    Counters are four vectors, and keys two, whose upper halves may be anything.
    """
    low, half = _constant(_LOW), _constant(32)
    c0, c1, c2, c3 = counters
    k0, k1 = keys
    for _ in range(_ROUNDS):
        # The masks cost nothing: the multiplication of lower halves is one instruction.
        first = builder.mul(builder.and_(c0, low), _constant(_MULTIPLIERS[0]))
        second = builder.mul(builder.and_(c2, low), _constant(_MULTIPLIERS[1]))
        c0 = builder.xor(builder.xor(builder.lshr(second, half), c1), k0)
        c2 = builder.xor(builder.xor(builder.lshr(first, half), c3), k1)
        c1, c3 = second, first
        k0, k1 = builder.add(k0, _constant(_WEYL[0])), builder.add(k1, _constant(_WEYL[1]))
    return c0, c1, c2, c3


class _Draws(Emitter):
    """Emits the masks of units and rows.

    Unit u of row r of an epoch is kept if word 2 (r % 2) + u % 16 // 8 of the counter
    (u // 16 * 8 + u % 8, r // 2, stream, upper half of the second key) reaches the limit. The key
    of the generator is the first key. So eight adjacent units of a row, and of the row beside it,
    come from eight adjacent counters, whatever vectors the CPU has.
    """

    def __init__(self, context, builder, names, signature, args, dtype):
        kinds, given = (dict(zip(names, each, strict=True)) for each in (signature.args, args))
        super().__init__(context, builder, kinds, given, dtype)
        self.keys = [
            self.each(given["k0"]),
            self.each(builder.lshr(given["k0"], ir.Constant(INDEX, 32))),
        ]
        self.epoch = self.each(builder.lshr(given["k1"], ir.Constant(INDEX, 32)))
        self.limit = builder.trunc(given["limit"], ir.IntType(32))

    def each(self, scalar):
        """Return a vector with the same number for each counter."""
        undefined = ir.Constant(_WORDS, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        same = ir.Constant(ir.VectorType(ir.IntType(32), _COUNTERS), None)
        return self.builder.shuffle_vector(first, undefined, same)

    def counting(self, first):
        """Return ``first``, ``first + 1``, ... as a vector."""
        steps = ir.Constant(_WORDS, list(range(_COUNTERS)))
        return self.builder.add(self.each(first), steps)

    def words(self, units, pairs):
        """Return the four words of vectors of unit counters and of pairs of rows."""
        stream = self.each(self.given["stream"])
        return philox(self.builder, (units, pairs, stream, self.epoch), self.keys)

    def reaches(self, words):
        """Return which elements of vectors of words reach the limit, one vector after the other."""
        builder = self.builder
        narrow = ir.VectorType(ir.IntType(32), _COUNTERS)
        found = [builder.trunc(word, narrow) for word in words]
        if len(found) == 2:
            both = list(range(2 * _COUNTERS))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), 2 * _COUNTERS), both)
            found = [builder.shuffle_vector(*found, mask)]
        (drawn,) = found
        undefined = ir.Constant(drawn.type, ir.Undefined)
        first = builder.insert_element(undefined, self.limit, ir.Constant(ir.IntType(32), 0))
        same = ir.Constant(ir.VectorType(ir.IntType(32), drawn.type.count), None)
        return builder.icmp_unsigned(">=", drawn, builder.shuffle_vector(first, undefined, same))

    def drop_panel(self):
        """Emit the loop over the pairs of rows of a panel of units."""
        builder, given = self.builder, self.given
        one, two = integer(1), integer(2)
        unit = builder.mul(given["panel"], integer(self.lanes))
        block = builder.udiv(unit, integer(UNITS))
        units = self.counting(builder.mul(block, integer(_COUNTERS)))
        is_upper = builder.icmp_unsigned("!=", builder.urem(unit, integer(UNITS)), integer(0))
        first = builder.udiv(given["first_row"], two)
        last = builder.udiv(builder.sub(builder.add(given["first_row"], given["rows"]), one), two)
        with repeated(builder, builder.add(builder.sub(last, first), one)) as number:
            pair = builder.add(first, number)
            words = self.words(units, self.each(pair))
            even = builder.sub(builder.mul(pair, two), given["first_row"])
            odd = builder.add(even, one)
            if self.lanes == _COUNTERS:
                halves = [builder.select(is_upper, words[n + 1], words[n]) for n in (0, 2)]
                drawn = [[half] for half in halves]
            else:
                drawn = [words[:2], words[2:]]
            with builder.if_then(builder.icmp_signed(">=", even, integer(0))):
                self._drop_row(even, self.reaches(drawn[0]))
            with builder.if_then(builder.icmp_signed("<", odd, given["rows"])):
                self._drop_row(odd, self.reaches(drawn[1]))

    def _drop_row(self, row, is_kept):
        builder = self.builder
        offset = builder.mul(row, self.given["row"])
        source = self.vector_at("A", self.pointer("A", builder.add(self.given["at"], offset)))
        target = self.vector_at("A", self.pointer("A", builder.add(self.given["to"], offset)))
        scaled = builder.fmul(self.load(source), self.splat(self.given["gain"]))
        kept = builder.select(is_kept, scaled, ir.Constant(self.vector, None))
        self.store(kept, target)

    def draw_group(self):
        """Emit the loop over the units of a group of rows: 1 where a unit is kept, else 0."""
        builder, given = self.builder, self.given
        eight = integer(_COUNTERS)
        parts = []
        for part in range(self.lanes // _COUNTERS):
            rows = self.counting(builder.add(given["first_row"], integer(part * _COUNTERS)))
            is_odd = builder.icmp_unsigned("!=", builder.and_(rows, _constant(1)), _constant(0))
            parts.append((builder.lshr(rows, _constant(1)), is_odd))
        blocks = builder.udiv(builder.add(given["units"], integer(UNITS - 1)), integer(UNITS))
        with repeated(builder, builder.mul(blocks, eight)) as counter:
            lower, upper = [], []
            for pairs, is_odd in parts:
                words = self.words(self.each(counter), pairs)
                lower.append(builder.select(is_odd, words[2], words[0]))
                upper.append(builder.select(is_odd, words[3], words[1]))
            block = builder.udiv(counter, eight)
            unit = builder.add(counter, builder.mul(block, eight))
            self._store_mask(unit, lower)
            unit = builder.add(unit, eight)
            with builder.if_then(builder.icmp_signed("<", unit, given["units"])):
                self._store_mask(unit, upper)

    def _store_mask(self, unit, words):
        builder = self.builder
        index = builder.add(self.given["to"], builder.mul(unit, integer(self.lanes)))
        is_kept = builder.uitofp(self.reaches(words), self.vector)
        self.store(is_kept, self.vector_at("T", self.pointer("T", index)))


@intrinsic
def drop_panel(typingctx, A, at, to, row, rows, first_row, panel, stream, k0, k1, limit, gain):
    """Overwrite a panel of ``rows`` rows at ``to`` with gain x for units that are kept, else 0.

    x is the panel at ``at``; rows are ``row`` elements apart. ``first_row`` is the index of the
    first one in the epoch. There is at least one.
    """
    names = [
        "A", "at", "to", "row", "rows", "first_row", "panel", "stream", "k0", "k1", "limit", "gain",
    ]  # fmt: skip
    size, word = types.intp, types.uint64
    signature = types.void(A, size, size, size, size, size, size, size, word, word, word, A.dtype)

    def codegen(context, builder, signature, args):
        _Draws(context, builder, names, signature, args, A.dtype).drop_panel()
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def draw_group(typingctx, T, to, units, first_row, stream, k0, k1, limit):
    """Overwrite a vector of rows for each of ``units`` units with 1 where one is kept, else 0.

    ``units`` is at least 1, in whole vectors; ``first_row`` is the index in the epoch of the row in
    the first lane.
    """
    names = ["T", "to", "units", "first_row", "stream", "k0", "k1", "limit"]
    size, word = types.intp, types.uint64

    def codegen(context, builder, signature, args):
        _Draws(context, builder, names, signature, args, T.dtype).draw_group()
        return context.get_dummy_value()

    return types.void(T, size, size, size, size, word, word, word), codegen
