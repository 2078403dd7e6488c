"""The scratch of the per-sample step."""

from __future__ import annotations

import numpy as np

from ..kernels import buffers
from ..kernels.sample_step import Samples
from .memory import CACHE_LINE, aligned_zeros
from .network import Network

# At most so many threads share a sample: one for each half of the first layer's units.
MEMBERS = 2


def can_be_halved(units: int, activation: str, dtype: np.dtype) -> bool:
    """Whether two can share a layer: softmax needs the row whole, and a panel is not cut."""
    return not activation.startswith("softmax") and units > CACHE_LINE // dtype.itemsize


def new_samples(network: Network, work: buffers.Work) -> Samples:
    """Return scratch beside that of a workspace with activations in rows."""
    first, second = network.activations[0], min(1, network.depth - 1)
    lanes = CACHE_LINE // network.dtype.itemsize
    panels = int(network.table[0, buffers.LD_OUT]) // lanes
    # Without a second layer there is nothing to add up.
    is_halved = network.depth > 1 and can_be_halved(
        network.layer_sizes[1], first.name, network.dtype
    )
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
    )
