"""Updates of the weights after a block: gradients, penalties, clipping, update, constraint.

Weights are processed in chunks of a few groups (groups.py): a chunk's gradient is still in the L1
cache when the update uses it. Each member has its own groups of every W. Members wait for each
other only for a norm over all gradients, or over a unit's weights, and after the gradients of
layers that compute their own, such as filters, which members share in another way.
"""

from typing import Any, NamedTuple

from ..buffers import layer_at, relocated
from ..call_types import call_gradient, call_weight_gradient
from ..emit.elementary import fma
from ..emit.emitter import VECTOR_BYTES
from ..layers.dense_products import bias_gradient
from ..layers.layout import PARTS, has_own_gradients
from ..machine.host import SPARSE_PANELS
from ..machine.jit import kernel
from ..machine.phases import LAYER_UPDATE, count_layer, ticks
from ..machine.team import barrier, share
from ..machine.view import view
from ..rules.constraint import clip, limit_unit_norms, norm_factor, squared_norm
from ..rules.optimizers import add_penalty, penalty, update
from .groups import GROUP, Chunk, chunk_size, group_range, norm_index, owned_groups, range_of


@kernel
def own_rate(net, layer, group, rate):
    """Return the learning rate of a group of a layer's parameters."""
    return rate * net.rate_factors[2 * layer + (group < 0)]


class Sum(NamedTuple):
    """target = keep source + gain times a gradient.

    ``source`` and ``target`` have the layout of the parameters, or ``source`` is one vector.
    """

    source: Any
    keep: Any
    gain: Any
    target: Any


@kernel
def weight_gradient(c, work, sparse, columns, units, inputs, rows, total):
    """Compute ``total`` for weights from panels of ``inputs`` (first, last) to panels of units."""
    (p0, p1), (q0, q1) = units, inputs
    lanes = VECTOR_BYTES // work.A.itemsize
    if c.gradient != 0:
        call_weight_gradient(c.gradient, (
            sparse, columns, work.A, work.D, c, p0, p1, q0 * lanes, min(q1 * lanes, c.n_in), rows,
            total.source, total.keep, total.gain, total.target,
        ))  # fmt: skip


@kernel
def own_gradients(me, net, work, rows, overwrite):
    """Compute the gradients of layers that do so themselves, and wait for the other members'."""
    now = ticks()
    for layer in range(net.layers.shape[0]):
        c = layer_at(net.layers, layer)
        if c.own_gradient != 0:
            call_gradient(c.gradient, (me, net, work, layer, rows, overwrite))
        now = count_layer(work.layer_ticks, me.number, layer, LAYER_UPDATE, now, ticks())
    barrier(me.sync, me.team)


