"""One sample through the layers of the per-sample step: forward, backward and update.

The first two layers are shared by halves of the first layer's units, in the functions that take a
``half``. Every member computes the other layers, with the parameters in ``Pass.tail``.
"""

from typing import Any, NamedTuple

from ..buffers import QUARTERS, layer_at
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.view import view
from ..rules.activations import activate, activate_backward
from .deferred import dot_with_shift
from .sample_blocks import forward_sample
from .sample_operations import (
    add_products,
    add_scaled,
    backward_and_update,
    copy_scaled,
    half_of,
    list_units,
    prefetch_row,
    scale,
    scale_and_add,
    update_rows,
)


class Pass(NamedTuple):
    """The values of a member that stay the same for all samples of a slice."""

    member: int
    team: int
    row: int  # the member's row of Work.A, Z and D
    halves: int  # of the first layer's units
    in_blocks: bool  # whether the first layer is computed for blocks of samples
    has_l2: bool  # whether the weights are s V, see deferred.py
    tail: Any  # the member's biases, and weights after the second layer
    counts: Any  # the member's row of Samples.counts


class Sample(NamedTuple):
    """A sample of the epoch."""

    number: int
    begin: int  # the first sample of its block
    first: int  # its elements, if rows are lists
    last: int
    dot: Any  # its product with the shift; 0 without one


@kernel
def sample_at(this, data, begin, number):
    """Return a sample, and prefetch the elements of the next one."""
    sparse, first, last = data.sparse, 0, 0
    if not this.in_blocks:
        row = data.order[number]
        first, last = sparse.starts[row * QUARTERS], sparse.starts[(row + 1) * QUARTERS]
        if number + 1 < data.order.size:
            prefetch_row(sparse, data.order[number + 1])
    zero = sparse.values.dtype.type(0)
    dot = dot_with_shift(sparse, first, last) if sparse.shift.size > 0 else zero
    return Sample(number, begin, first, last, dot)


@kernel
def sums_at(c, number, half):
    """Return the index of a half's products with the second layer ``c`` in Samples.sums."""
    return (number % 2 * 2 + half) * c.ld_out


