"""The general step: for every network, loss, optimizer and batch size.

    gather                    each member: its own rows of the block
    forward, layer by layer   its own units (panels of W), of all rows; of images, its own rows
    loss                      its own rows
    backward, layer by layer  its own units of the layer below; of images, its own rows
    gradients and update      its own panels of every W (update.py)

There are barriers after the gather, after each layer's forward pass except the output layer's,
after each layer's backward pass, and after the update. A row of the output layer belongs to one
member from its forward pass to its gradient, so the loss needs no barrier. Sparse inputs are not
gathered but stored by columns, which only the update reads: no barrier follows. Where the update
limits norms, it has barriers of its own (update.py).

So weights stay in the cache of the member that changes them, and only activations move
between cores. When members shared the rows of a block, each read all weights that the others had
just written, and two cores took 1.6 times as long as one at 32 rows an update. Layers with fewer
panels than members, and layers that need whole rows, are shared by rows. So is what is left over of
the panels when each member has the same number: 19 panels are 9 and a half for two members.
"""

from ..buffers import Data, Net, Objective, Work, layer_at
from ..call_types import (
    call_backward,
    call_forward,
    call_layer_backward,
    call_loss,
    call_penalties,
    call_prefetch,
    call_to_columns,
    call_update_pass,
)
from ..emit.emitter import VECTOR_BYTES
from ..inputs.gather import prefetch_rows
from ..layers.dense_products import reads_strips, strip_of, transpose_gradients
from ..layers.layout import PARTS, finish_gradients, is_empty, rectangle, rectangle_below
from ..machine.denormals import flush_denormals, restore_denormals
from ..machine.jit import kernel
from ..machine.phases import (
    BACKWARD,
    FORWARD,
    GATHER,
    LAYER_BACKWARD,
    LAYER_FORWARD,
    LOSS,
    UPDATE,
    WAIT,
    count,
    count_layer,
    ticks,
)
from ..machine.records import replacing
from ..machine.team import Member, barrier, share
from ..machine.view import view
from ..slices import Report, Slice
from .forward import gather_inputs

_with_penalties = replacing("l1", "l2")
_with_order = replacing("order")
_with_strip = replacing("strip")


@kernel(cached=True)
def backward(me, net, work, objective, key, first_row, rows):
    """Overwrite D = dL/dZ of every layer that needs it, and T, from the output's D."""
    now = ticks()
    lanes = VECTOR_BYTES // work.A.itemsize
    depth = net.layers.shape[0]
    for layer in range(depth - 1, -1, -1):
        began = now
        c = layer_at(net.layers, layer)
        is_output = layer == depth - 1
        above = layer_at(net.layers, min(layer + 1, depth - 1))
        if not is_output and above.backward == 0:
            break  # there are no weights below
        is_transposed = (
            c.backward != 0
            and c.n_in > 0
            and c.own_gradient == 0
            and not reads_strips(c, lanes, rows, me.team)
        )
        lent = _with_strip(work, (strip_of(above, work.T, lanes, rows, me),))
        for part in range(PARTS):
            if is_output:
                box = rectangle(c, lanes, rows, me.number, me.team, part)
            else:
                box = rectangle_below(c, above, lanes, rows, me.number, me.team, part)
            if is_empty(box):
                continue
            if not is_output:
                call_layer_backward(above.backward, (net, lent, key, first_row, layer + 1, box))
                began = count_layer(
                    work.layer_ticks, me.number, layer + 1, LAYER_BACKWARD, began, ticks()
                )
            if c.derivative != 0 and not (is_output and objective.is_fused):
                finish_gradients(c, net.activation_parameters[layer], work, box)
            if is_transposed:
                transpose_gradients(c, work.D, work.T, *box)
            began = count_layer(work.layer_ticks, me.number, layer, LAYER_BACKWARD, began, ticks())
        now = count(work.phases, me.number, BACKWARD, now)
        barrier(me.sync, me.team)
        now = count(work.phases, me.number, WAIT, now)


@kernel(inline=True)
def objective_of_batch(objective, batch_weight):
    """Return the objective of a batch: with penalty_per_row, penalties divided by its weight."""
    share = 1.0
    if objective.penalty_per_row:
        share = 1.0 / batch_weight if batch_weight > 0.0 else 0.0
    return _with_penalties(objective, (objective.l1 * share, objective.l2 * share))


@kernel
def add_to_report(work, report, batch, rows, weight):
    """Add the rows' losses and hits to the batch's, in row order."""
    if report.note_penalties != 0:
        total = 0.0
        for i in range(work.group_penalties.size):
            total += work.group_penalties[i]
        report.penalty[batch] = total
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


