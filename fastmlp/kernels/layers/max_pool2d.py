"""The largest element of each window of each channel; the gradient goes to the first of them.

T holds the number of the tap of each window that has the maximum.
"""

from ..buffers import image_at, layer_at
from ..emit.emitter import VECTOR_BYTES
from ..emit.windows import maxima_of_window, spread_to_window
from ..machine.jit import kernel
from .windows import are_tiles, clear_inputs, window_at


@kernel(cached=True)
def max_pool2d_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of A, and of T if there is one."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.A.itemsize
    pixel = image.in_channels * lanes
    for r in range(r0, r1, lanes):
        for position in range(image.out_height * image.out_width):
            first, target = window_at(c, image, r, position, 0, lanes)
            maxima_of_window(
                work.A, first, image.out_channels, image.kernel_height, image.kernel_width,
                image.in_width * pixel, pixel,
                work.A, target, work.T, target - c.out + c.t, work.T.size > 0,
            )  # fmt: skip


@kernel(cached=True)
def max_pool2d_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.D.itemsize
    pixel, adds = image.in_channels * lanes, not are_tiles(image)
    if adds:
        clear_inputs(c, work.D, r0, r1, lanes)
    for r in range(r0, r1, lanes):
        for position in range(image.out_height * image.out_width):
            first, source = window_at(c, image, r, position, 0, lanes)
            spread_to_window(
                work.D, source, work.T, source - c.out + c.t, image.out_channels,
                image.kernel_height, image.kernel_width, image.in_width * pixel, pixel,
                work.D, first, adds,
            )  # fmt: skip
