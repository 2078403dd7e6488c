"""The first layer on rows of bytes, most of them zero, as images are kept.

Forward goes through the rows as they lie in the data, the gradient through a copy of the block that
lies column by column. Lists, of the same images, take half as many lines more from memory, 12 us
in place of 3 to be listed by columns in a block of 32, and 72 us in place of 57 in all.

What is shared with lists, and the shift of standardised inputs, is in rows_as_lists.py.
"""

from ..emit.bits import (
    HALF_WORD,
    WORD,
    ColumnsOfBytes,
    RowsOfBytes,
    multiply_columns_of_bytes,
    multiply_low_columns_of_bytes,
    multiply_rows_of_bytes,
)
from ..emit.emitter import VECTOR_BYTES
from ..emit.lists import SumOfRows, sum_rows
from ..emit.transpose import BYTES, transpose_bytes
from ..machine.host import SPARSE_PANELS
from ..machine.jit import kernel
from ..machine.team import share
from ..machine.view import view
from .gather import prefetch_rows
from .rows_as_lists import shift_outputs

# So many rows at a time meet a word of columns: their sums, too, stay in the first-level cache.
# Sums of 128 rows take 102 us in place of 109.
_ROWS = 32


@kernel
def multiply_block(sparse, order, params, Z, c, block, p, panels, r0, r1, I, i, i_panel):
    """Z = X W + I, the same for all rows, for rows order[block + r0 : block + r1] and some panels.

    A word of columns at a time: so much of four panels of W stays in the first-level cache while
    the rows meet it. The last rows first, so that I may lie in the place of the first.
    """
    lanes = VECTOR_BYTES // Z.itemsize
    w, w_panel, z = c.w + p * c.n_in * lanes, c.n_in * lanes, c.out + p * c.out_panel
    for stop in range(r1, r0, -_ROWS):
        for k in range(0, c.n_in, WORD):
            start = min(k, c.n_in - WORD)
            multiply_rows_of_bytes(RowsOfBytes(
                sparse.X, order, block, max(stop - _ROWS, r0), stop,
                start, k - start, sparse.factor,
                params, w, lanes, w_panel,
                I if k == 0 else Z, i if k == 0 else z,
                0 if k == 0 else c.out_row, i_panel if k == 0 else c.out_panel,
                Z, z, c.out_row, c.out_panel, k > 0,
            ), panels)  # fmt: skip


@kernel(cached=True)
def forward_of_bytes(sparse, order, params, Z, c, block, p0, p1, r0, r1):
    """Z = X W + b for rows order[block + r0 : block + r1] and some panels of units."""
    lanes = VECTOR_BYTES // Z.itemsize
    if r0 >= r1:
        return
    for p in range(p0, p1, SPARSE_PANELS):
        panels = min(SPARSE_PANELS, p1 - p)
        I, i, i_panel = params, c.b + p * lanes, lanes
        if sparse.shift.size > 0:
            I, i, i_panel = Z, c.out + p * c.out_panel + r0 * c.out_row, c.out_panel
            shift_outputs(sparse, order, params, Z, c, p, panels, i)
        multiply_block(sparse, order, params, Z, c, block, p, panels, r0, r1, I, i, i_panel)


@kernel(cached=True)
def bytes_by_columns(member, team, sparse, columns, order, block, rows):
    """Copy a block's bytes column by column: this member's columns. Rows there are none of: 0."""
    width, height = sparse.X.shape[1], columns.capacity
    first, last = share(width, BYTES, member, team)
    if first == last:
        return
    for r in range(0, height, BYTES):
        if r < rows:
            transpose_bytes(
                sparse.X, order, block + r, rows - r, columns.bytes, r, height, first, last
            )
        else:
            for k in range(first, last):
                x = view(columns.bytes, k * height + r, BYTES)
                for j in range(BYTES):
                    x[j] = 0


@kernel(cached=True)
def gradient_of_bytes(sparse, columns, D, c, p0, p1, k0, k1, rows, source, keep, gain, target):
    """target = keep source + gain X^T dZ for inputs k0 to k1 and some panels of units.

    ``source`` and ``target`` are laid out like the parameters, or ``source`` is one vector. Where
    they are one array, and neither decay nor shift touches them all, only columns with numbers are.
    """
    lanes = VECTOR_BYTES // D.itemsize
    from_vector = source.size == lanes
    has_shift = sparse.shift.size > 0
    is_added = not (has_shift or keep != 1 or from_vector)
    for p in range(p0, p1, SPARSE_PANELS):
        panels = min(SPARSE_PANELS, p1 - p)
        w, w_panel, d = c.w + p * c.n_in * lanes, c.n_in * lanes, c.out + p * c.out_panel
        if has_shift:
            sums = SumOfRows(D, d, c.out_row, c.out_panel, rows, columns.sums, p * lanes, True)
            sum_rows(sums, panels)
        given = ColumnsOfBytes(
            columns.bytes, columns.capacity, k0, k1, sparse.factor,
            D, d, c.out_row, c.out_panel, is_added,
            sparse.shift if has_shift else D, has_shift, columns.sums, p * lanes,
            source, 0 if from_vector else w, 0 if from_vector else lanes,
            0 if from_vector else w_panel, keep, gain,
            target, w, lanes, w_panel,
        )  # fmt: skip
        if columns.capacity == HALF_WORD:
            multiply_low_columns_of_bytes(given, panels)
        else:
            multiply_columns_of_bytes(given, panels)


@kernel(cached=True)
def prefetch_bytes(sparse, order, first, last):
    """Ask for rows order[first : last], so that they are in the cache when used."""
    prefetch_rows(sparse.X, order, first, last)