@kernel(inline=True)
def compute_gradient(c, work, sparse, columns, chunk, with_biases, rows, overwrite):
    """Compute the gradient of the loss for a chunk of weights, and for its biases, if asked.

    Overwrites or accumulates.
    """
    one, lanes = work.A.dtype.type(1), VECTOR_BYTES // work.A.itemsize
    units = chunk.first, chunk.last
    if with_biases:
        bias_gradient(c, work.D, units[0], units[1], rows, work.grads, overwrite)
    source = work.zeros if overwrite else work.grads
    inputs = chunk.group * GROUP, min(chunk.stop * GROUP, c.ld_in // lanes)
    weight_gradient(
        c, work, sparse, columns, units, inputs, rows, Sum(source, one, one, work.grads)
    )


@kernel(inline=True)
def complete_gradient(c, params, work, moved, objective, chunk):
    """Add the penalty to the gradient of a contiguous chunk, and store its groups' squared norms.

    The gradient is ``moved`` elements behind its offset in the layout of the parameters.
    """
    real = params.dtype.type
    lanes = VECTOR_BYTES // params.itemsize
    if chunk.group >= 0 and (objective.l1 != 0.0 or objective.l2 != 0.0):
        start, n = range_of(c, lanes, chunk)
        gradient = view(work.grads, start + moved, n)
        add_penalty(view(params, start, n), gradient, real(objective.l1), real(objective.l2))
    if objective.clip_norm > 0.0:
        for p in range(chunk.first, chunk.last):
            for group in range(chunk.group, chunk.stop):
                start, n = group_range(c, lanes, p, group)
                squares = squared_norm(view(work.grads, start + moved, n))
                work.group_norms[norm_index(c, lanes, p, group)] = squares


@kernel(cached=True)
def note_penalties(member, team, layers, params, group_penalties, l1, l2):
    """Store the penalty of each of this member's groups of weights."""
    lanes = VECTOR_BYTES // params.itemsize
    for layer in range(layers.shape[0]):
        c = layer_at(layers, layer)
        for part in range(PARTS):
            p0, p1, first, last = owned_groups(c, lanes, member, team, part)
            for p in range(p0, p1):
                for group in range(first, last):
                    paid = 0.0  # for biases
                    if group >= 0:
                        start, n = group_range(c, lanes, p, group)
                        paid = penalty(view(params, start, n), l1, l2)
                    group_penalties[norm_index(c, lanes, p, group)] = paid


@kernel(inline=True)
def update_chunk(c, net, work, moved, objective, chunk, factor, rate, step):
    """Clip the gradient of a contiguous chunk, if clipping is on, and update its parameters."""
    start, n = range_of(c, VECTOR_BYTES // net.params.itemsize, chunk)
    g = start + moved
    if factor != 1.0 or objective.clip_value > 0.0:
        clip(view(work.grads, g, n), factor, objective.clip_value)
    update(objective, net.params, start, n, work.grads, g, work.state, rate, step, chunk.group >= 0)


@kernel
def finish_chunk(c, net, work, moved, objective, chunk, near, turn, by_norm, factor, rate, step):
    """Complete the gradient of a chunk and update its parameters, ``near`` panels at a time.

    Clipping by norm takes two turns.
    """
    p = chunk.first
    while p < chunk.last:
        piece = Chunk(p, min(p + near, chunk.last), chunk.group, chunk.stop)
        p = piece.last
        if turn == 0:
            complete_gradient(c, net.params, work, moved, objective, piece)
        if turn == 1 or not by_norm:
            update_chunk(c, net, work, moved, objective, piece, factor, rate, step)


@kernel
def constrain_units(me, net, limit):
    """Limit the norm of the weights into each of this member's units to ``limit``; 0: no limit."""
    if limit <= 0.0:
        return
    barrier(me.sync, me.team)
    lanes = VECTOR_BYTES // net.params.itemsize
    for layer in range(net.layers.shape[0]):
        c = layer_at(net.layers, layer)
        first, last = share(c.ld_out // lanes, 1, me.number, me.team)
        for p in range(first, last):
            limit_unit_norms(net.params, c.w + p * c.n_in * lanes, c.n_in, limit)


@kernel(cached=True)
def update_in_one_pass(me, net, work, sparse, columns, objective, rows, overwrite, rate, step):
    """Compute this member's groups of every layer's gradient and update them, for plain SGD.

    No gradient of a weight is stored: w = (1 - rate l2) w - rate g. For a batch of one block, and
    layers that do not compute their own gradients.
    """
    real = net.params.dtype.type
    lanes = VECTOR_BYTES // net.params.itemsize
    now = ticks()
    for layer in range(net.layers.shape[0]):
        c = layer_at(net.layers, layer)
        of_weights, of_biases = own_rate(net, layer, 0, rate), own_rate(net, layer, -1, rate)
        keep, gain = real(1.0 - of_weights * objective.l2), real(-of_weights)
        for part in range(PARTS):
            p0, p1, first, last = owned_groups(c, lanes, me.number, me.team, part)
            if p0 == p1:
                continue
            q0, q1 = max(first, 0) * GROUP, min(last * GROUP, c.ld_in // lanes)
            weight_gradient(
                c, work, sparse, columns, (p0, p1), (q0, q1), rows,
                Sum(net.params, keep, gain, net.params),
            )  # fmt: skip
            if first < 0:
                bias_gradient(c, work.D, p0, p1, rows, work.grads, True)
                start, n = c.b + p0 * lanes, (p1 - p0) * lanes
                b, db = view(net.params, start, n), view(work.grads, start, n)
                for j in range(n):
                    b[j] = fma(real(-of_biases), db[j], b[j])
        now = count_layer(work.layer_ticks, me.number, layer, LAYER_UPDATE, now, ticks())
    constrain_units(me, net, objective.max_norm)


@kernel(cached=True)
def update_in_passes(me, net, work, sparse, columns, objective, rows, overwrite, rate, step):
    """Compute this member's groups of every layer's gradient; if ``step`` is not 0, update them.

    ``overwrite`` is true for the first block of a batch. Clipping by norm takes two passes. If
    gradients are not needed after the update, all use the same memory, which stays in the L1 cache.
    """
    if has_own_gradients(net):
        own_gradients(me, net, work, rows, overwrite)
    lanes = VECTOR_BYTES // net.params.itemsize
    by_norm = step > 0 and objective.clip_norm > 0.0
    keeps_gradients = step == 0 or not overwrite or by_norm
    factor = 1.0
    for turn in range(2 if by_norm else 1):
        if turn == 1:
            barrier(me.sync, me.team)
            factor = norm_factor(work.group_norms, objective.clip_norm)
        now = ticks()
        for layer in range(net.layers.shape[0]):
            c = layer_at(net.layers, layer)
            is_own = c.own_gradient != 0
            wide = SPARSE_PANELS if layer == 0 and sparse.to_columns != 0 else 1
            for part in range(PARTS):
                p0, p1, first, last = owned_groups(c, lanes, me.number, me.team, part)
                if p0 == p1:
                    continue
                mine, _ = group_range(c, lanes, p0, max(first, 0))
                for are_biases in range(2 if first < 0 else 1):
                    is_weight = are_biases == 0  # their gradients are computed with the weights'
                    begin, end = (max(first, 0), last) if is_weight else (-1, 0)
                    panels, groups, near = chunk_size(c, lanes, begin, end, wide)
                    own = own_rate(net, layer, begin, rate)
                    p, group = p0, begin  # ranges with steps would divide by these
                    while p < p1 and group < end:
                        chunk = Chunk(p, min(p + panels, p1), group, min(group + groups, end))
                        start, _ = group_range(c, lanes, p, group)
                        is_kept = keeps_gradients or not is_weight or is_own
                        moved = 0 if is_kept else mine - start
                        if turn == 0 and is_weight and not is_own:
                            compute_gradient(
                                relocated(c, (c.w + moved, c.out)), work, sparse, columns,
                                chunk, first < 0 and group == 0, rows, overwrite,
                            )  # fmt: skip
                        if step > 0:
                            finish_chunk(
                                c, net, work, moved, objective, chunk, near,
                                turn, by_norm, factor, own, step,
                            )  # fmt: skip
                        group = chunk.stop
                        if group == end:
                            p, group = chunk.last, begin
            now = count_layer(work.layer_ticks, me.number, layer, LAYER_UPDATE, now, ticks())
    if step > 0:
        constrain_units(me, net, objective.max_norm)
