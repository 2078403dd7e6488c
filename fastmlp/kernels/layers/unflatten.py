"""From rows of features to images: the same elements, stored in another way."""

from ..buffers import layer_at
from ..emit.emitter import VECTOR_BYTES
from ..emit.transpose import transpose_block
from ..machine.jit import kernel


@kernel(cached=True)
def unflatten_forward(net, work, sparse, order, key, first_row, layer, box):
    """Copy rows of inputs to images; lanes without a row become 0, as sums include them."""
    c, (_, _, r0, r1), A = layer_at(net.layers, layer), box, work.A
    lanes, zero = VECTOR_BYTES // A.itemsize, A.dtype.type(0)
    for r in range(r0, r1, lanes):
        group = c.out + r * c.out_row
        for p in range(c.out_row // lanes):
            transpose_block(
                A, c.in_ + p * c.in_panel + r * c.in_row, c.in_row,
                A, group + p * lanes * lanes, lanes,
            )  # fmt: skip
        for lane in range(r1 - r, lanes):
            for f in range(c.out_row):
                A[group + f * lanes + lane] = zero
