"""Per-sample SGD: forward, backward and update of one sample after another, in one loop.

There is no gradient array and no transposed copy of the weights: a row of weights is read for the
backward pass and updated while it is in registers. Zero inputs are skipped, and so are zero
activations with a zero derivative (ReLU); both are exact.

A team of two shares the first layer's units, in two *halves*. Each member computes the products of
its half with the rows of the second layer's weights, and the two sums are added after the only
barrier of a sample. The other layers are little work: both members compute them, the second one
with its own copy of the weights. Then each member updates its halves of the first two layers. One
thread computes the halves one after the other, with the same bits.

For plain SGD only. L2 and the shift change every weight at every sample; their updates are deferred
(deferred.py). All other rules that change every weight use the general step.

Rows of bytes pass the first layer in blocks of samples (sample_blocks.py). The first member
computes the other layers alone.
"""

from typing import NamedTuple

from ..buffers import Data, Net, Objective, Work, layer_at
from ..call_types import call_loss
from ..machine.denormals import flush_denormals, restore_denormals
from ..machine.jit import kernel
from ..machine.phases import FORWARD, UPDATE, WAIT, count, ticks
from ..machine.records import Int32s, IntRows, Ints, Reals, replacing
from ..machine.stored import stored
from ..machine.team import Member, barrier
from ..machine.view import row_view
from ..slices import Report, Slice
from .deferred import apply_deferred, is_due, multiply_shift
from .sample_blocks import (
    SampleBlock,
    end_of_block,
    forward_members_units,
    prepare_next_block,
    prepare_products,
    update_block,
)
from .sample_layers import (
    Pass,
    forward_half,
    forward_others,
    half_in_turn,
    multiply_half,
    sample_at,
    update_half,
    update_others,
)
from .sample_operations import copy_tail

# Rows of a block between those of two members, so that they share no cache line.
MEMBER_ROWS = 16
_alone = replacing("number", "team")


@stored
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
    member, team, depth = me.number, me.team, net.layers.shape[0]
    in_blocks, row, real = samples.block.forward != 0, member * MEMBER_ROWS, net.params.dtype.type
    this = Pass(
        member, team, row, 2 if samples.half > 0 and not in_blocks else 1, in_blocks,
        objective.l2 != 0.0, net.params if member == 0 else samples.tail,
        row_view(samples.counts, member, 0, 2 * depth),
    )  # fmt: skip
    sparse, is_fused = data.sparse, objective.is_fused
    now = ticks()  # only the time of waiting is used, to choose the size of the team
    for number in range(begin, end):
        x = sample_at(this, data, begin, number)
        for half in range(member, this.halves, team):
            forward_half(this, samples, net, work, sparse, x, half, s)
            if depth > 1:
                multiply_half(this, samples, net, work, x, half)
        now = count(work.phases, member, FORWARD, now)
        barrier(me.sync, team)
        now = count(work.phases, member, WAIT, now)
        forward_others(this, samples, net, work, x, s)
        call_loss(objective.loss, (net, work, data, objective, number - row, row, row + 1, real(1)))
        rate = report.rates[number]
        next_s = s * (1.0 - rate * objective.l2)
        gain, bias_gain = real(-rate / next_s), real(-rate)
        update_others(this, samples, net, work, is_fused, s, gain, bias_gain)
        for turn in range(member, this.halves, team):
            update_half(this, samples, net, work, sparse, x, half_in_turn(this, turn),
                        depth == 1 and is_fused, gain, bias_gain)  # fmt: skip
        s = next_s
        if member == 0:
            report.loss[number] = work.row_loss[0]
            report.hits[number] = work.row_hit[0]
            report.rows[number] = 1
            report.weight[number] = 1.0
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


@kernel(worker=(Samples, Net, Work, Data, Objective, Slice, Report))
def train_samples(member, team, sync, samples, net, work, data, objective, part, report):
    """Train on samples ``part.first`` to ``part.last`` of the epoch, with a team of one or two.

    Overwrites parameters and report, a row of ``work`` for each member and, if rows are bytes, the
    columns of a block.
    """
    mode = flush_denormals()
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
            apply_deferred(member, team, sparse, samples, net, work.zeros, net.params.dtype.type(s),
                   net.params if member == 0 else samples.tail)  # fmt: skip
            s = 1.0
        begin = end
    restore_denormals(mode)
