"""Outputs, losses and hits of many rows, without a backward pass.

Members share the rows of a block, without barriers: each row belongs to one member from its inputs
to its loss.
"""

import numpy as np

from ..buffers import QUARTERS, Data, ListScratch, Net, Objective, Work, layer_at
from ..call_types import call_compress, call_forward, call_loss
from ..emit.emitter import VECTOR_BYTES
from ..layers.layout import stores_images
from ..machine.denormals import flush_denormals, restore_denormals
from ..machine.jit import kernel
from ..machine.records import Floats, Ints, RealRows, replacing
from ..machine.team import share
from ..machine.view import view
from .forward import gather_inputs

_GRAIN = 6  # rows: the height of a tile, on most machines
_NO_KEY = np.zeros(2, np.uint64)  # evaluation has no dropout
_with_lists = replacing("starts", "columns", "values")


@kernel(inline=True)
def list_block(data, scratch, n_features, first_row, first, last):
    """Return lists of rows order[first_row + first : first_row + last], followed by the shift."""
    n, own = last - first, data.sparse
    # No other member writes there: ``first`` is the same for all blocks, and every member before
    # this one has at least a grain of rows, and so memory for its shift.
    row = first + first // _GRAIN
    start, s = row * n_features, row * (QUARTERS + 1)
    starts = view(scratch.starts, s, (n + 1) * QUARTERS + 1)
    columns = view(scratch.columns, start, (n + 1) * n_features)
    values = view(scratch.values, start, columns.size)
    starts[0] = 0
    call_compress(
        data.compress,
        (
            data.X, data.order, first_row + first, first_row + last, data.factor, own.cuts,
            starts, 0, columns, values,
        ),
    )  # fmt: skip
    size = starts[n * QUARTERS]
    zero = values.dtype.type(0)
    total = zero
    for e in range(size):
        total += values[e] * zero  # NaN if the value is not finite
    if total != zero:
        scratch.is_infinite[0] = 1
    for e in range(own.values.size):
        columns[size + e], values[size + e] = own.columns[e], own.values[e]
    for part in range(QUARTERS):
        starts[n * QUARTERS + part + 1] = size + own.starts[part + 1]
    return _with_lists(own, (starts, columns, values))


@kernel(worker=(Net, Work, ListScratch, Data, Objective, int, RealRows, Floats, Ints))
def evaluate_rows(
    member, team, sync, net, work, scratch, data, objective, block_rows, outputs, losses, hits
):
    """Overwrite this member's rows of outputs (n, C), losses (n,) and hits (n,), n = order.size.

    Empty ``outputs`` are not written; without labels or targets, losses and hits are not.
    ``scratch`` holds lists of the rows, if lists are made.
    """
    mode = flush_denormals()
    real = net.params.dtype.type
    lanes = VECTOR_BYTES // work.A.itemsize
    c = layer_at(net.layers, net.layers.shape[0] - 1)
    has_targets = data.labels.size > 0 or data.targets.shape[0] > 0
    # The same rows of every block, also of a shorter last one: without barriers, another member can
    # still be working on its rows of the block before.
    grain = lanes if stores_images(net) else _GRAIN
    own_first, own_last = share(min(block_rows, data.order.size), grain, member, team)
    for first_row in range(0, data.order.size, block_rows):
        rows = data.order.size - first_row
        first, last = min(own_first, rows), min(own_last, rows)
        if first == last:
            continue
        sparse, order, start = data.sparse, data.order, first_row
        if data.compress != 0:
            sparse = list_block(data, scratch, layer_at(net.layers, 0).n_in, first_row, first, last)
            order, start = scratch.order, -first
        if sparse.forward == 0:
            gather_inputs(net, work, data, first_row, first, last)
        for layer in range(net.layers.shape[0]):
            own = layer_at(net.layers, layer)
            call_forward(own.forward, (
                net, work, sparse, order, _NO_KEY, start, layer, (0, own.ld // lanes, first, last),
            ))  # fmt: skip
        if outputs.shape[0] > 0:
            for r in range(first, last):
                a = view(work.A, c.out + r * c.out_row, c.n_out)
                for j in range(a.size):
                    outputs[first_row + r, j] = a[j]
        if has_targets:
            call_loss(objective.loss, (net, work, data, objective, first_row, first, last, real(1)))
            for r in range(first, last):
                losses[first_row + r] = work.row_loss[r]
                hits[first_row + r] = work.row_hit[r]
    restore_denormals(mode)
