"""From rows of features to images: the same elements, stored in another way."""

from ..buffers import layer_at
from ..machine.jit import kernel
from .flatten import copy_to_images


@kernel(cached=True)
def unflatten_forward(net, work, sparse, order, key, first_row, layer, box):
    """Copy rows of inputs to images; lanes without a row become 0, as sums include them."""
    c, (_, _, r0, r1) = layer_at(net.layers, layer), box
    copy_to_images(work.A, c.in_, c.in_row, c.in_panel, c.out, c.out_row, r0, r1)
