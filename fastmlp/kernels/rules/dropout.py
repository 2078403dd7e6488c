"""Dropout: masks from a counter-based generator, which need no order.

Whether a unit is kept depends only on the seed, the epoch, the row's index in the epoch, the layer
and the unit: the backward pass can compute the same mask again, and neither threads nor slices
change a bit. Of images, the mask is kept in Work.T.
"""

import numpy as np

from ..emit.draws import draw_group, drop_panel
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel


@kernel
def _limit(rate):
    """Return the least 32-bit number with which a unit is kept."""
    return np.uint64(rate * 4294967296.0)


@kernel
def drop(A, at, to, row, rows, rate, k0, k1, first_row, stream, panel):
    """Overwrite rows of a panel at ``to`` with x / (1 - rate) for units that are kept, else 0.

    x is the panel at ``at``; rows are ``row`` elements apart, ``first_row`` is the index of the
    first one in the epoch.
    """
    if rows > 0:
        gain = A.dtype.type(1.0 / (1.0 - rate))
        drop_panel(A, at, to, row, rows, first_row, panel, stream, k0, k1, _limit(rate), gain)


@kernel
def draw_lanes(T, to, size, rate, k0, k1, first_row, stream):
    """Overwrite ``size`` elements with 1 for units that :func:`drop` keeps, else 0.

    For a group of rows: a vector of rows for each unit.
    """
    lanes = VECTOR_BYTES // T.itemsize
    draw_group(T, to, size // lanes, first_row, stream, k0, k1, _limit(rate))


@kernel
def drop_by(mask, x, out, rate):
    """Overwrite ``out`` with x / (1 - rate) where the mask is 1, else 0."""
    gain, zero = x.dtype.type(1.0 / (1.0 - rate)), x.dtype.type(0)
    for i in range(x.size):
        out[i] = x[i] * gain if mask[i] != zero else zero
