"""From images to rows: the same elements, stored in another way."""

from ..buffers import layer_at
from ..emit.emitter import VECTOR_BYTES
from ..emit.transpose import transpose_block
from ..machine.jit import kernel


@kernel
def copy_to_images(array, start, row, panel, to, ld, r0, r1):
    """Copy rows r0 to r1 of panels at ``start`` to an image at ``to``; other lanes become 0."""
    lanes = VECTOR_BYTES // array.itemsize
    zero = array.dtype.type(0)
    for r in range(r0, r1, lanes):
        group = to + r * ld
        for p in range(ld // lanes):
            transpose_block(array, start + p * panel + r * row, row,
                            array, group + p * lanes * lanes, lanes)  # fmt: skip
        for lane in range(r1 - r, lanes):
            for f in range(ld):
                array[group + f * lanes + lane] = zero


@kernel(cached=True)
def flatten_forward(net, work, sparse, order, key, first_row, layer, box):
    """Copy a rectangle of the images below to panels."""
    c, (p0, p1, r0, r1) = layer_at(net.layers, layer), box
    lanes = VECTOR_BYTES // work.A.itemsize
    for r in range(r0, r1, lanes):
        for p in range(p0, p1):
            transpose_block(
                work.A, c.in_ + r * c.in_row + p * lanes * lanes, lanes,
                work.A, c.out + p * c.out_panel + r * c.out_row, c.out_row,
            )  # fmt: skip


@kernel(cached=True)
def flatten_backward(net, work, key, first_row, layer, box):
    """Copy rows of gradients to images. Lanes without a row are 0."""
    c, (_, _, r0, r1) = layer_at(net.layers, layer), box
    copy_to_images(work.D, c.out, c.out_row, c.out_panel, c.in_, c.in_row, r0, r1)
