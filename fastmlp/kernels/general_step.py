"""The general step: correct for every network, loss, optimizer and batch size.

    gather -> forward -> loss -> backward        each member: its own rows of the block
    ----- barrier -----
    gradients -> (end of batch:) update          each member: its own rows of every W (update.py)
    ----- barrier -----

Rows of a block do not need each other until the gradients, so two barriers a block are enough.
Faster steps for special cases are chosen by ``training.plan`` and tested against this one.
"""

from .activations import activate_backward
from .buffers import ACTIVATION, IN, LD_IN, LD_OUT, N_IN, N_OUT, OUT, SOURCE, WT
from .denormals import flush_denormals, restore_denormals
from .dense import matmul
from .dropout import drop
from .forward import forward, gather, output_loss
from .jit import kernel
from .losses import is_fused
from .team import barrier, share
from .tile import TILE_ROWS
from .update import gradients_and_update
from .view import view


@kernel(inline=True)
def drop_gradients(c, rate, layer, work, key, block, first, last):
    """Turn gradients with respect to dropped inputs into those of what the layer below gives."""
    for r in range(first, last):
        d = view(work.D, c[IN] + r * c[LD_IN], c[N_IN])
        out = view(work.D, c[SOURCE] + r * c[LD_IN], c[N_IN])
        drop(d, out, rate, key[0], key[1], block + r, layer)


@kernel(inline=True)
def backward(net, work, objective, key, block, first, last):
    """Overwrite rows ``first`` to ``last`` of every layer's D = dL/dZ, from the output's D."""
    for layer in range(net.layers.shape[0] - 1, -1, -1):
        c = net.layers[layer]
        if layer < net.layers.shape[0] - 1 or not is_fused(objective.loss):
            activate_backward(
                c[ACTIVATION], net.activation_parameters[layer],
                work.Z, work.A, work.D, c[OUT], c[LD_OUT], c[N_OUT], first, last,
            )  # fmt: skip
        if layer > 0:
            d, below = c[OUT] + first * c[LD_OUT], c[IN] + first * c[LD_IN]
            matmul(work.D, d, c[LD_OUT], 1, work.WT, c[WT], c[LD_IN],
                   work.zeros, 0, 0, work.D, below, c[LD_IN],
                   last - first, c[LD_IN], c[N_OUT])  # fmt: skip
            if c[SOURCE] != c[IN]:
                drop_gradients(c, net.dropout[layer], layer, work, key, block, first, last)


@kernel(inline=True)
def add_to_report(work, report, batch, rows, weight):
    """Add the rows' losses and hits to the batch's, in the order of the rows."""
    for r in range(rows):
        report.loss[batch] += work.row_loss[r]
        report.hits[batch] += work.row_hit[r]
    report.rows[batch] += rows
    report.weight[batch] += weight


@kernel
def sum_weights(weights, order, first, last):
    """Return the sum of the sample weights of rows order[first : last]."""
    if weights.size == 0:
        return float(last - first)
    total = 0.0
    for i in range(first, last):
        total += weights[order[i]]
    return total


@kernel(cached=True)
def train_batches(member, team, sync, net, work, data, objective, part, report):
    """A member's share of the blocks of ``part``. Overwrites parameters, state and report."""
    mode = flush_denormals()
    real = net.params.dtype.type
    batch_weight = 0.0
    for block in range(part.first, part.last):
        batch = block // part.blocks_per_batch
        batch_start = batch * part.batch_size
        batch_stop = min(batch_start + part.batch_size, data.order.size)
        start = batch_start + (block % part.blocks_per_batch) * part.block_rows
        stop = min(start + part.block_rows, batch_stop)
        if start >= stop:
            continue  # the last batch of an epoch can have fewer blocks
        rows = stop - start
        if start == batch_start or block == part.first:
            batch_weight = sum_weights(data.weights, data.order, batch_start, batch_stop)
        first, last = share(rows, TILE_ROWS, member, team)
        c = net.layers[0]
        gather(data.X, data.order, start, first, last, work.A, c[SOURCE], c[LD_IN])
        forward(net, work, part.dropout_key, start, first, last)
        scale = real(1.0 / batch_weight if batch_weight > 0.0 else 0.0)
        output_loss(net, work, data, objective, start, first, last, scale)
        backward(net, work, objective, part.dropout_key, start, first, last)
        barrier(sync, team)
        step = part.steps_before + batch + 1 if stop == batch_stop else 0
        gradients_and_update(
            member, team, sync, net, work, objective, rows,
            start == batch_start, report.rates[batch], step,
        )  # fmt: skip
        if member == 0:
            weight = sum_weights(data.weights, data.order, start, stop)
            add_to_report(work, report, batch, rows, weight)
        barrier(sync, team)
    restore_denormals(mode)
