"""Products with rows stored as lists of their non-zero elements, as vector IR.

A list has a column and a value for each element. The sums of up to four panels stay in registers
during the loop over a list, each one chain of operations, so that the number of panels changes no
bit. The loops over rows and columns are part of the IR: with rows called one by one from Numba, a
block of 32 images took 31 us instead of 26.
"""

from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils

from ..buffers import QUARTERS
from .emitter import integer, sum_of_lanes
from .list_emitter import for_panels


class RowsOfLists(NamedTuple):
    """Rows r of a block, first to last, and one part of the columns."""

    starts: Any
    columns: Any
    values: Any
    order: Any
    is_ordered: bool  # True: rows order[first_row + r] of the data; False: rows first_row + r
    first_row: int
    part: int
    first: int
    last: int
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


@for_panels
def multiply_rows_of_lists(emit):
    """C_r = I_r + sum_e values[e] W[columns[e]] over the part of row r.

    Starts with the last row, so that I may be stored where the first row of C is.
    """
    builder = emit.builder
    rows = builder.sub(emit["last"], emit["first"])
    with cgutils.for_range(builder, rows) as loop:
        r = builder.sub(builder.sub(emit["last"], loop.index), integer(1))
        row = builder.add(emit["first_row"], r)
        index = builder.select(emit["is_ordered"], row, integer(0))
        row = builder.select(emit["is_ordered"], emit.element("order", index), row)
        start = builder.add(builder.mul(row, integer(QUARTERS)), emit["part"])
        first = emit.element("starts", start)
        last = emit.element("starts", builder.add(start, integer(1)))
        initial = emit.loaded("I", emit["i"], r, emit["i_row"])
        term = emit.products("columns", "W", emit["w"], emit["w_row"])
        sums = emit.sums(first, last, term, initial)
        emit.store_all(sums, emit.vectors("C", emit["c"], r, emit["c_row"]))


class ColumnsOfLists(NamedTuple):
    """Columns k of a block: touched[first : last], or columns first to last."""

    capacity: int  # of a column
    next: Any
    rows: Any
    values: Any
    touched: Any
    is_listed: bool
    first: int
    last: int
    D: Any
    d: int
    d_row: int
    d_panel: int
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


@for_panels
def multiply_columns_of_lists(emit):
    """C_k = keep S_k + gain (H_k U + sum_e values[e] D[rows[e]] over column k)."""
    builder = emit.builder
    keep, gain = emit.splat(emit["keep"]), emit.splat(emit["gain"])
    zero = ir.Constant(emit.vector, None)
    U = emit.loaded("U", emit["u"])
    with cgutils.for_range(builder, builder.sub(emit["last"], emit["first"])) as loop:
        i = builder.add(emit["first"], loop.index)
        k = builder.select(emit["is_listed"], emit.element("touched", i), i)
        last = emit.element("next", k)
        first = builder.mul(k, emit["capacity"])
        index = builder.select(emit["has_shift"], k, integer(0))
        shift = emit.splat(emit.number("H", index))
        term = emit.products("rows", "D", emit["d"], emit["d_row"], True)
        initial = [builder.select(emit["has_shift"], builder.fmul(shift, u), zero) for u in U]
        sums = emit.sums(first, last, term, initial)
        sources = emit.vectors("S", emit["s"], k, emit["s_row"])
        targets = emit.vectors("C", emit["c"], k, emit["c_row"])
        for total, source, target in zip(sums, sources, targets, strict=True):
            kept = builder.fmul(keep, emit.load(source))
            emit.store(builder.call(emit.fma, [gain, total, kept]), target)


class SumOfRows(NamedTuple):
    """The sum of rows 0 to last of D."""

    D: Any
    d: int
    d_row: int
    d_panel: int
    last: int
    C: Any
    c: int
    is_first: bool  # True: overwrite C; False: add to C


@for_panels
def sum_rows(emit):
    """C = sum over r < last of D_r, or C += it.

    C is written once, because several members may write the same sums at the same time.
    """
    builder = emit.builder

    def term(r, sums):
        vectors = emit.loaded("D", emit["d"], r, emit["d_row"])
        return [builder.fadd(*pair) for pair in zip(vectors, sums, strict=True)]

    zero = ir.Constant(emit.vector, None)
    targets = list(emit.vectors("C", emit["c"]))
    initial = [builder.select(emit["is_first"], zero, emit.load(pointer)) for pointer in targets]
    sums = emit.sums(integer(0), emit["last"], term, initial)
    emit.store_all(sums, targets)


class List(NamedTuple):
    """One list, and the rows of W at its columns."""

    columns: Any
    values: Any
    first: int
    last: int
    W: Any  # starts at w; strides of rows and panels: w_row, w_panel
    w: int
    w_row: int
    w_panel: int
    I: Any  # the initial sum; or the gradient that multiplies the rows
    i: int
    i_panel: int
    C: Any  # the sum; or the product of each row with the gradient
    c: int
    gain: Any
    is_first: bool  # True: overwrite C; False: add to C


@for_panels
def multiply_list(emit):
    """C = I + sum_e values[e] W[columns[e]]."""
    initial = emit.loaded("I", emit["i"])
    term = emit.products("columns", "W", emit["w"], emit["w_row"])
    sums = emit.sums(emit["first"], emit["last"], term, initial)
    emit.store_all(sums, emit.vectors("C", emit["c"]))


@for_panels
def add_to_rows(emit):
    """W[columns[e]] += gain values[e] I for all elements of the list.

    From the last to the first: the rows that the forward pass read last are still in the L1 cache.
    """
    builder = emit.builder
    vectors = emit.loaded("I", emit["i"])
    numbers = builder.sub(emit["last"], emit["first"])
    with cgutils.for_range(builder, numbers) as loop:
        e = builder.sub(builder.sub(emit["last"], loop.index), integer(1))
        factor = emit.splat(builder.fmul(emit["gain"], emit.number("values", e)))
        rows = emit.vectors("W", emit["w"], emit.element("columns", e), emit["w_row"])
        for row, vector in zip(rows, vectors, strict=True):
            emit.store(builder.call(emit.fma, [factor, vector, emit.load(row)]), row)


@for_panels
def backward_and_add(emit):
    """C[columns[e]] = W[columns[e]] . I (+= after the first panels), then
    W[columns[e]] += gain values[e] I.
    """
    builder = emit.builder
    vectors = emit.loaded("I", emit["i"])
    numbers = builder.sub(emit["last"], emit["first"])
    element = emit.vector.element
    with cgutils.for_range(builder, numbers) as loop:
        e = builder.add(emit["first"], loop.index)
        k = emit.element("columns", e)
        factor = emit.splat(builder.fmul(emit["gain"], emit.number("values", e)))
        total = ir.Constant(emit.vector, None)
        for pointer, vector in zip(
            emit.vectors("W", emit["w"], k, emit["w_row"]), vectors, strict=True
        ):
            row = emit.load(pointer)
            total = builder.call(emit.fma, [row, vector, total])
            emit.store(builder.call(emit.fma, [factor, vector, row]), pointer)
        target = emit.pointer("C", builder.add(emit["c"], k))
        zero = ir.Constant(element, 0.0)
        start = builder.select(emit["is_first"], zero, builder.load(target))
        builder.store(builder.fadd(start, sum_of_lanes(builder, total)), target)
