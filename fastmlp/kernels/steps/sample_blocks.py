"""The first layer of the per-sample step, for a block of samples at once.

One sample's update reaches a later sample only through the dot product of their inputs. With W the
weights before a block, and gains g_s (minus the learning rates),

    W_t = W + sum_{s<t} g_s x_s dz_s^T,   so   W_t^T x_t = W^T x_t + sum_{s<t} (x_s . x_t) g_s dz_s

exactly. So the products of a block's rows with W are computed at once, as in a mini-batch, and so
are their updates: W is read and written once for the whole block. In between, a sample costs the
products of its row with the rows before it: products of integers, sixteen at a time.

A team of two shares the first layer's units. The first member takes the samples of a block one by
one; meanwhile the second prepares the next block. So they wait for each other twice in a block, and
not once in a sample.
"""

from typing import NamedTuple

from ..buffers import relocated
from ..call_types import (
    call_block_forward,
    call_prefetch,
    call_row_products,
    call_to_columns,
    call_weight_gradient,
)
from ..emit.emitter import VECTOR_BYTES
from ..emit.lists import List, multiply_list
from ..emit.row_products import multiply_bytes
from ..inputs.rows_as_bytes import multiply_block
from ..machine.host import SPARSE_PANELS
from ..machine.jit import kernel
from ..machine.records import Floats, Int32s, Reals
from ..machine.stored import stored
from .sample_operations import half_of

# Samples of a block. With more, W is read less often, but there are more products of rows.
SAMPLE_BLOCK = 32


@stored
class SampleBlock(NamedTuple):
    """Buffers for a block of rows of bytes. Scratch, except for ``indices``."""

    row_products: Reals  # (2 * SAMPLE_BLOCK**2,): x_s . x_t at [t, s], for two blocks in turn
    indices: Int32s  # as many: 0, 1, 2 ... SAMPLE_BLOCK - 1, repeated
    Z: Reals  # (SAMPLE_BLOCK * padded units of the first layer,): products of its rows with W
    D: Reals  # as many: the gradients dz of its samples, times their gains
    scale: Floats  # (1,): the factor s of L2, see deferred.py
    forward: int  # addresses; 0 where rows are lists
    multiply_rows: int


@kernel
def row_products_index(t):
    """Return the index in ``row_products`` of sample t of the epoch."""
    return t % (2 * SAMPLE_BLOCK) * SAMPLE_BLOCK


@kernel(cached=True)
def forward_block(sparse, order, params, zeros, Z, c, begin, end, p0, p1):
    """Z = X W for the rows of a block and some panels of units."""
    c = relocated(c, (c.w, 0))
    for p in range(p0, p1, SPARSE_PANELS):
        panels = min(SPARSE_PANELS, p1 - p)
        multiply_block(sparse, order, params, Z, c, begin, p, panels, 0, end - begin, zeros, 0, 0)


@kernel(cached=True)
def multiply_rows_of_block(sparse, order, products, begin, end):
    """Overwrite the products x_s . x_t of the rows s < t of a block."""
    square = sparse.factor[0] * sparse.factor[0]
    for t in range(begin + 1, end):
        multiply_bytes(sparse.X, order, begin, t - begin, products, row_products_index(t), square)


@kernel
def end_of_block(begin, last):
    """Return the end of the block that begins with sample ``begin`` of the epoch."""
    return min(begin - begin % SAMPLE_BLOCK + SAMPLE_BLOCK, last)


@kernel
def forward_members_units(member, team, samples, sparse, zeros, order, params, c, begin, end):
    """Z = X W for the rows of a block and this member's units."""
    lanes, block = VECTOR_BYTES // params.itemsize, samples.block
    call_prefetch(sparse.prefetch, (sparse, order, end, end + SAMPLE_BLOCK))
    halves = 2 if samples.half > 0 else 1
    for half in range(member, halves, team):
        u0, u1 = half_of(samples, c, half, halves)
        call_block_forward(block.forward, (
            sparse, order, params, zeros, block.Z, c, begin, end, u0 // lanes, u1 // lanes,
        ))  # fmt: skip


@kernel
def prepare_products(sparse, block, order, begin, last):
    """Compute the products of the rows of the block that begins with sample ``begin``."""
    end = end_of_block(begin, last)
    call_row_products(block.multiply_rows, (sparse, order, block.row_products, begin, end))


@kernel
def prepare_next_block(sparse, block, columns, order, begin, end, last):
    """Transpose a block for its update, and compute the products of the next block's rows."""
    call_to_columns(sparse.to_columns, (0, 1, sparse, columns, order, begin, end - begin))
    prepare_products(sparse, block, order, end, last)


@kernel
def forward_sample(block, c, begin, t, Z, o):
    """Z = Z_t + sum_{s < t} (x_s . x_t) D_s, from o on: with the updates of earlier samples."""
    lanes, first = VECTOR_BYTES // Z.itemsize, row_products_index(t)
    for p in range(0, c.ld_out // lanes, SPARSE_PANELS):
        z = (t - begin) * c.ld_out + p * lanes
        multiply_list(List(
            block.indices, block.row_products, first, first + t - begin,
            block.D, p * lanes, c.ld_out, lanes,
            block.Z, z, lanes, Z, o + p * lanes, Z.dtype.type(0), True,
        ), min(SPARSE_PANELS, c.ld_out // lanes - p))  # fmt: skip


@kernel
def update_block(member, team, samples, sparse, columns, params, c, rows):
    """W += X^T D for the rows of a block and this member's units."""
    lanes, one = VECTOR_BYTES // params.itemsize, params.dtype.type(1)
    c = relocated(c, (c.w, 0))
    halves = 2 if samples.half > 0 else 1
    for half in range(member, halves, team):
        u0, u1 = half_of(samples, c, half, halves)
        call_weight_gradient(sparse.gradient, (
            sparse, columns, params, samples.block.D, c, u0 // lanes, u1 // lanes, 0, c.n_in, rows,
            params, one, one, params,
        ))  # fmt: skip
