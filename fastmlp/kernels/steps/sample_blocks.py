"""The first layer of the per-sample step, for a block of samples at once.

What a sample's update does to the first layer, a later sample meets as one number. With W the
weights before a block, and gains g_s (minus the learning rates),

    W_t = W + sum_{s<t} g_s x_s dz_s^T,   so   W_t^T x_t = W^T x_t + sum_{s<t} (x_s . x_t) g_s dz_s

exactly. So the products of a block's rows with W are made at once, like those of a mini-batch, and
so are their updates: W is read and written once for all of them. In between, a sample costs the
products of its row with those before it, of whole numbers, sixteen at a time.

A team of two shares the first layer's units. The first member takes the samples of a block one by
one; meanwhile the second makes ready what comes after them, so that the two meet twice in a block
and not once in a sample.
"""

from typing import Any, NamedTuple

from ..buffers import relocated
from ..emit.lists import List, multiply_list
from ..emit.row_products import multiply_bytes
from ..emit.tile import VECTOR_BYTES
from ..inputs.rows_as_bytes import multiply_block
from ..machine.calls import call
from ..machine.host import SPARSE_PANELS
from ..machine.jit import kernel
from .sample_operations import half_of

# Samples of a block. Of more, W is touched less often, but there are more products of rows.
AHEAD = 32


class Ahead(NamedTuple):
    """What a block of rows of bytes needs. Scratch, but for ``places``."""

    gram: Any  # float (2 * AHEAD * AHEAD,): x_s . x_t at [t, s], by turns of two blocks
    places: Any  # int32, as many: 0, 1, 2 ... AHEAD - 1, again and again
    Z: Any  # float (AHEAD * padded units of the first layer,): the products of its rows with W
    D: Any  # float, as many: the gradients dz of its samples, times their gains
    scale: Any  # float64 (1,): by how much the weights are less than they are kept as (L2)
    products: int  # addresses; 0 where rows are lists
    gram_of_block: int


@kernel
def gram_place(t):
    """Return where the products of sample t of the epoch with its block's are kept."""
    return t % (2 * AHEAD) * AHEAD


@kernel(cached=True)
def forward_ahead(sparse, order, params, zeros, Z, c, begin, end, p0, p1):
    """Z = X W for a block of rows, and some panels of units."""
    c = relocated(c, c.w, 0)
    for p in range(p0, p1, SPARSE_PANELS):
        panels = min(SPARSE_PANELS, p1 - p)
        multiply_block(sparse, order, params, Z, c, begin, p, panels, 0, end - begin, zeros, 0, 0)


@kernel(cached=True)
def gram_of_block(sparse, order, gram, begin, end):
    """Note the products x_s . x_t of the rows s < t of a block."""
    square = sparse.factor[0] * sparse.factor[0]
    for t in range(begin + 1, end):
        multiply_bytes(sparse.X, order, begin, t - begin, gram, gram_place(t), square)


@kernel
def end_of_block(begin, last):
    """Return where the block ends that starts with sample ``begin`` of the epoch."""
    return min(begin - begin % AHEAD + AHEAD, last)


@kernel
def multiply_ahead(member, team, samples, sparse, zeros, order, params, c, begin, end):
    """The rows of Z = X W for a block of samples, and this member's units."""
    lanes, ahead = VECTOR_BYTES // params.itemsize, samples.ahead
    call(sparse.prefetch, (sparse, order, end, end + AHEAD))
    halves = 2 if samples.half > 0 else 1
    for half in range(member, halves, team):
        u0, u1 = half_of(samples, c, half, halves)
        call(ahead.products, (
            sparse, order, params, zeros, ahead.Z, c, begin, end, u0 // lanes, u1 // lanes,
        ))  # fmt: skip


@kernel
def note_gram(sparse, ahead, order, begin, last):
    """The products with one another of the rows of the block that begins there."""
    call(ahead.gram_of_block, (sparse, order, ahead.gram, begin, end_of_block(begin, last)))


@kernel
def make_ready(sparse, ahead, columns, order, begin, end, last):
    """A block's columns, and the products of the next one's rows."""
    call(sparse.to_columns, (0, 1, sparse, columns, order, begin, end - begin))
    note_gram(sparse, ahead, order, end, last)


@kernel
def products_with_changes(ahead, c, begin, t, Z, o):
    """Z = Z_t + sum_{s < t} (x_s . x_t) D_s, from o on: with what samples before t have changed."""
    lanes, g = VECTOR_BYTES // Z.itemsize, gram_place(t)
    for p in range(0, c.ld_out // lanes, SPARSE_PANELS):
        z = (t - begin) * c.ld_out + p * lanes
        multiply_list(List(
            ahead.places, ahead.gram, g, g + t - begin, ahead.D, p * lanes, c.ld_out, lanes,
            ahead.Z, z, lanes, Z, o + p * lanes, Z.dtype.type(0), True,
        ), min(SPARSE_PANELS, c.ld_out // lanes - p))  # fmt: skip


@kernel
def update_ahead(member, team, samples, sparse, columns, params, c, rows):
    """W += X^T D for the rows of a block, and this member's units."""
    lanes, one = VECTOR_BYTES // params.itemsize, params.dtype.type(1)
    c = relocated(c, c.w, 0)
    halves = 2 if samples.half > 0 else 1
    for half in range(member, halves, team):
        u0, u1 = half_of(samples, c, half, halves)
        call(sparse.gradient, (
            sparse, columns, samples.ahead.D, c, u0 // lanes, u1 // lanes, 0, c.n_in, rows,
            params, one, one, params,
        ))  # fmt: skip