@kernel
def forward_half(this, samples, net, work, sparse, x, half, s):
    """Overwrite the outputs of a half of the first layer."""
    c, Z, params = layer_at(net.layers, 0), work.Z, net.params
    lanes = VECTOR_BYTES // params.itemsize
    o, (u0, u1) = c.out + this.row * c.out_row, half_of(samples, c, half, this.halves)
    has_shift = sparse.shift.size > 0
    starts_at_0 = has_shift or this.has_l2 or this.in_blocks
    if this.in_blocks:
        forward_sample(samples.block, c, x.begin, x.number, Z, o)
    else:
        add_products(sparse.columns, sparse.values, x.first, x.last, params, c,
                     work.zeros if starts_at_0 else params, 0 if starts_at_0 else c.b,
                     0 if starts_at_0 else lanes, Z, o, u0 // lanes, u1 // lanes)  # fmt: skip
    if has_shift:
        add_scaled(Z, o + u0, samples.u, u0, u1 - u0, x.dot + samples.square[0])
        add_scaled(Z, o + u0, samples.q, u0, u1 - u0, Z.dtype.type(1))
    if starts_at_0:
        scale_and_add(Z, o + u0, u1 - u0, Z.dtype.type(s), params, c.b + u0)
    activate(c.function, net.activation_parameters[0], Z, work.A, o + u0, 0,
             min(u1, c.n_out) - u0, 0, 1)  # fmt: skip


@kernel
def multiply_half(this, samples, net, work, x, half):
    """List a half's units, and overwrite their products with the second layer's weights."""
    c, c1 = layer_at(net.layers, 0), layer_at(net.layers, 1)
    columns, values = samples.columns, samples.values
    o, (u0, u1) = c.out + this.row * c.out_row, half_of(samples, c, half, this.halves)
    start = o + u0
    n = list_units(work.A, start, o + min(u1, c.n_out), o, samples.is_flat[0], columns, values)
    this.counts[half] = n
    add_products(columns, values, start, start + n, net.params, c1, work.zeros, 0, 0,
                 samples.sums, sums_at(c1, x.number, half),
                 0, c1.ld_out // (VECTOR_BYTES // work.A.itemsize))  # fmt: skip


@kernel
def forward_others(this, samples, net, work, x, s):
    """Overwrite the outputs of all layers but the first, and list their units."""
    columns, values, Z, tail = samples.columns, samples.values, work.Z, this.tail
    for layer in range(1, net.layers.shape[0]):
        c = layer_at(net.layers, layer)
        o = c.out + this.row * c.out_row
        if layer == 1:
            z, one = view(Z, o, c.ld_out), view(samples.sums, sums_at(c, x.number, 0), c.ld_out)
            other = view(samples.sums, sums_at(c, x.number, 1), c.ld_out)
            for j in range(z.size):
                z[j] = one[j] + other[j] if this.halves == 2 else one[j]
        else:
            below = layer_at(net.layers, layer - 1)
            a = below.out + this.row * below.out_row
            add_products(columns, values, a, a + this.counts[2 * layer - 2], tail, c, work.zeros,
                         0, 0, Z, o, 0, c.ld_out // (VECTOR_BYTES // Z.itemsize))  # fmt: skip
        scale_and_add(Z, o, c.ld_out, Z.dtype.type(s), tail, c.b)
        activate(c.function, net.activation_parameters[layer], Z, work.A, o, 0, c.n_out, 0, 1)
        this.counts[2 * layer] = list_units(
            work.A, o, o + c.n_out, o, samples.is_flat[layer], columns, values
        )


@kernel
def update_others(this, samples, net, work, is_fused, s, gain, bias_gain):
    """Overwrite D = dL/dZ of all layers but the first, and update their parameters.

    Of the second layer's weights, those from this member's halves.
    """
    depth, D = net.layers.shape[0], work.D
    for layer in range(depth - 1, 0, -1):
        c, below = layer_at(net.layers, layer), layer_at(net.layers, layer - 1)
        o, a = c.out + this.row * c.out_row, below.out + this.row * below.out_row
        if layer < depth - 1 or not is_fused:
            activate_backward(c.derivative, net.activation_parameters[layer],
                              work.Z, work.A, D, o, 0, c.n_out, 0, 1)  # fmt: skip
        if layer > 1:
            backward_and_update(samples.columns, samples.values, a,
                                a + this.counts[2 * layer - 2], this.tail, c,
                                D, o, a, gain)  # fmt: skip
            if this.has_l2:
                scale(D, a, below.n_out, D.dtype.type(s))
        else:
            for turn in range(this.member, this.halves, this.team):
                half = half_in_turn(this, turn)
                u0, u1 = half_of(samples, below, half, this.halves)
                backward_and_update(samples.columns, samples.values, a + u0,
                                    a + u0 + this.counts[half], net.params, c,
                                    D, o, a, gain)  # fmt: skip
                if this.has_l2:
                    scale(D, a + u0, min(u1, below.n_out) - u0, D.dtype.type(s))
        add_scaled(this.tail, c.b, D, o, c.ld_out, bias_gain)


@kernel
def half_in_turn(this, turn):
    """Return a half to update: one thread updates them last half first."""
    return turn if this.halves == this.team else this.halves - 1 - turn


@kernel
def update_half(this, samples, net, work, sparse, x, half, is_complete, gain, bias_gain):
    """Overwrite D = dL/dZ of a half of the first layer, and update its parameters.

    ``is_complete``: D is dL/dZ already. In blocks, the gradient of the weights is stored.
    """
    c, D, params = layer_at(net.layers, 0), work.D, net.params
    lanes = VECTOR_BYTES // params.itemsize
    o, (u0, u1) = c.out + this.row * c.out_row, half_of(samples, c, half, this.halves)
    if not is_complete:
        activate_backward(c.derivative, net.activation_parameters[0], work.Z, work.A, D,
                          o + u0, 0, min(u1, c.n_out) - u0, 0, 1)  # fmt: skip
    add_scaled(params, c.b + u0, D, o + u0, u1 - u0, bias_gain)
    if this.in_blocks:
        copy_scaled(samples.block.D, (x.number - x.begin) * c.ld_out, D, o, c.ld_out, gain)
    else:
        update_rows(sparse.columns, sparse.values, x.first, x.last, params, c, D, o, gain,
                    u0 // lanes, u1 // lanes)  # fmt: skip
    if sparse.shift.size > 0:
        add_scaled(samples.u, u0, D, o + u0, u1 - u0, gain)
        add_scaled(samples.q, u0, D, o + u0, u1 - u0, gain * x.dot)
