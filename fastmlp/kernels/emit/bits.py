"""Products with rows of bytes, most of them zero, as vector IR.

No lists are made. One comparison of 64 bytes gives a word with a bit for each byte that is not
zero. A loop over the bits, from the lowest, adds one row of the other factor for each of them to
sums that stay in registers, as in a product with a list. Meanwhile the next 64 bytes are compared
and converted, so that the next loop does not wait for them.
"""

from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils

from ..machine.host import BYTE_PANELS, is_x86
from ..machine.view import unpack
from .emitter import integer
from .list_emitter import ListEmitter, for_panels

WORD = 64  # bytes compared at a time, a bit each
HALF_WORD = WORD // 2
_MASK = ir.IntType(WORD)


class RowsOfBytes(NamedTuple):
    """Rows r of a block, first to last, and a word of columns.

    A last word ends with the row and so may overlap the word before it.
    """

    X: Any
    order: Any
    first_row: int
    first: int
    last: int
    start: int
    overlap: int  # columns
    F: Any  # a factor for each column
    W: Any  # starts at w; strides of rows and panels: w_row, w_panel
    w: int
    w_row: int
    w_panel: int
    I: Any  # the initial sums
    i: int
    i_row: int
    i_panel: int
    C: Any
    c: int
    c_row: int
    c_panel: int
    is_in_place: bool  # whether I is C


class ColumnsOfBytes(NamedTuple):
    """Columns k of a block, first to last."""

    X: Any  # column by column, and a word after the last
    height: int  # bytes of a column: half a word, or whole words
    first: int
    last: int
    F: Any  # a factor for each column
    D: Any
    d: int
    d_row: int
    d_panel: int
    is_added: bool  # whether S is C, keep is 1 and there is no shift
    H: Any  # the shift of each column
    has_shift: bool
    U: Any  # sums of D over the rows, panel by panel
    u: int
    S: Any
    s: int
    s_row: int
    s_panel: int
    keep: Any
    gain: Any
    C: Any
    c: int
    c_row: int
    c_panel: int


class _WordEmitter(ListEmitter):
    """Emits sums over bytes: a word is used while the next is compared."""

    def __init__(self, context, builder, kind, given, panels, size=WORD):
        super().__init__(context, builder, kind, given, panels)
        self.size = size  # of a word: WORD, or half of it
        self.numbers = cgutils.alloca_once(builder, ir.ArrayType(self.vector.element, WORD), 2)
        self.numbers.align = WORD
        self.turn = self.variable(integer(0))
        self.next_bits = self.variable(_MASK(0))
        count = ir.FunctionType(_MASK, [_MASK, ir.IntType(1)])
        self.lowest = cgutils.get_or_insert_function(builder.module, count, f"llvm.cttz.i{WORD}")

    def variable(self, value):
        return cgutils.alloca_once_value(self.builder, value)

    def compare(self, pointer, valid=None, factors=None):
        """Find which of the bytes at ``pointer`` are not zero, and convert them to floats.

        ``valid`` masks the bits that count, ``factors`` points to the factors of the columns.
        """
        builder = self.builder
        turn = builder.xor(builder.load(self.turn), integer(1))
        builder.store(turn, self.turn)
        bits = _MASK(0)
        for first in range(0, self.size, HALF_WORD):
            found = self._bits(builder.gep(pointer, [integer(first)]))
            bits = builder.or_(bits, builder.shl(found, _MASK(first)))
        builder.store(bits if valid is None else builder.and_(bits, valid), self.next_bits)
        for j in range(0, self.size, self.lanes):
            found = self._bytes(builder.gep(pointer, [integer(j)]), self.lanes)
            found = builder.uitofp(found, self.vector)
            if factors is not None:
                factor = builder.gep(factors, [integer(j)])
                found = builder.fmul(found, self.load(self.as_vector(factor)))
            target = builder.gep(self.numbers, [turn, integer(j)])
            self.store(found, self.as_vector(target))

    def pin_bits(self):
        """Keep LLVM from moving the comparison after the loop over the bits of the word before.

        There, the loop would wait for the comparison. An empty inline assembly prevents the move.
        It makes a gradient 4 % faster, and a forward pass slower. It is emitted on x86 only, where
        it was measured; on other CPUs inline assembly may end the process (see phases.py).
        """
        if not is_x86(self.builder.module):
            return
        kind = ir.FunctionType(_MASK, [_MASK])
        bits = self.builder.load(self.next_bits)
        self.builder.store(self.builder.asm(kind, "", "=r,0", [bits], True), self.next_bits)

    def _bits(self, pointer):
        self.check("X", pointer, HALF_WORD)
        found = self._bytes(pointer, HALF_WORD)
        found = self.builder.icmp_unsigned("!=", found, ir.Constant(found.type, None))
        return self.builder.zext(self.builder.bitcast(found, ir.IntType(HALF_WORD)), _MASK)

    def _bytes(self, pointer, count):
        kind = ir.VectorType(ir.IntType(8), count)
        found = self.builder.load(self.builder.bitcast(pointer, kind.as_pointer()))
        found.align = 1
        return found

    def take(self):
        """Return the bits and the floats of the word that was compared last."""
        turn = self.builder.load(self.turn)
        return self.builder.load(self.next_bits), self.builder.gep(self.numbers, [turn, integer(0)])

    def products_of_bits(self, bits, numbers, name, start, stride, initial):
        """Return initial + sum over bits j of numbers[j] name[start + j stride + panel]."""
        builder = self.builder

        def term(left, sums):
            j = builder.call(self.lowest, [left, ir.Constant(ir.IntType(1), 1)])
            number = self.splat(builder.load(builder.gep(numbers, [j])))
            terms = zip(map(self.load, self.vectors(name, start, j, stride)), sums, strict=True)
            return [builder.call(self.fma, [number, *term]) for term in terms]

        return self.accumulate(
            bits,
            lambda left: builder.icmp_unsigned("!=", left, _MASK(0)),
            lambda left: builder.and_(left, builder.sub(left, _MASK(1))),
            term,
            initial,
        )


