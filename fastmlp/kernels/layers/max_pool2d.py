"""The largest element of each window of each channel; the gradient goes to the first of them."""

from ..buffers import image_at, layer_at
from ..emit.emitter import VECTOR_BYTES
from ..emit.windows import max_of_window, spread_to_maximum
from ..machine.jit import kernel
from .windows import are_tiles, clear_inputs, window_at


@kernel(cached=True)
def max_pool2d_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of A."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.A.itemsize
    pixel = image.in_channels * lanes
    for r in range(r0, r1, lanes):
        for position in range(image.out_height * image.out_width):
            for channel in range(image.out_channels):
                first, target = window_at(c, image, r, position, channel, lanes)
                max_of_window(
                    work.A, first, image.kernel_height, image.kernel_width,
                    image.in_width * pixel, pixel, target,
                )  # fmt: skip


@kernel(cached=True)
def max_pool2d_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.A.itemsize
    pixel, adds = image.in_channels * lanes, 0 if are_tiles(image) else 1
    if adds:
        clear_inputs(c, work.D, r0, r1, lanes)
    for r in range(r0, r1, lanes):
        for position in range(image.out_height * image.out_width):
            for channel in range(image.out_channels):
                first, source = window_at(c, image, r, position, channel, lanes)
                spread_to_maximum(
                    work.A, first, image.kernel_height, image.kernel_width,
                    image.in_width * pixel, pixel, work.D, first, source, adds,
                )  # fmt: skip
