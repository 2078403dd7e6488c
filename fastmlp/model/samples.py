"""Buffers of the per-sample step."""

from __future__ import annotations

import numpy as np

from ..kernels import buffers
from ..kernels.buffers import SparseRows
from ..kernels.call_types import call_block_forward, call_row_products
from ..kernels.machine.calls import address
from ..kernels.steps import sample_blocks
from ..kernels.steps.sample_blocks import SAMPLE_BLOCK, SampleBlock
from ..kernels.steps.sample_step import Samples
from ..ops.activations import Activation
from .memory import CACHE_LINE, aligned_zeros
from .network import Network

# Threads that can share a sample: one for each half of the first layer's units.
MEMBERS = 2


def can_be_halved(units: int, activation: Activation, dtype: np.dtype) -> bool:
    """Whether two threads can share a layer: not if its activation needs whole rows, or it has only
    one panel.
    """
    return not activation.is_row_wise and units > CACHE_LINE // dtype.itemsize


def new_samples(network: Network, work: buffers.Work, sparse: SparseRows | None) -> Samples:
    """Return the buffers that a workspace for the per-sample step has in addition.

    Rows of bytes go through the first layer a block at a time. They must have no shift and one
    factor for all features, and the network more than one layer.
    """
    first, second = network.activations[0], min(1, network.depth - 1)
    lanes = CACHE_LINE // network.dtype.itemsize
    panels = int(network.table[0, buffers.LD_OUT]) // lanes
    # Without a second layer there are no sums of halves.
    is_halved = network.depth > 1 and can_be_halved(network.layer_sizes[1], first, network.dtype)
    return Samples(
        half=panels // 2 * lanes if is_halved else 0,
        is_flat=np.array([activation.is_flat_at_zero for activation in network.activations], int),
        columns=aligned_zeros(work.A.size, np.int32),
        values=aligned_zeros(work.A.size, work.A.dtype),
        counts=aligned_zeros((MEMBERS, -(-network.depth // 4) * 8), np.int64),
        sums=aligned_zeros(4 * int(network.table[second, buffers.LD_OUT]), work.A.dtype),
        tail=aligned_zeros(network.params.size, work.A.dtype),
        u=aligned_zeros(int(network.table[0, buffers.LD_OUT]), work.A.dtype),
        q=aligned_zeros(int(network.table[0, buffers.LD_OUT]), work.A.dtype),
        square=np.array([0 if sparse is None else np.square(sparse.shift).sum()], work.A.dtype),
        block=_new_block(network, sparse is not None and sparse.X.shape[1] > 0),
    )


def _new_block(network: Network, are_bytes: bool) -> SampleBlock:
    dtype, units = network.dtype, int(network.table[0, buffers.LD_OUT]) if are_bytes else 0
    forward, multiply_rows = block_addresses(dtype) if are_bytes else (0, 0)
    return SampleBlock(
        row_products=aligned_zeros(2 * SAMPLE_BLOCK * SAMPLE_BLOCK, dtype),
        indices=np.tile(np.arange(SAMPLE_BLOCK, dtype=np.int32), 2 * SAMPLE_BLOCK),
        Z=aligned_zeros(SAMPLE_BLOCK * units, dtype),
        D=aligned_zeros(SAMPLE_BLOCK * units, dtype),
        scale=np.ones(1),
        forward=forward,
        multiply_rows=multiply_rows,
    )


def block_addresses(dtype: np.dtype) -> tuple[int, int]:
    """Return the addresses of the kernels for the first layer on a block of samples."""
    return (
        address(call_block_forward, sample_blocks.forward_block, dtype),
        address(call_row_products, sample_blocks.multiply_rows_of_block, dtype),
    )
