"""The convolution of images: at every position, a = f(b + sum over the kernel of x W).

Members share samples in the forward and the backward pass, and filters in the gradient.
"""

from ..buffers import image_at, layer_at
from ..emit.convolve import convolve, convolve_back
from ..emit.convolve_gradient import convolve_gradient
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from .layout import activate_rectangle


@kernel(cached=True)
def conv2d_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of Z and A."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.A.itemsize
    for r in range(r0, r1, lanes):
        for p in range(c.ld_out // lanes):
            convolve(
                net.params, c.w + p * c.n_in * lanes, 0, work.A, c.in_ + r * c.in_row,
                net.params, c.b + p * lanes,
                work.Z, c.out + r * c.out_row + p * lanes * lanes,
                min(lanes, c.n_out - p * lanes), image,
            )  # fmt: skip
    activate_rectangle(c, net.activation_parameters[layer], work, box)


@kernel(cached=True)
def conv2d_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes = VECTOR_BYTES // work.A.itemsize
    for r in range(r0, r1, lanes):
        convolve_back(
            net.params, c.w, c.n_in * lanes, work.D, c.out + r * c.out_row,
            work.zeros, 0, work.D, c.in_ + r * c.in_row, image.in_channels, image,
        )  # fmt: skip


@kernel
def _positions(tap, n_in, n_out, stride, padding):
    """Return the outputs [first, last) that a tap reaches from within the image, on one axis."""
    first = max(0, (padding - tap + stride - 1) // stride)
    last = (n_in - 1 - tap + padding) // stride + 1
    return first, max(first, min(last, n_out))


@kernel
def _add_gradient(c, image, A, D, p, k0, k1, columns, rows, y_tap, source, keep, gain, target):
    """Set or add the gradient of weights k0 to k1, of one row of the kernel, to target.

    ``columns`` are the positions along x (first, last) that they reach.
    """
    lanes = VECTOR_BYTES // A.itemsize
    x0, x1 = columns
    y0, y1 = _positions(
        y_tap, image.in_height, image.out_height,
        image.stride_height, image.padding_height,
    )  # fmt: skip
    line, pixel = image.kernel_width * image.in_channels, image.in_channels * lanes
    y = y0 * image.stride_height + y_tap - image.padding_height
    x = x0 * image.stride_width - image.padding_width
    start = (y * image.in_width + x) * pixel + (k0 - y_tap * line) * lanes
    delta = (y0 * image.out_width + x0) * image.out_channels + p * lanes
    from_vector = source.size == lanes
    w = c.w + (p * c.n_in + k0) * lanes
    convolve_gradient(
        A, c.in_ + start, lanes * c.in_row,
        image.stride_height * image.in_width * pixel, image.stride_width * pixel,
        D, c.out + delta * lanes, lanes * c.out_row,
        image.out_width * image.out_channels * lanes, image.out_channels * lanes,
        (rows + lanes - 1) // lanes, y1 - y0, x1 - x0,
        source, 0 if from_vector else w, 0 if from_vector else lanes, keep, gain,
        target, w, lanes, k1 - k0, min(lanes, c.n_out - p * lanes),
    )  # fmt: skip


@kernel(cached=True)
def conv2d_gradient(A, D, c, image, p0, p1, k0, k1, rows, source, keep, gain, target):
    """target = keep source + gain dW for weights k0 to k1 into panels p0 to p1 of filters.

    ``source`` and ``target`` have the layout of the parameters, or ``source`` is one vector. The
    positions at which all columns of the kernel lie within the image come first, then the positions
    at the edges, one column of the kernel after the other.
    """
    lanes, one = VECTOR_BYTES // A.itemsize, A.dtype.type(1)
    channels, width = image.in_channels, image.kernel_width
    inner, _ = _positions(
        0, image.in_width, image.out_width, image.stride_width, image.padding_width
    )
    _, outer = _positions(
        width - 1, image.in_width, image.out_width, image.stride_width, image.padding_width
    )
    outer = max(inner, outer)
    for p in range(p0, p1):
        k = k0
        while k < k1:
            y_tap = k // (width * channels)
            end = min(k1, (y_tap + 1) * width * channels)
            _add_gradient(
                c, image, A, D, p, k, end, (inner, outer), rows, y_tap, source, keep, gain, target
            )
            while k < end:
                x_tap = k // channels - y_tap * width
                stop = min(end, (y_tap * width + x_tap + 1) * channels)
                first, last = _positions(
                    x_tap, image.in_width, image.out_width, image.stride_width,
                    image.padding_width,
                )  # fmt: skip
                if first < inner:
                    _add_gradient(c, image, A, D, p, k, stop, (first, min(inner, last)), rows,
                                  y_tap, target, one, gain, target)  # fmt: skip
                if last > outer:
                    _add_gradient(c, image, A, D, p, k, stop, (max(outer, first), last), rows,
                                  y_tap, target, one, gain, target)  # fmt: skip
                k = stop
        if source.size == lanes:
            # The target may hold the gradient of another panel, with more filters.
            for k in range(k0, k1):
                for j in range(c.n_out - p * lanes, lanes):
                    target[c.w + (p * c.n_in + k) * lanes + j] = source[j]
