"""Clipping of gradients before an update, and of weights after it."""

import math

import numpy as np

from ..emit.elementary import fma
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.view import view
from .sums import add_products, add_up

# Columns of a panel that are summed together; the lanes of float64.
_COLUMNS = 8


@kernel
def squared_norm(g):
    """Return sum_j g_j^2, in float64."""
    return add_products(g, g)


@kernel
def norm_factor(group_norms, limit):
    """Return the factor that limits the norm of all gradients to ``limit``; at most 1.

    As in PyTorch's clip_grad_norm_: limit / (norm + 1e-6). ``group_norms`` holds the squared norms
    of the groups.
    """
    return min(1.0, limit / (math.sqrt(add_up(group_norms)) + 1e-6))


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
    for first in range(0, lanes, _COLUMNS):
        squares = _squared_norms(W, w + first, n_in, lanes)
        for j in range(_COLUMNS):
            if squares[j] > limit * limit:
                factor = W.dtype.type(limit / math.sqrt(squares[j]))
                for k in range(n_in):
                    view(W, w + k * lanes + first + j, 1)[0] *= factor


@kernel
def _squared_norms(W, w, n_in, lanes):
    """Return the squared norms of eight columns of a panel, each summed in the order of its rows.

    Together, because each addition to a sum waits four cycles for the one before.
    """
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for k in range(n_in):
        row = view(W, w + k * lanes, _COLUMNS)
        s0 = fma(np.float64(row[0]), np.float64(row[0]), s0)
        s1 = fma(np.float64(row[1]), np.float64(row[1]), s1)
        s2 = fma(np.float64(row[2]), np.float64(row[2]), s2)
        s3 = fma(np.float64(row[3]), np.float64(row[3]), s3)
        s4 = fma(np.float64(row[4]), np.float64(row[4]), s4)
        s5 = fma(np.float64(row[5]), np.float64(row[5]), s5)
        s6 = fma(np.float64(row[6]), np.float64(row[6]), s6)
        s7 = fma(np.float64(row[7]), np.float64(row[7]), s7)
    return s0, s1, s2, s3, s4, s5, s6, s7
