"""Dropout: masks from a counter-based generator, which need no order.

Whether a unit is kept depends only on the seed, the epoch, the row's index in the epoch, the layer
and the unit: the backward pass can compute the same mask again, and neither threads nor slices
change a bit. Of images, the mask is kept in Work.T.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel

_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@intrinsic
def _high_product(typingctx, a, b):
    """Return the upper 64 bits of a * b."""

    def codegen(context, builder, signature, args):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@kernel
def philox(c0, c1, c2, c3, k0, k1):
    """Return four random uint64 for a counter and a key: Philox4x64-10 (Salmon et al. 2011).

    NumPy's ``Philox(key=[k0, k1])`` gives these for the counter one below.
    """
    for _ in range(10):
        h0, l0 = _high_product(_M0, c0), _M0 * c0
        h1, l1 = _high_product(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
        k0, k1 = k0 + _W0, k1 + _W1
    return c0, c1, c2, c3


@kernel
def drop(x, out, rate, k0, k1, row, layer, start):
    """Overwrite ``out`` with x / (1 - rate) for units that are kept, else 0.

    The units start at index ``start``, a multiple of eight. Eight units share the counter (unit //
    8, index of the row in the epoch, layer, 0); each takes 32 bits, the lower half of a word first,
    and is kept if they reach rate * 2^32.
    """
    limit, gain = np.uint64(rate * 4294967296.0), x.dtype.type(1.0 / (1.0 - rate))
    for first in range(0, x.size, 8):
        words = philox(
            np.uint64((start + first) // 8),
            np.uint64(row),
            np.uint64(layer),
            np.uint64(0),
            k0,
            k1,
        )
        for j in range(first, min(first + 8, x.size)):
            word = words[(j - first) // 2]
            bits = word >> _HALF if j % 2 else word & _LOW
            out[j] = x[j] * gain if bits >= limit else x.dtype.type(0)


@kernel
def draw_lanes(mask, rate, k0, k1, row, layer):
    """Overwrite ``mask`` with 1 for units that :func:`drop` keeps, else 0.

    For a group of rows from ``row`` on: a vector of rows for each unit. Without a branch, which
    every second unit would mispredict.
    """
    lanes = VECTOR_BYTES // mask.itemsize
    limit = np.uint64(rate * 4294967296.0)
    for first in range(0, mask.size // lanes, 8):
        for lane in range(lanes):
            words = philox(
                np.uint64(first // 8), np.uint64(row + lane), np.uint64(layer), np.uint64(0), k0, k1
            )
            for j in range(8):
                word = words[j // 2]
                bits = word >> _HALF if j % 2 else word & _LOW
                mask[(first + j) * lanes + lane] = mask.dtype.type(bits >= limit)


@kernel
def drop_by(mask, x, out, rate):
    """Overwrite ``out`` with x / (1 - rate) where the mask is 1, else 0."""
    gain, zero = x.dtype.type(1.0 / (1.0 - rate)), x.dtype.type(0)
    for i in range(x.size):
        out[i] = x[i] * gain if mask[i] != zero else zero
