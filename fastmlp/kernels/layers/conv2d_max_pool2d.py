"""A convolution and the maxima of windows of its outputs, which are not stored.

For activations that do not decrease: then the maximum of f(z) is f of the maximum of z, so that f
is computed for windows, not for positions. Z, A and D are those of windows, and T holds the number
of the tap of each window that has the maximum.
"""

from ..buffers import image_at, layer_at
from ..emit.convolve_gradient import convolve_gradient_of_windows
from ..emit.emitter import VECTOR_BYTES
from ..emit.windows import maxima_of_window, spread_to_window
from ..machine.jit import kernel
from .conv2d import convolve_lines, gradient_of_filters, gradient_of_inputs
from .layout import activate_rectangle, scratch_of


@kernel(cached=True)
def conv2d_max_pool2d_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of Z and A, and of T if there is one."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.A.itemsize
    height, width = image.pool_height, image.pool_width
    pixel, line = image.out_channels * lanes, image.out_width * image.out_channels * lanes
    s = scratch_of(image, r0, lanes)
    for r in range(r0, r1, lanes):
        out = r * c.out_row
        for y in range(0, image.out_height, height):
            convolve_lines(c, image, work, net.params, r, y, height, work.scratch, s)
            for x in range(0, image.out_width, width):
                maxima_of_window(
                    work.scratch, s + x * pixel, image.out_channels, height, width, line, pixel,
                    work.Z, c.out + out, work.T, c.t + out, work.T.size > 0,
                )  # fmt: skip
                out += pixel
    activate_rectangle(c, net.activation_parameters[layer], work, box)


@kernel(cached=True)
def conv2d_max_pool2d_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.D.itemsize
    height, width = image.pool_height, image.pool_width
    pixel, line = image.out_channels * lanes, image.out_width * image.out_channels * lanes
    s = scratch_of(image, r0, lanes)
    for r in range(r0, r1, lanes):
        out = r * c.out_row
        for y in range(0, image.out_height, height):
            for x in range(0, image.out_width, width):
                spread_to_window(
                    work.D, c.out + out, work.T, c.t + out, image.out_channels,
                    height, width, line, pixel, work.scratch, s + y * line + x * pixel, False,
                )  # fmt: skip
                out += pixel
        gradient_of_inputs(c, image, work, net.params, r, work.scratch, s)


_add_filters = gradient_of_filters(convolve_gradient_of_windows)


@kernel(cached=True)
def conv2d_max_pool2d_gradient(me, net, work, layer, rows, overwrite):
    """Overwrite, or add to, the gradients of the member's filters."""
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    _add_filters(me, c, image, work, rows, overwrite)
