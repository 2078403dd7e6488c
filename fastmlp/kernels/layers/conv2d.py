"""The convolution of images: at every position, a = f(b + sum over the kernel of x W).

Members share samples in the forward and the backward pass, and filters in the gradient.
"""

from ..buffers import image_at, layer_at
from ..emit.convolve import convolve, convolve_back
from ..emit.convolve_gradient import convolve_gradient
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.team import share
from .image_bias import image_bias_gradient
from .layout import activate_rectangle


@kernel(inline=True)
def convolve_lines(c, image, work, params, r, y, lines, Z, z):
    """Write lines y to y + lines of Z of a group of rows, from Z[z] on."""
    lanes = VECTOR_BYTES // work.A.itemsize
    for p in range(c.ld_out // lanes):
        convolve(
            params, c.w + p * c.n_in * lanes, 0, work.A, c.in_ + r * c.in_row,
            params, c.b + p * lanes, Z, z + p * lanes * lanes,
            min(lanes, c.n_out - p * lanes), image, y, lines,
        )  # fmt: skip


@kernel(cached=True)
def conv2d_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of Z and A."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    for r in range(r0, r1, VECTOR_BYTES // work.A.itemsize):
        z = c.out + r * c.out_row
        convolve_lines(c, image, work, net.params, r, 0, image.out_height, work.Z, z)
    activate_rectangle(c, net.activation_parameters[layer], work, box)


@kernel(inline=True)
def gradient_of_inputs(c, image, work, params, r, D, d):
    """Overwrite dL/dA of the inputs of a group of rows; dL/dZ is at D[d]."""
    lanes = VECTOR_BYTES // work.D.itemsize
    convolve_back(
        params, c.w, c.n_in * lanes, D, d, work.zeros, 0,
        work.D, c.in_ + r * c.in_row, image.in_channels, image, 0, image.in_height,
    )  # fmt: skip


@kernel(cached=True)
def conv2d_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    for r in range(r0, r1, VECTOR_BYTES // work.D.itemsize):
        gradient_of_inputs(c, image, work, net.params, r, work.D, c.out + r * c.out_row)


@kernel
def _positions(tap, n_in, n_out, stride, padding):
    """Return the outputs [first, last) that a tap reaches from within the image, on one axis."""
    first = max(0, (padding - tap + stride - 1) // stride)
    last = (n_in - 1 - tap + padding) // stride + 1
    return first, max(first, min(last, n_out))


@kernel
def is_inside(image):
    """Whether all windows lie within the image."""
    last_y = (image.out_height - 1) * image.stride_height + image.kernel_height
    last_x = (image.out_width - 1) * image.stride_width + image.kernel_width
    return (
        image.padding_height == 0 and last_y <= image.in_height
        and image.padding_width == 0 and last_x <= image.in_width
    )  # fmt: skip


@kernel(inline=True)
def _clear_padding(c, grads, lanes):
    """Set the gradients of the cells that fill up the last panel to 0."""
    panel = c.ld_out // lanes - 1
    for j in range(c.n_out - panel * lanes, lanes):
        grads[c.b + panel * lanes + j] = grads.dtype.type(0)
        for k in range(c.n_in):
            grads[c.w + (panel * c.n_in + k) * lanes + j] = grads.dtype.type(0)


def gradient_of_filters(product):
    """Return the kernel of the weight gradient of a member's filters, by a product of vectors."""

    @kernel(inline=True)
    def add_taps(c, image, work, filters, rows, y_taps, taps, columns, overwrite):
        """Add the gradient of weights of rows of the kernel, ``y_taps`` (first, last), from tap and
        channel ``taps[0]`` to ``taps[1]`` of each, at positions ``columns`` (first, last) along x.
        """
        (f0, f1), (k0, k1), (y0, y1) = filters, taps, y_taps
        lanes = VECTOR_BYTES // work.A.itemsize
        pixel, line = image.in_channels * lanes, image.in_width * image.in_channels * lanes
        x = (y0 - image.padding_height) * line - image.padding_width * pixel + k0 * lanes
        column = image.out_channels * lanes
        p = f0 // lanes
        k = y0 * image.kernel_width * image.in_channels + k0
        product(
            work.A, c.in_ + x, lanes * c.in_row,
            image.stride_height * line, image.stride_width * pixel, line,
            work.D, c.out + f0 * lanes, lanes * c.out_row,
            image.out_width // image.pool_width * column, column,
            work.T, c.t + f0 * lanes, (rows + lanes - 1) // lanes,
            _positions(y0, image.in_height, image.out_height,
                       image.stride_height, image.padding_height),
            columns, (image.pool_height, image.pool_width),
            work.grads, c.w + (p * c.n_in + k) * lanes + f0 - p * lanes, lanes,
            k1 - k0, (k1 - k0) * (y1 - y0), f1 - f0, overwrite,
        )  # fmt: skip

    @kernel(inline=True)
    def add_panel(c, image, work, filters, rows, overwrite):
        """Add the gradient of filters of one panel.

        Where all windows lie within the image, all rows of the kernel are added together. Else, for
        each row, the positions at which all its columns lie within the image come first, then those
        at either edge, one column after the other. One call serves all: each further one would be
        compiled once more, with all its tiles.
        """
        channels, width, is_whole = image.in_channels, image.kernel_width, is_inside(image)
        sizes = image.in_width, image.out_width, image.stride_width, image.padding_width
        inner, _ = _positions(0, *sizes)
        _, outer = _positions(width - 1, *sizes)
        outer = max(inner, outer)
        for y in range(1 if is_whole else image.kernel_height):
            for part in range(1 if is_whole else 1 + 2 * width):
                y_taps = (0, image.kernel_height) if is_whole else (y, y + 1)
                taps, columns = (0, width * channels), (inner, outer)
                if part > 0:
                    x = (part - 1) // 2
                    first, last = _positions(x, *sizes)
                    taps = x * channels, (x + 1) * channels
                    columns = (first, min(inner, last)) if part % 2 else (max(outer, first), last)
                    if columns[0] >= columns[1]:
                        continue
                is_first = overwrite and part == 0
                add_taps(c, image, work, filters, rows, y_taps, taps, columns, is_first)

    @kernel(inline=True)
    def add_filters(me, c, image, work, rows, overwrite):
        """Overwrite, or add to, the gradients of the member's filters."""
        lanes = VECTOR_BYTES // work.A.itemsize
        first, last = share(c.n_out, 1, me.number, me.team)
        for p in range(first // lanes, (last + lanes - 1) // lanes):
            filters = max(first, p * lanes), min(last, (p + 1) * lanes)
            add_panel(c, image, work, filters, rows, overwrite)
            image_bias_gradient(c, image, work, filters, rows, overwrite)
        if overwrite and last == c.n_out:
            _clear_padding(c, work.grads, lanes)

    return add_filters


_add_filters = gradient_of_filters(convolve_gradient)


@kernel(cached=True)
def conv2d_gradient(me, net, work, layer, rows, overwrite):
    """Overwrite, or add to, the gradients of the member's filters."""
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    _add_filters(me, c, image, work, rows, overwrite)
