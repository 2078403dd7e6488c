"""From the deltas of a block to new weights: gradients, penalties, clipping, update, constraint.

Each member has its own rows of every W, and some of the biases; members meet only where a norm over
all gradients, or over all rows, has to be known.
"""

from .buffers import IN, LD_IN, LD_OUT, N_IN, N_OUT, NORMS, OUT, WT, B, W
from .constraint import clip, limit_unit_norms, norm_factor, squared_norm
from .dense import add_rows, matmul, transpose_row
from .jit import kernel
from .optimizers import add_penalty, update
from .team import barrier, share
from .tile import TILE_ROWS
from .view import view


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
def complete_gradients(c, params, work, objective, first, last, with_bias):
    """Add the penalty to the gradients of these rows, and note their squared norms."""
    real = params.dtype.type
    has_penalty = objective.l1 != 0.0 or objective.l2 != 0.0
    for k in range(first, last):
        # Row by row, so that how rows are shared cannot change which code an element meets.
        start = c[W] + k * c[LD_OUT]
        g = view(work.grads, start, c[LD_OUT])
        if has_penalty:
            add_penalty(view(params, start, c[LD_OUT]), g, real(objective.l1), real(objective.l2))
        if objective.clip_norm > 0.0:
            work.row_norms[c[NORMS] + k] = squared_norm(g)
    if with_bias and objective.clip_norm > 0.0:
        work.row_norms[c[NORMS] + c[N_IN]] = squared_norm(view(work.grads, c[B], c[LD_OUT]))


@kernel(inline=True)
def update_row(net, work, objective, start, n, factor, rate, step, is_weight):
    """Clip one row of gradients, where that is asked for, and update its parameters."""
    if factor != 1.0 or objective.clip_value > 0.0:
        clip(view(work.grads, start, n), factor, objective.clip_value)
    update(objective, net.params, work.grads, work.state, start, n, rate, step, is_weight)


@kernel(inline=True)
def layer_update(c, net, work, objective, first, last, with_bias, factor, rate, step):
    """Update rows ``first`` to ``last`` of W, the bias, and the copy of W^T."""
    for k in range(first, last + 1):
        # The bias takes the turn after the last row: one call of the update compiles faster.
        is_weight = k < last
        if is_weight or with_bias:
            start = c[W] + k * c[LD_OUT] if is_weight else c[B]
            update_row(net, work, objective, start, c[LD_OUT], factor, rate, step, is_weight)
        if is_weight and c[WT] >= 0:
            row = view(net.params, c[W] + k * c[LD_OUT], c[N_OUT])
            transpose_row(row, work.WT, c[WT] + k, c[LD_IN])


@kernel(inline=True)
def constrain_units(member, team, net, work, limit):
    """Bring the norm of the weights into each of this member's units down to ``limit``."""
    for layer in range(net.layers.shape[0]):
        c = net.layers[layer]
        first, last = share(c[N_OUT], 1, member, team)
        limit_unit_norms(net.params, c[W], c[LD_OUT], c[N_IN], first, last, limit)
        if c[WT] >= 0:
            for j in range(first, last):
                for k in range(c[N_IN]):
                    place = view(work.WT, c[WT] + j * c[LD_IN] + k, 1)
                    place[0] = view(net.params, c[W] + k * c[LD_OUT] + j, 1)[0]


@kernel(inline=True)
def gradients_and_update(member, team, sync, net, work, objective, rows, overwrite, rate, step):
    """This member's rows of every layer's gradient; then, if ``step`` is not 0, their update."""
    depth = net.layers.shape[0]
    for layer in range(depth):
        c = net.layers[layer]
        first, last = share(c[N_IN], TILE_ROWS, member, team)
        with_bias = layer % team == member
        layer_gradients(c, work, rows, first, last, with_bias, overwrite)
        if step > 0:
            complete_gradients(c, net.params, work, objective, first, last, with_bias)
    if step > 0:
        factor = 1.0
        if objective.clip_norm > 0.0:
            barrier(sync, team)
            factor = norm_factor(work.row_norms, objective.clip_norm)
        for layer in range(depth):
            c = net.layers[layer]
            first, last = share(c[N_IN], TILE_ROWS, member, team)
            with_bias = layer % team == member
            layer_update(c, net, work, objective, first, last, with_bias, factor, rate, step)
        if objective.max_norm > 0.0:
            barrier(sync, team)
            constrain_units(member, team, net, work, objective.max_norm)
