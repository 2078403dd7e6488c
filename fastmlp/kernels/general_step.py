"""The general step: correct for every network, loss, optimizer and batch size.

    gather -> forward -> loss -> backward        each member: its own rows of the block
    ----- barrier -----
    gradients -> (end of batch:) update          each member: its own rows of every W
    ----- barrier -----

Rows of a block do not need each other until the gradients, so two barriers a block are enough.
Faster steps for special cases are chosen by ``training.plan`` and tested against this one.
"""

from .activations import activate_backward
from .buffers import (
    ACTIVATION,
    IN,
    LD_IN,
    LD_OUT,
    N_IN,
    N_OUT,
    OUT,
    WT,
    B,
    W,
)  # fmt: skip
from .denormals import flush_denormals, restore_denormals
from .dense import add_rows, matmul, transpose_row
from .forward import forward, gather, output_loss
from .jit import kernel
from .losses import is_fused
from .optimizers import update
from .team import barrier, share
from .tile import TILE_ROWS
from .view import view


@kernel(inline=True)
def backward(net, work, objective, first, last):
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


@kernel(inline=True)
def layer_gradients(c, work, rows, first, last, with_bias, overwrite):
    """dW = A^T dZ for rows ``first`` to ``last`` of W, and db. Overwrites or accumulates."""
    start = c[W] + first * c[LD_OUT]
    initial, i, i_row = work.grads, start, c[LD_OUT]
    if overwrite:
        initial, i, i_row = work.zeros, 0, 0
    matmul(work.A, c[IN] + first, 1, c[LD_IN], work.D, c[OUT], c[LD_OUT],
           initial, i, i_row, work.grads, start, c[LD_OUT],
           last - first, c[LD_OUT], rows)  # fmt: skip
    if with_bias:
        db = view(work.grads, c[B], c[LD_OUT])
        add_rows(work.D, c[OUT], c[LD_OUT], rows, db, overwrite)


@kernel(inline=True)
def layer_update(c, net, work, objective, first, last, with_bias, rate, step):
    """Update rows ``first`` to ``last`` of W, the bias, and the copy of W^T."""
    for k in range(first, last):
        # Row by row, so that how rows are shared cannot change which code an element meets.
        start = c[W] + k * c[LD_OUT]
        update(
            objective, net.params, work.grads, work.state,
            start, c[LD_OUT], rate, step, objective.l1, objective.l2,
        )  # fmt: skip
        if c[WT] >= 0:
            transpose_row(view(net.params, start, c[N_OUT]), work.WT, c[WT] + k, c[LD_IN])
    if with_bias:
        update(
            objective, net.params, work.grads, work.state,
            c[B], c[LD_OUT], rate, step, 0.0, 0.0,
        )  # fmt: skip


@kernel(inline=True)
def gradients_and_update(member, team, net, work, objective, rows, overwrite, rate, step):
    """This member's rows of every layer's gradient; then, if ``step`` is not 0, their update."""
    for layer in range(net.layers.shape[0]):
        c = net.layers[layer]
        first, last = share(c[N_IN], TILE_ROWS, member, team)
        with_bias = layer % team == member
        layer_gradients(c, work, rows, first, last, with_bias, overwrite)
        if step > 0:
            layer_update(c, net, work, objective, first, last, with_bias, rate, step)


@kernel(inline=True)
def add_to_report(work, report, batch, rows):
    """Add the rows' losses and hits to the batch's, in the order of the rows."""
    for r in range(rows):
        report.loss[batch] += work.row_loss[r]
        report.hits[batch] += work.row_hit[r]
    report.rows[batch] += rows


@kernel(cached=True)
def train_batches(member, team, sync, net, work, data, objective, part, report):
    """A member's share of the blocks of ``part``. Overwrites parameters, state and report."""
    mode = flush_denormals()
    real = net.params.dtype.type
    for block in range(part.first, part.last):
        batch = block // part.blocks_per_batch
        batch_start = batch * part.batch_size
        batch_stop = min(batch_start + part.batch_size, data.order.size)
        start = batch_start + (block % part.blocks_per_batch) * part.block_rows
        stop = min(start + part.block_rows, batch_stop)
        if start >= stop:
            continue  # the last batch of an epoch can have fewer blocks
        rows = stop - start
        first, last = share(rows, TILE_ROWS, member, team)
        gather(data.X, data.order, start, first, last, work.A, net.layers[0, LD_IN])
        forward(net, work, first, last)
        scale = real(1.0 / (batch_stop - batch_start))
        output_loss(net, work, data, objective, start, first, last, scale)
        backward(net, work, objective, first, last)
        barrier(sync, team)
        step = part.steps_before + batch + 1 if stop == batch_stop else 0
        gradients_and_update(
            member, team, net, work, objective, rows,
            start == batch_start, report.rates[batch], step,
        )  # fmt: skip
        if member == 0:
            add_to_report(work, report, batch, rows)
        barrier(sync, team)
    restore_denormals(mode)