def _multiply_rows(emit):
    """C_r = I_r + sum_k F_k X_rk W_k over the columns of row r.

    Starts with the last row, so that I may be stored where the first row of C is.
    """
    builder = emit.builder
    _, shape = unpack(emit.context, builder, emit.kinds["X"], emit.given["X"])
    width, one = builder.extract_value(shape, 1), integer(1)
    valid = builder.shl(_MASK(-1), emit["overlap"])
    factors = builder.gep(emit["F"], [emit["start"]])
    w = builder.add(emit["w"], builder.mul(emit["start"], emit["w_row"]))

    def compare(r):
        row = emit.element("order", builder.add(emit["first_row"], r))
        index = builder.add(builder.mul(row, width), emit["start"])
        emit.check("F", factors, WORD * emit.itemsize)
        emit.compare(builder.gep(emit["X"], [index]), valid, factors)

    top = builder.sub(emit["last"], one)
    compare(top)
    with cgutils.for_range(builder, builder.sub(emit["last"], emit["first"])) as loop:
        r = builder.sub(top, loop.index)
        bits, numbers = emit.take()
        is_first = builder.icmp_signed("==", r, emit["first"])
        compare(builder.select(is_first, r, builder.sub(r, one)))
        is_empty = builder.icmp_unsigned("==", bits, _MASK(0))
        is_done = builder.and_(is_empty, emit["is_in_place"])
        with builder.if_then(builder.not_(is_done)):
            initial = emit.loaded("I", emit["i"], r, emit["i_row"])
            sums = emit.products_of_bits(bits, numbers, "W", w, emit["w_row"], initial)
            emit.store_all(sums, emit.vectors("C", emit["c"], r, emit["c_row"]))


def _multiply_columns(emit):
    """C_k = keep S_k + gain (H_k U + F_k sum_r X_kr D_r) for columns k.

    Where this only adds to C, columns of zeros store nothing.
    """
    builder, size = emit.builder, emit.size
    zero = ir.Constant(emit.vector, None)
    first = builder.gep(emit["X"], [builder.mul(emit["first"], emit["height"])])
    X = emit.variable(first)
    emit.compare(first)

    def sums_of_word(number, initial):
        bits, numbers = emit.take()
        following = builder.gep(builder.load(X), [integer(size)])
        builder.store(following, X)
        emit.compare(following)
        emit.pin_bits()
        row = builder.mul(emit["d_row"], builder.mul(number, integer(size)))
        d = builder.add(emit["d"], row)
        return bits, emit.products_of_bits(bits, numbers, "D", d, emit["d_row"], initial)

    def store(k, sums):
        factor = emit.splat(emit.number("F", k))
        targets = list(emit.vectors("C", emit["c"], k, emit["c_row"]))
        with builder.if_else(emit["is_added"]) as (added, general):
            with added:
                gain = builder.fmul(emit.splat(emit["gain"]), factor)
                for total, target in zip(sums, targets, strict=True):
                    emit.store(builder.call(emit.fma, [gain, total, emit.load(target)]), target)
            with general:
                keep, gain = emit.splat(emit["keep"]), emit.splat(emit["gain"])
                index = builder.select(emit["has_shift"], k, integer(0))
                shift = emit.splat(emit.number("H", index))
                U = emit.vectors("U", emit["u"])
                sources = emit.vectors("S", emit["s"], k, emit["s_row"])
                for total, u, source, target in zip(sums, U, sources, targets, strict=True):
                    shifted = builder.fmul(shift, emit.load(u))
                    shifted = builder.select(emit["has_shift"], shifted, zero)
                    gradient = builder.call(emit.fma, [factor, total, shifted])
                    kept = builder.fmul(keep, emit.load(source))
                    emit.store(builder.call(emit.fma, [gain, gradient, kept]), target)

    n_columns = builder.sub(emit["last"], emit["first"])
    with cgutils.for_range(builder, n_columns) as columns:
        k = builder.add(emit["first"], columns.index)
        if size < WORD:
            bits, sums = sums_of_word(integer(0), [zero] * emit.panels)
        else:
            totals = [emit.variable(zero) for _ in range(emit.panels)]
            found = emit.variable(_MASK(0))
            words = builder.udiv(emit["height"], integer(WORD))
            with cgutils.for_range(builder, words) as loop:
                bits, sums = sums_of_word(loop.index, list(map(builder.load, totals)))
                builder.store(builder.or_(builder.load(found), bits), found)
                for total, pointer in zip(sums, totals, strict=True):
                    builder.store(total, pointer)
            bits, sums = builder.load(found), list(map(builder.load, totals))
        is_empty = builder.icmp_unsigned("==", bits, _MASK(0))
        is_done = builder.and_(is_empty, emit["is_added"])
        with builder.if_then(builder.not_(is_done)):
            store(k, sums)


multiply_rows_of_bytes = for_panels(_multiply_rows, _WordEmitter, BYTE_PANELS)
multiply_low_columns_of_bytes = for_panels(_multiply_columns, partial(_WordEmitter, size=HALF_WORD))
multiply_columns_of_bytes = for_panels(_multiply_columns, _WordEmitter)
