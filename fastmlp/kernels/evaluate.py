"""Outputs, losses and hits of many rows, without a backward pass.

Rows of a block are shared as in training, but nobody waits for anybody: each row is one member's
from its inputs to its loss.
"""

import numpy as np

from .buffers import LD_IN, LD_OUT, N_OUT, OUT
from .denormals import flush_denormals, restore_denormals
from .forward import forward, gather, output_loss
from .jit import kernel
from .team import share
from .tile import TILE_ROWS
from .view import view

_NO_KEY = np.zeros(2, np.uint64)  # networks that are evaluated have no dropout


@kernel(cached=True)
def evaluate_rows(
    member, team, sync, net, work, data, objective, block_rows, outputs, losses, hits
):
    """Overwrite this member's rows of outputs (n, C), losses (n,) and hits (n,), n = order's size.

    Empty ``outputs`` are not written; without labels or targets, no losses and hits.
    """
    mode = flush_denormals()
    real = net.params.dtype.type
    c = net.layers[-1]
    has_targets = data.labels.size > 0 or data.targets.shape[0] > 0
    # The same places of every block, also of a last one with fewer rows: without barriers, another
    # member can still be at work on its places of the block before.
    place, place_stop = share(min(block_rows, data.order.size), TILE_ROWS, member, team)
    for block in range(0, data.order.size, block_rows):
        rows = data.order.size - block
        first, last = min(place, rows), min(place_stop, rows)
        gather(data.X, data.order, block, first, last, work.A, 0, net.layers[0, LD_IN])
        forward(net, work, _NO_KEY, block, first, last)
        if outputs.shape[0] > 0:
            for r in range(first, last):
                a = view(work.A, c[OUT] + r * c[LD_OUT], c[N_OUT])
                for j in range(a.size):
                    outputs[block + r, j] = a[j]
        if has_targets:
            output_loss(net, work, data, objective, block, first, last, real(1))
            for r in range(first, last):
                losses[block + r] = work.row_loss[r]
                hits[block + r] = work.row_hit[r]
    restore_denormals(mode)
