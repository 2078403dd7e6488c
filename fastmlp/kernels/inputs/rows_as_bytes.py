"""The first layer on rows of bytes, most of them zero, as in images.

Forward reads the rows of the data, the gradient a copy of the block that is stored by columns.
Lists of the same images read 1.5 times as many cache lines; a block of 32 takes 12 us instead of 3
to be stored by columns, and 72 us instead of 57 in total.

The shift of standardised inputs is described in rows_as_lists.py.
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
from ..machine.host import BYTE_PANELS, SPARSE_PANELS
from ..machine.jit import kernel
from ..machine.team import share
from ..machine.view import view
from .gather import prefetch_rows
from .rows_as_lists import shift_outputs

# Rows at a time for a word of columns: their sums, too, stay in the L1 cache. A block of 128 rows
# takes 102 us instead of 109.
_ROWS = 32


@kernel
def multiply_block(sparse, order, params, Z, c, first_row, p, panels, r0, r1, I, i, i_panel):
    """Z = X W + I for rows order[first_row + r0 : first_row + r1] and some panels; I is one row.

    A word of columns at a time: this part of four panels of W stays in the L1 cache for all rows.
    Starts with the last rows, so that I may be stored where the first row of Z is.
    """
    lanes = VECTOR_BYTES // Z.itemsize
    w, w_panel, z = c.w + p * c.n_in * lanes, c.n_in * lanes, c.out + p * c.out_panel
    for stop in range(r1, r0, -_ROWS):
        for k in range(0, c.n_in, WORD):
            start = min(k, c.n_in - WORD)
            multiply_rows_of_bytes(RowsOfBytes(
                sparse.X, order, first_row, max(stop - _ROWS, r0), stop,
                start, k - start, sparse.factor,
                params, w, lanes, w_panel,
                I if k == 0 else Z, i if k == 0 else z,
                0 if k == 0 else c.out_row, i_panel if k == 0 else c.out_panel,
                Z, z, c.out_row, c.out_panel, k > 0,
            ), panels)  # fmt: skip


@kernel
def panels_at_once(left):
    """Return for how many of the panels that are left rows of bytes are read next."""
    return BYTE_PANELS if left >= BYTE_PANELS else min(SPARSE_PANELS, left)


@kernel(cached=True)
def forward_of_bytes(sparse, order, params, Z, c, first_row, p0, p1, r0, r1):
    """Z = X W + b for rows order[first_row + r0 : first_row + r1] and some panels of units."""
    lanes = VECTOR_BYTES // Z.itemsize
    if r0 >= r1:
        return
    p = p0
    while p < p1:
        panels = panels_at_once(p1 - p)
        I, i, i_panel = params, c.b + p * lanes, lanes
        if sparse.shift.size > 0:
            I, i, i_panel = Z, c.out + p * c.out_panel + r0 * c.out_row, c.out_panel
            for q in range(0, panels, SPARSE_PANELS):
                shift_outputs(
                    sparse, order, params, Z, c, p + q, min(SPARSE_PANELS, panels - q),
                    i + q * c.out_panel,
                )  # fmt: skip
        multiply_block(sparse, order, params, Z, c, first_row, p, panels, r0, r1, I, i, i_panel)
        p += panels


@kernel(cached=True)
def bytes_by_columns(member, team, sparse, columns, order, first_row, rows):
    """Copy a block's bytes column by column, this member's columns; missing rows are 0."""
    width, height = sparse.X.shape[1], columns.capacity
    first, last = share(width, BYTES, member, team)
    if first == last:
        return
    for r in range(0, height, BYTES):
        if r < rows:
            transpose_bytes(
                sparse.X, order, first_row + r, rows - r, columns.bytes, r, height, first, last
            )
        else:
            for k in range(first, last):
                x = view(columns.bytes, k * height + r, BYTES)
                for j in range(BYTES):
                    x[j] = 0


@kernel(cached=True)
def gradient_of_bytes(sparse, columns, A, D, c, p0, p1, k0, k1, rows, source, keep, gain, target):
    """target = keep source + gain X^T dZ for inputs k0 to k1 and some panels of units.

    ``source`` and ``target`` have the layout of the parameters, or ``source`` is one vector. If
    they are the same array and there is neither decay nor shift, only columns with elements are
    updated.
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
    """Prefetch rows order[first : last]."""
    prefetch_rows(sparse.X, order, first, last)
