"""The dropout layer: a = x / (1 - rate) for the features that are kept, else 0."""

from ..buffers import image_at, layer_at
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.view import view
from ..rules.dropout import drop, drop_lanes
from .layout import is_image


@kernel(inline=True)
def _drop(net, layer, array, start, to, key, first_row, box):
    """Copy a rectangle of inputs at ``start`` to ``to``, each element kept or 0."""
    p0, p1, r0, r1 = box
    c, stream = layer_at(net.layers, layer), image_at(net.images, layer).kernel_height
    rate, lanes = net.layer_parameters[layer], VECTOR_BYTES // array.itemsize
    if is_image(c):
        for r in range(r0, r1, lanes):
            size, offset = lanes * c.in_row, r * c.in_row
            drop_lanes(
                view(array, start + offset, size), view(array, to + offset, size),
                rate, key[0], key[1], first_row + r, stream,
            )  # fmt: skip
        return
    for p in range(p0, p1):
        n = min(lanes, c.width - p * lanes)
        for r in range(r0, r1):
            offset = p * c.in_panel + r * c.in_row
            drop(
                view(array, start + offset, n), view(array, to + offset, n),
                rate, key[0], key[1], first_row + r, stream, p * lanes,
            )  # fmt: skip


@kernel(cached=True)
def dropout_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite a rectangle of the outputs."""
    c = layer_at(net.layers, layer)
    _drop(net, layer, work.A, c.in_, c.out, key, first_row, box)


@kernel(cached=True)
def dropout_backward(net, work, key, first_row, layer, box):
    """Overwrite a rectangle of dL/dx, with the same mask."""
    c = layer_at(net.layers, layer)
    _drop(net, layer, work.D, c.out, c.in_, key, first_row, box)