@kernel
def save_snapshot(member, team, net, work, snapshots, epoch):
    """Save one member's share of the parameters and the state after an epoch."""
    n_params, n_state = net.params.size, work.state.size
    start = epoch * (n_params + n_state)
    first, last = share(n_params, 1, member, team)
    for i in range(first, last):
        snapshots[start + i] = net.params[i]
    start += n_params
    first, last = share(n_state, 1, member, team)
    for i in range(first, last):
        snapshots[start + i] = work.state[i]


@kernel(worker=(Net, Work, Data, Objective, Slice, Report))
def train_batches(member, team, sync, net, work, data, objective, part, report):
    """Train on the blocks of ``part``, one member's share.

    Overwrites parameters, state and snapshots, adds to report.
    """
    mode = flush_denormals()
    real = net.params.dtype.type
    lanes = VECTOR_BYTES // work.A.itemsize
    depth = net.layers.shape[0]
    batch_weight, goal = 0.0, objective
    sparse, columns, orders = data.sparse, work.columns, data.order
    to_columns, prefetch, me = sparse.to_columns, sparse.prefetch, Member(member, team, sync)
    for block in range(part.first, part.last):
        batch = block // part.blocks_per_batch
        epoch = batch // part.epoch_steps
        data = _with_order(data, (view(orders, epoch * part.epoch_rows, part.epoch_rows),))
        dropout_key = view(part.dropout_keys, 2 * epoch, 2)
        batch_start = (batch - epoch * part.epoch_steps) * part.batch_size
        batch_stop = min(batch_start + part.batch_size, part.epoch_rows)
        start = batch_start + (block % part.blocks_per_batch) * part.block_rows
        stop = min(start + part.block_rows, batch_stop)
        if start >= stop:
            continue  # the last batch of an epoch can have fewer blocks
        rows = stop - start
        if start == batch_start or block == part.first:
            batch_weight = sum_weights(data.weights, data.order, batch_start, batch_stop)
            goal = objective_of_batch(objective, batch_weight)
        now = ticks()
        if start == batch_start and report.note_penalties != 0:
            call_penalties(
                report.note_penalties,
                (member, team, net.layers, net.params, work.group_penalties, goal.l1, goal.l2),
            )
        if to_columns != 0:
            call_to_columns(to_columns, (member, team, sparse, columns, data.order, start, rows))
        else:
            first, last = share(rows, 1, member, team)
            gather_inputs(net, work, data, start, first, last)
        now = count(work.phases, member, GATHER, now)
        for layer in range(depth):
            if layer > 0 or to_columns == 0:
                barrier(sync, team)
                now = count(work.phases, member, WAIT, now)
            c = layer_at(net.layers, layer)
            for piece in range(PARTS):
                box = rectangle(c, lanes, rows, member, team, piece)
                if not is_empty(box):
                    call_forward(c.forward, (
                        net, work, sparse, data.order, dropout_key, start, layer, box,
                    ))  # fmt: skip
            before, now = now, count(work.phases, member, FORWARD, now)
            count_layer(work.layer_ticks, member, layer, LAYER_FORWARD, before, now)
        # The output layer is shared by rows: these are the rows just computed.
        first, last = share(rows, lanes, member, team)
        scale = real(1.0 / batch_weight if batch_weight > 0.0 else 0.0)
        call_loss(objective.loss, (net, work, data, objective, start, first, last, scale))
        count(work.phases, member, LOSS, now)
        call_backward(
            net.backward,
            (me, net, work, objective, dropout_key, start, rows),
        )
        now = ticks()
        # The next rows: the next block, except at the end of an epoch or after a short block.
        first, last = share(rows, 1, member, team)
        if prefetch != 0:
            call_prefetch(prefetch, (sparse, data.order, stop + first, stop + last))
        else:
            prefetch_rows(data.X, data.order, stop + first, stop + last)
        step = part.steps_before + batch + 1 if stop == batch_stop else 0
        is_one_pass = net.update_in_one_pass != 0 and start == batch_start and step > 0
        update = net.update_in_one_pass if is_one_pass else net.update_in_passes
        call_update_pass(update, (
            me, net, work, sparse, columns, goal, rows,
            start == batch_start, report.rates[batch], step,
        ))  # fmt: skip
        if member == 0:
            weight = sum_weights(data.weights, data.order, start, stop)
            add_to_report(work, report, batch, rows, weight)
        now = count(work.phases, member, UPDATE, now)
        barrier(sync, team)
        count(work.phases, member, WAIT, now)
        # Without a barrier: there is one in the backward pass before the next update.
        if stop == part.epoch_rows and report.snapshots.size > 0:
            save_snapshot(member, team, net, work, report.snapshots, epoch)
    restore_denormals(mode)
