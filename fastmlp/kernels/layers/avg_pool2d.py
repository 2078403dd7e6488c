"""The mean of each window of each channel."""

from ..buffers import image_at, layer_at
from ..emit.elementary import fma
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from .windows import clear_inputs, window_at


@kernel(cached=True)
def avg_pool2d_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of A."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes, A = VECTOR_BYTES // work.A.itemsize, work.A
    line = image.in_width * image.in_channels * lanes
    share = A.dtype.type(1.0 / (image.kernel_height * image.kernel_width))
    for r in range(r0, r1, lanes):
        for position in range(image.out_height * image.out_width):
            for channel in range(image.out_channels):
                first, target = window_at(c, image, r, position, channel, lanes)
                for lane in range(lanes):
                    A[target + lane] = A.dtype.type(0)
                for y in range(image.kernel_height):
                    for x in range(image.kernel_width):
                        a = first + y * line + x * image.in_channels * lanes
                        for lane in range(lanes):
                            A[target + lane] += A[a + lane]
                for lane in range(lanes):
                    A[target + lane] *= share


@kernel(cached=True)
def avg_pool2d_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes, D = VECTOR_BYTES // work.D.itemsize, work.D
    line = image.in_width * image.in_channels * lanes
    share = D.dtype.type(1.0 / (image.kernel_height * image.kernel_width))
    clear_inputs(c, D, r0, r1, lanes)
    for r in range(r0, r1, lanes):
        for position in range(image.out_height * image.out_width):
            for channel in range(image.out_channels):
                first, source = window_at(c, image, r, position, channel, lanes)
                for y in range(image.kernel_height):
                    for x in range(image.kernel_width):
                        d = first + y * line + x * image.in_channels * lanes
                        for lane in range(lanes):
                            D[d + lane] = fma(share, D[source + lane], D[d + lane])
