"""Per-sample SGD: forward, backward and update of one sample after another, in one loop.

There is no gradient array and no transposed copy of the weights: a row of weights is read for the
backward pass and updated while it is in registers. Zero inputs are skipped, and so are zero
activations with a zero derivative (ReLU); both are exact.

A team of two shares the first layer's units, in two *halves*. Each member computes the products of
its half with the rows of the second layer's weights, and the two sums are added after the only
barrier of a sample. The rest is little work: both members do it, the second one on its own copy of
the weights, until each updates its halves of the first two layers. One thread computes the halves
one after the other, with the same bits.

For plain SGD only. L2 and the shift, which change every weight at every sample, are deferred
(deferred.py); all other rules of this kind use the general step.

Rows of bytes pass the first layer in blocks of samples (sample_blocks.py). The first member
computes the other layers alone.
"""

from typing import NamedTuple

from ..buffers import PARTS, layer_at
from ..emit.emitter import VECTOR_BYTES
from ..machine.denormals import flush_denormals, restore_denormals
from ..machine.jit import kernel
from ..machine.phases import FORWARD, UPDATE, WAIT, count, ticks
from ..machine.records import Int32s, IntRows, Ints, Reals, replacing
from ..machine.team import Member, barrier
from ..machine.view import as_views, row_view, view
from ..rules.activations import activate, activate_backward
from .deferred import dot_with_shift, is_due, multiply_shift, settle
from .forward import output_loss
from .sample_blocks import (
    SampleBlock,
    end_of_block,
    forward_members_units,
    forward_sample,
    prepare_next_block,
    prepare_products,
    update_block,
)
from .sample_operations import (
    add_products,
    add_scaled,
    backward_and_update,
    copy_scaled,
    copy_tail,
    half_of,
    list_units,
    prefetch_row,
    scale,
    scale_and_add,
    update_rows,
)

# Rows of a block between those of two members, so that they share no cache line.
MEMBER_ROWS = 16
_alone = replacing("number", "team")


class Samples(NamedTuple):
    """Scratch of the per-sample step. Lists have the layout of ``Work.A``, a row per member."""

    half: int  # units of the first layer in its first half, whole panels; 0: no halves
    is_flat: Ints  # (L,): whether a layer's derivative is 0 where its output is
    columns: Int32s  # the units listed
    values: Reals  # their activations
    counts: IntRows  # (members, 2 L or more): number of units listed, in each half of a layer
    sums: Reals  # (2 * 2 * padded units of the second layer,): of two halves, two samples in turn
    tail: Reals  # (P,): the second member's biases, and weights after the second layer
    u: Reals  # (padded units of the first layer,): see deferred.py
    q: Reals  # h V
    square: Reals  # (1,): h . h
    block: SampleBlock


