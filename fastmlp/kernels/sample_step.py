"""Per-sample SGD: forward, backward and update of one sample after another, in one loop.

No gradient array and no transposed weights exist: a row of weights is read for the backward pass
and updated while it is in registers. Inputs that are zero take no part, nor do zero activations
where the derivative is zero with them (ReLU); both are exact.

A team of two shares the first layer's units, in two *halves*. Each member forms the products of its
half with the rows of the second layer's weights, which are its own as well, and the two sums meet
in the only barrier of a sample. All that follows is little: both do it, the second member on
weights of its own, until each updates its halves of the first two layers. One thread goes through
the halves one after the other, so that the bits are the same.

For plain SGD without penalties, which would touch every weight at every sample; all else takes the
general step.
"""

from typing import Any, NamedTuple

from .activations import activate, activate_backward
from .buffers import PARTS, layer_at
from .denormals import flush_denormals, restore_denormals
from .forward import output_loss
from .host import SPARSE_PANELS
from .jit import kernel
from .lists import List, add_to_rows, backward_and_add, multiply_list
from .team import barrier
from .tile import VECTOR_BYTES
from .view import prefetch_line, uncounted, view

# How many rows of a block lie between two members': so that nothing of theirs shares a cache line.
MEMBER_ROWS = 16


class Samples(NamedTuple):
    """Scratch of the per-sample step. Lists are laid out like ``Work.A``, a row for each member."""

    half: int  # units of the first layer in its first half, whole panels; 0: it is not halved
    is_flat: Any  # int64 (L,): whether a layer's derivative is 0 where its output is
    columns: Any  # int32: the units listed
    values: Any  # float: their activations
    counts: Any  # int64 (members, 2 L or more): how many are listed, in each half of a layer
    sums: Any  # float (2 * 2 * padded units of the second layer,): by turns, of the two halves
    tail: Any  # float (P,): the second member's weights behind the second layer, and biases


@kernel
def list_units(A, first, last, start, is_flat, columns, values):
    """List the units from ``first`` to ``last`` that count; return how many they are.

    ``start`` is where the layer's outputs start.
    """
    n = first
    for place in range(first, last):
        a = view(A, place, 1)[0]
        view(columns, n, 1)[0] = place - start
        view(values, n, 1)[0] = a
        n += 1 if is_flat == 0 or a != 0 else 0
    return n - first


@kernel
def add_products(columns, values, first, last, params, c, I, i, i_panel, C, to, p0, p1):
    """C = I + sum_e values[e] W[columns[e]] for panels p0 to p1 of a layer's units."""
    lanes, zero = VECTOR_BYTES // params.itemsize, params.dtype.type(0)
    for p in range(p0, p1, SPARSE_PANELS):
        multiply_list(List(
            columns, values, first, last, params, c.w + p * c.n_in * lanes, lanes, c.n_in * lanes,
            I, i + p * i_panel, i_panel, C, to + p * lanes, zero, True,
        ), min(SPARSE_PANELS, p1 - p))  # fmt: skip


@kernel
def update_rows(columns, values, first, last, params, c, D, d, gain, p0, p1):
    """W[columns[e]] += gain values[e] dz for panels p0 to p1 of a layer's units, dz from d on."""
    lanes = VECTOR_BYTES // params.itemsize
    for p in range(p0, p1, SPARSE_PANELS):
        add_to_rows(List(
            columns, values, first, last, params, c.w + p * c.n_in * lanes, lanes, c.n_in * lanes,
            D, d + p * lanes, lanes, D, 0, gain, True,
        ), min(SPARSE_PANELS, p1 - p))  # fmt: skip
    n = (p1 - p0) * lanes
    b, dz = view(params, c.b + p0 * lanes, n), view(D, d + p0 * lanes, n)
    for j in range(n):
        b[j] += gain * dz[j]


