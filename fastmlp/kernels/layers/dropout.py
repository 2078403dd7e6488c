"""The dropout layer: a = x / (1 - rate) for the features that are kept, else 0."""

from ..buffers import image_at, layer_at
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.view import view
from ..rules.dropout import draw_lanes, drop, drop_by
from .layout import is_image


@kernel(inline=True)
def _drop(net, layer, array, start, to, key, first_row, box):
    """Copy a rectangle of inputs at ``start`` to ``to``, each element kept or 0."""
    p0, p1, r0, r1 = box
    c, stream = layer_at(net.layers, layer), image_at(net.images, layer).kernel_height
    rate = net.layer_parameters[layer]
    for p in range(p0, p1):
        offset = p * c.in_panel + r0 * c.in_row
        drop(
            array, start + offset, to + offset, c.in_row, r1 - r0,
            rate, key[0], key[1], first_row + r0, stream, p,
        )  # fmt: skip


@kernel(inline=True)
def _drop_images(c, mask, rate, array, start, to, box):
    """Copy the images of rows at ``start`` to ``to``, with the masks at ``mask``."""
    p0, p1, r0, r1 = box
    lanes = VECTOR_BYTES // array.itemsize
    block = lanes * lanes
    for r in range(r0, r1, lanes):
        first, size = r * c.in_row + p0 * block, (p1 - p0) * block
        drop_by(
            view(mask, c.t + first, size),
            view(array, start + first, size), view(array, to + first, size), rate,
        )  # fmt: skip


@kernel(cached=True)
def dropout_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite a rectangle of the outputs; of images, all rows of it, and T with the mask."""
    c, rate = layer_at(net.layers, layer), net.layer_parameters[layer]
    if not is_image(c):
        _drop(net, layer, work.A, c.in_, c.out, key, first_row, box)
        return
    _, _, r0, r1 = box
    lanes, stream = VECTOR_BYTES // work.A.itemsize, image_at(net.images, layer).kernel_height
    for r in range(r0, r1, lanes):
        size = lanes * c.in_row
        draw_lanes(work.T, c.t + r * c.in_row, size, rate, key[0], key[1], first_row + r, stream)
    _drop_images(c, work.T, rate, work.A, c.in_, c.out, box)


@kernel(cached=True)
def dropout_backward(net, work, key, first_row, layer, box):
    """Overwrite a rectangle of dL/dx, with the same mask."""
    c = layer_at(net.layers, layer)
    if is_image(c):
        rate = net.layer_parameters[layer]
        _drop_images(c, work.T, rate, work.D, c.out, c.in_, box)
    else:
        _drop(net, layer, work.D, c.out, c.in_, key, first_row, box)