@kernel
def pass_samples(me, samples, net, work, data, objective, report, begin, end, s):
    """Train on samples ``begin`` to ``end`` of the epoch, one update each; return s after them.

    With rows of bytes these are one block, computed by a team of one. One function for both cases,
    so that the layers after the first are compiled once.
    """
    member, team = me.number, me.team
    tail = net.params if member == 0 else samples.tail
    real = net.params.dtype.type
    lanes = VECTOR_BYTES // net.params.itemsize
    depth = net.layers.shape[0]
    A, Z, D, params, sparse = work.A, work.Z, work.D, net.params, data.sparse
    columns, values = samples.columns, samples.values
    counts = row_view(samples.counts, member, 0, 2 * depth)
    member_row = member * MEMBER_ROWS
    in_blocks = samples.block.forward != 0
    halves = 2 if samples.half > 0 and not in_blocks else 1
    c0 = layer_at(net.layers, 0)
    c1 = layer_at(net.layers, min(1, depth - 1))
    o0, o1 = c0.out + member_row * c0.out_row, c1.out + member_row * c1.out_row
    has_shift, l2 = sparse.shift.size > 0, objective.l2
    starts_at_0 = has_shift or l2 != 0.0 or in_blocks
    first = last = 0
    now = ticks()  # only the time of waiting is used, to choose the size of the team
    for sample in range(begin, end):
        if not in_blocks:
            row = data.order[sample]
            first, last = sparse.starts[row * PARTS], sparse.starts[(row + 1) * PARTS]
            if sample + 1 < data.order.size:
                prefetch_row(sparse, data.order[sample + 1])
        sums = sample % 2 * 2 * c1.ld_out
        dot = dot_with_shift(sparse, first, last) if has_shift else real(0)
        for half in range(member, halves, team):
            u0, u1 = half_of(samples, c0, half, halves)
            n = min(u1, c0.n_out) - u0
            if in_blocks:
                forward_sample(samples.block, c0, begin, sample, Z, o0)
            else:
                add_products(sparse.columns, sparse.values, first, last, params, c0,
                             work.zeros if starts_at_0 else params, 0 if starts_at_0 else c0.b,
                             0 if starts_at_0 else lanes, Z, o0, u0 // lanes,
                             u1 // lanes)  # fmt: skip
            if has_shift:
                add_scaled(Z, o0 + u0, samples.u, u0, u1 - u0, dot + samples.square[0])
                add_scaled(Z, o0 + u0, samples.q, u0, u1 - u0, real(1))
            if starts_at_0:
                scale_and_add(Z, o0 + u0, u1 - u0, real(s), params, c0.b + u0)
            activate(c0.function, net.activation_parameters[0], Z, A, o0 + u0, 0, n, 0, 1)
            if depth > 1:
                n = list_units(A, o0 + u0, o0 + u0 + n, o0, samples.is_flat[0], columns, values)
                counts[half] = n
                add_products(columns, values, o0 + u0, o0 + u0 + n, params, c1, work.zeros, 0, 0,
                             samples.sums, sums + half * c1.ld_out,
                             0, c1.ld_out // lanes)  # fmt: skip
        now = count(work.phases, member, FORWARD, now)
        barrier(me.sync, me.team)
        now = count(work.phases, member, WAIT, now)
        for layer in range(1, depth):
            c = layer_at(net.layers, layer)
            o = c.out + member_row * c.out_row
            if layer == 1:
                z, one = view(Z, o, c.ld_out), view(samples.sums, sums, c.ld_out)
                other = view(samples.sums, sums + c.ld_out, c.ld_out)
                for j in range(z.size):
                    z[j] = one[j] + other[j] if halves == 2 else one[j]
            else:
                below = layer_at(net.layers, layer - 1)
                a = below.out + member_row * below.out_row
                add_products(columns, values, a, a + counts[2 * layer - 2], tail, c, work.zeros, 0,
                             0, Z, o, 0, c.ld_out // lanes)  # fmt: skip
            scale_and_add(Z, o, c.ld_out, real(s), tail, c.b)
            activate(c.function, net.activation_parameters[layer], Z, A, o, 0, c.n_out, 0, 1)
            counts[2 * layer] = list_units(
                A, o, o + c.n_out, o, samples.is_flat[layer], columns, values
            )
        output_loss(
            net, work, data, objective, sample - member_row, member_row, member_row + 1, real(1)
        )
        rate = report.rates[sample]
        next_s = s * (1.0 - rate * l2)
        gain, bias_gain = real(-rate / next_s), real(-rate)
        for layer in range(depth - 1, -1, -1):
            c = layer_at(net.layers, layer)
            o = c.out + member_row * c.out_row
            is_complete = layer == depth - 1 and objective.is_fused
            if layer > 0 and not is_complete:
                activate_backward(c.derivative, net.activation_parameters[layer],
                                  Z, A, D, o, 0, c.n_out, 0, 1)  # fmt: skip
            if layer > 1:
                below = layer_at(net.layers, layer - 1)
                a = below.out + member_row * below.out_row
                backward_and_update(columns, values, a, a + counts[2 * layer - 2], tail, c,
                                    D, o, a, gain)  # fmt: skip
                if l2 != 0.0:
                    scale(D, a, below.n_out, real(s))
            for mine in range(member, halves if layer < 2 else 0, team):
                half = mine if halves == team else halves - 1 - mine
                u0, u1 = half_of(samples, c0, half, halves)
                if layer == 1:
                    backward_and_update(columns, values, o0 + u0, o0 + u0 + counts[half], params,
                                        c1, D, o1, o0, gain)  # fmt: skip
                    if l2 != 0.0:
                        scale(D, o0 + u0, min(u1, c0.n_out) - u0, real(s))
                    continue
                if not is_complete:
                    activate_backward(c.derivative, net.activation_parameters[0], Z, A, D,
                                      o0 + u0, 0, min(u1, c0.n_out) - u0, 0, 1)  # fmt: skip
                add_scaled(params, c0.b + u0, D, o0 + u0, u1 - u0, bias_gain)
                if in_blocks:
                    copy_scaled(
                        samples.block.D, (sample - begin) * c0.ld_out, D, o0, c0.ld_out, gain
                    )
                else:
                    update_rows(sparse.columns, sparse.values, first, last, params, c0, D, o0, gain,
                                u0 // lanes, u1 // lanes)  # fmt: skip
                if has_shift:
                    add_scaled(samples.u, u0, D, o0 + u0, u1 - u0, gain)
                    add_scaled(samples.q, u0, D, o0 + u0, u1 - u0, gain * dot)
            if layer > 0:
                add_scaled(tail, c.b, D, o, c.ld_out, bias_gain)
        s = next_s
        if member == 0:
            report.loss[sample] = work.row_loss[0]
            report.hits[sample] = work.row_hit[0]
            report.rows[sample] = 1
            report.weight[sample] = 1.0
    count(work.phases, member, FORWARD, now)
    return s


@kernel
def pass_block(me, samples, net, work, data, objective, report, begin, last, s):
    """Train on a block of rows of bytes, from sample ``begin`` of the epoch on.

    Return s after it.
    """
    member, team, end = me.number, me.team, end_of_block(begin, last)
    params, sparse, block = net.params, data.sparse, samples.block
    c = layer_at(net.layers, 0)
    now = ticks()
    forward_members_units(
        member, team, samples, sparse, work.zeros, data.order, params, c, begin, end
    )
    now = count(work.phases, member, FORWARD, now)
    barrier(me.sync, me.team)
    count(work.phases, member, WAIT, now)
    if member == 0:
        block.scale[0] = pass_samples(
            _alone(me, (0, 1)), samples, net, work, data, objective, report, begin, end, s
        )
    if member == team - 1:
        prepare_next_block(sparse, block, work.columns, data.order, begin, end, last)
    now = ticks()
    barrier(me.sync, me.team)
    now = count(work.phases, member, WAIT, now)
    update_block(member, team, samples, sparse, work.columns, params, c, end - begin)
    count(work.phases, member, UPDATE, now)
    return block.scale[0]


@kernel(cached=True)
def train_samples(member, team, sync, samples, net, work, data, objective, part, report):
    """Train on samples ``part.first`` to ``part.last`` of the epoch, with a team of one or two.

    Overwrites parameters and report, a row of ``work`` for each member and, if rows are bytes, the
    columns of a block.
    """
    mode = flush_denormals()
    samples, net, work, data = as_views(samples), as_views(net), as_views(work), as_views(data)
    objective, report, sync = as_views(objective), as_views(report), as_views(sync)
    sparse, me = data.sparse, Member(member, team, sync)
    in_blocks = samples.block.forward != 0
    if member > 0 and not in_blocks:
        copy_tail(net, samples.tail)
    if sparse.shift.size > 0:
        multiply_shift(member, team, sparse, samples, net, work.zeros)
    if in_blocks and member == team - 1:
        prepare_products(sparse, samples.block, data.order, part.first, part.last)
    s, begin = 1.0, part.first
    while begin < part.last:
        end = end_of_block(begin, part.last)
        if in_blocks:
            s = pass_block(me, samples, net, work, data, objective, report, begin, part.last, s)
        else:
            s = pass_samples(me, samples, net, work, data, objective, report, begin, end, s)
        if is_due(end, part.last, s) and (sparse.shift.size > 0 or objective.l2 != 0.0):
            settle(member, team, sparse, samples, net, work.zeros, net.params.dtype.type(s),
                   net.params if member == 0 else samples.tail)  # fmt: skip
            s = 1.0
        begin = end
    restore_denormals(mode)