@kernel
def backward_and_update(columns, values, first, last, params, c, D, d, da, gain):
    """D[da + k] = W_k . dz, then W_k += gain a_k dz, for the listed inputs k of a layer."""
    lanes = VECTOR_BYTES // params.itemsize
    for p in range(0, c.ld_out // lanes, SPARSE_PANELS):
        backward_and_add(List(
            columns, values, first, last, params, c.w + p * c.n_in * lanes, lanes, c.n_in * lanes,
            D, d + p * lanes, lanes, D, da, gain, p == 0,
        ), min(SPARSE_PANELS, c.ld_out // lanes - p))  # fmt: skip


@kernel
def update_biases(params, c, D, d, gain):
    b, dz = view(params, c.b, c.ld_out), view(D, d, c.ld_out)
    for j in range(b.size):
        b[j] += gain * dz[j]


@kernel
def copy_tail(net, target):
    """Take over all biases but the first layer's, and the weights behind the second layer."""
    for layer in range(1, net.layers.shape[0]):
        c = layer_at(net.layers, layer)
        for j in range(c.b, c.b + c.ld_out):
            target[j] = net.params[j]
        if layer > 1:
            for j in range(c.w, c.w + c.n_in * c.ld_out):
                target[j] = net.params[j]


@kernel
def prefetch_numbers_of(sparse, row):
    lanes = VECTOR_BYTES // sparse.values.itemsize
    for e in range(sparse.starts[row * PARTS], sparse.starts[(row + 1) * PARTS], lanes):
        prefetch_line(sparse.columns, e)
        prefetch_line(sparse.values, e)


@kernel(cached=True)
def train_samples(member, team, sync, samples, net, work, data, objective, part, report):
    """Samples ``part.first`` to ``part.last`` of the epoch, one update each; a team of one or two.

    Overwrites parameters and report; in ``work`` only a row of a block for each member.
    """
    mode = flush_denormals()
    samples, net, work, data = uncounted(samples), uncounted(net), uncounted(work), uncounted(data)
    objective, report = uncounted(objective), uncounted(report)
    real = net.params.dtype.type
    lanes = VECTOR_BYTES // net.params.itemsize
    depth = net.layers.shape[0]
    A, Z, D, params, sparse = work.A, work.Z, work.D, net.params, data.sparse
    tail = params if member == 0 else samples.tail
    if member > 0:
        copy_tail(net, tail)
    columns, values = samples.columns, samples.values
    counts = samples.counts[member]
    place = member * MEMBER_ROWS
    halves = 2 if samples.half > 0 else 1
    c0 = layer_at(net.layers, 0)
    c1 = layer_at(net.layers, min(1, depth - 1))
    o0, o1 = c0.out + place * c0.out_row, c1.out + place * c1.out_row
    for sample in range(part.first, part.last):
        row = data.order[sample]
        first, last = sparse.starts[row * PARTS], sparse.starts[(row + 1) * PARTS]
        if sample + 1 < part.last:
            prefetch_numbers_of(sparse, data.order[sample + 1])
        sums = sample % 2 * 2 * c1.ld_out
        for half in range(member, halves, team):
            u0, u1 = half * samples.half, samples.half if half < halves - 1 else c0.ld_out
            n = min(u1, c0.n_out) - u0
            add_products(sparse.columns, sparse.values, first, last, params, c0, params, c0.b,
                         lanes, Z, o0, u0 // lanes, u1 // lanes)  # fmt: skip
            activate(c0.function, net.activation_parameters[0], Z, A, o0 + u0, 0, n, 0, 1)
            if depth > 1:
                n = list_units(A, o0 + u0, o0 + u0 + n, o0, samples.is_flat[0], columns, values)
                counts[half] = n
                add_products(columns, values, o0 + u0, o0 + u0 + n, params, c1, work.zeros, 0, 0,
                             samples.sums, sums + half * c1.ld_out,
                             0, c1.ld_out // lanes)  # fmt: skip
        barrier(sync, team)
        for layer in range(1, depth):
            c = layer_at(net.layers, layer)
            o = c.out + place * c.out_row
            if layer == 1:
                z, b = view(Z, o, c.ld_out), view(tail, c.b, c.ld_out)
                s, t = (
                    view(samples.sums, sums, c.ld_out),
                    view(samples.sums, sums + c.ld_out, c.ld_out),
                )
                for j in range(z.size):
                    z[j] = b[j] + (s[j] + t[j]) if halves == 2 else b[j] + s[j]
            else:
                below = layer_at(net.layers, layer - 1)
                a = below.out + place * below.out_row
                add_products(columns, values, a, a + counts[2 * layer - 2], tail, c, tail, c.b,
                             lanes, Z, o, 0, c.ld_out // lanes)  # fmt: skip
            activate(c.function, net.activation_parameters[layer], Z, A, o, 0, c.n_out, 0, 1)
            counts[2 * layer] = list_units(
                A, o, o + c.n_out, o, samples.is_flat[layer], columns, values
            )
        output_loss(net, work, data, objective, sample - place, place, place + 1, real(1))
        gain = real(-report.rates[sample])
        for layer in range(depth - 1, -1, -1):
            c = layer_at(net.layers, layer)
            o = c.out + place * c.out_row
            is_complete = layer == depth - 1 and objective.is_fused
            if layer > 0 and not is_complete:
                activate_backward(c.derivative, net.activation_parameters[layer],
                                  Z, A, D, o, 0, c.n_out, 0, 1)  # fmt: skip
            if layer > 1:
                below = layer_at(net.layers, layer - 1)
                a = below.out + place * below.out_row
                backward_and_update(columns, values, a, a + counts[2 * layer - 2], tail, c,
                                    D, o, a, gain)  # fmt: skip
            for mine in range(member, halves if layer < 2 else 0, team):
                half = mine if halves == team else halves - 1 - mine
                u0, u1 = half * samples.half, samples.half if half < halves - 1 else c0.ld_out
                if layer == 1:
                    backward_and_update(columns, values, o0 + u0, o0 + u0 + counts[half], params,
                                        c1, D, o1, o0, gain)  # fmt: skip
                    continue
                if not is_complete:
                    activate_backward(c.derivative, net.activation_parameters[0], Z, A, D,
                                      o0 + u0, 0, min(u1, c0.n_out) - u0, 0, 1)  # fmt: skip
                update_rows(sparse.columns, sparse.values, first, last, params, c0, D, o0, gain,
                            u0 // lanes, u1 // lanes)  # fmt: skip
            if layer > 0:
                update_biases(tail, c, D, o, gain)
        if member == 0:
            report.loss[sample] = work.row_loss[0]
            report.hits[sample] = work.row_hit[0]
            report.rows[sample] = 1
            report.weight[sample] = 1.0
    restore_denormals(mode)
