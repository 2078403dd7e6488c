"""Clipping of gradients before an update, and of weights after it."""

import math

import numpy as np

from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.view import view


@kernel
def squared_norm(g):
    """Return sum_j g_j^2, in float64."""
    total = 0.0
    for j in range(g.size):
        v = np.float64(g[j])  # float() would leave a float32 as it is, and its square overflow
        total += v * v
    return total


@kernel
def norm_factor(group_norms, limit):
    """Return the factor that limits the norm of all gradients to ``limit``; at most 1.

    As in PyTorch's clip_grad_norm_: limit / (norm + 1e-6). ``group_norms`` holds the squared norms
    of the groups.
    """
    total = 0.0
    for r in range(group_norms.size):
        total += group_norms[r]
    return min(1.0, limit / (math.sqrt(total) + 1e-6))


@kernel
def clip(g, factor, limit):
    """g = factor g, then clipped to [-limit, limit] unless limit is 0."""
    factor, limit = g.dtype.type(factor), g.dtype.type(limit)
    for j in range(g.size):
        v = factor * g[j]
        if limit > 0:
            v = min(max(v, -limit), limit)
        g[j] = v


@kernel
def limit_unit_norms(W, w, n_in, limit):
    """Scale columns of a panel of W to the norm ``limit`` where they exceed it.

    A column holds the weights into one unit (Srivastava et al. 2014, section 5.1).
    """
    lanes = VECTOR_BYTES // W.itemsize
    for j in range(lanes):
        total = 0.0
        for k in range(n_in):
            v = np.float64(view(W, w + k * lanes + j, 1)[0])
            total += v * v
        if total > limit * limit:
            factor = W.dtype.type(limit / math.sqrt(total))
            for k in range(n_in):
                view(W, w + k * lanes + j, 1)[0] *= factor
