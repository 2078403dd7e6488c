"""Deferred updates of the per-sample step: two that would change every weight at every sample.

- L2 multiplies all weights by the same factor, which is stored separately: W = s V, and only s
  changes.
- The shift h of standardised inputs adds a multiple of h to every column of W (the gradient is
  (x + h) dz^T): W = s (V + h u^T), and only u changes; h V is kept up to date as q.

Both are exact. They are applied to the weights every SETTLED samples, at the end of a slice, and
when s becomes small.
"""

from ..buffers import QUARTERS, layer_at
from ..emit.elementary import fma
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.view import view
from .sample_operations import add_products, add_scaled, half_of, scale

# Deferred updates are applied every SETTLED samples, a multiple of SAMPLE_BLOCK. Slices of an epoch
# end there, so that bits do not depend on the clock; where log_every ends one earlier, bits change.
SETTLED = 512
_LEAST_SCALE = 1e-3


@kernel
def is_due(end, last, s):
    """Whether deferred updates must be applied after ``end`` samples of the epoch."""
    return end % SETTLED == 0 or end == last or s < _LEAST_SCALE


@kernel
def dot_with_shift(sparse, first, last):
    """Return h . x for a row."""
    total = sparse.values.dtype.type(0)
    for e in range(first, last):
        total = fma(sparse.values[e], sparse.shift[sparse.columns[e]], total)
    return total


@kernel
def multiply_shift(member, team, sparse, samples, net, zeros):
    """u = 0 and q = h V, for this member's units of the first layer."""
    lanes, params = VECTOR_BYTES // net.params.itemsize, net.params
    shift = sparse.starts.size - 1 - QUARTERS  # the row after the last
    halves = 2 if samples.half > 0 else 1
    c = layer_at(net.layers, 0)
    for half in range(member, halves, team):
        u0, u1 = half_of(samples, c, half, halves)
        u = view(samples.u, u0, u1 - u0)
        for j in range(u.size):
            u[j] = 0
        add_products(
            sparse.columns, sparse.values, sparse.starts[shift], sparse.starts[shift + QUARTERS],
            params, c, zeros, 0, 0, samples.q, 0, u0 // lanes, u1 // lanes,
        )  # fmt: skip


@kernel
def apply_deferred(member, team, sparse, samples, net, zeros, factor, tail):
    """Apply deferred updates: W = factor (V + h u^T) for this member's weights, in place."""
    lanes, params = VECTOR_BYTES // net.params.itemsize, net.params
    halves = 2 if samples.half > 0 else 1
    c0 = layer_at(net.layers, 0)
    for layer in range(net.layers.shape[0]):
        c = layer_at(net.layers, layer)
        if layer > 1:
            scale(tail, c.w, c.n_in * c.ld_out, factor)
            continue
        for half in range(member, halves, team):
            u0, u1 = half_of(samples, c0, half, halves)
            if layer == 1:  # the rows of the units of this half
                for p in range(c.ld_out // lanes):
                    rows = min(u1, c.n_in) - u0
                    scale(params, c.w + (p * c.n_in + u0) * lanes, rows * lanes, factor)
                continue
            for p in range(u0 // lanes, u1 // lanes):
                w = c.w + p * c.n_in * lanes
                if sparse.shift.size > 0:
                    for k in range(c.n_in):
                        add_scaled(
                            params, w + k * lanes, samples.u, p * lanes, lanes, sparse.shift[k]
                        )
                scale(params, w, c.n_in * lanes, factor)
    if sparse.shift.size > 0:
        multiply_shift(member, team, sparse, samples, net, zeros)
