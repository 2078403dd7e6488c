"""The mean of each channel."""

from ..buffers import image_at, layer_at
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel


@kernel(cached=True)
def global_avg_pool2d_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of A."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes, A = VECTOR_BYTES // work.A.itemsize, work.A
    pixels, channels = image.in_height * image.in_width, image.in_channels
    share = A.dtype.type(1.0 / pixels)
    for r in range(r0, r1, lanes):
        inputs, outputs = c.in_ + r * c.in_row, c.out + r * c.out_row
        for j in range(outputs, outputs + channels * lanes):
            A[j] = A.dtype.type(0)
        for pixel in range(pixels):
            for j in range(channels * lanes):
                A[outputs + j] += A[inputs + pixel * channels * lanes + j]
        for j in range(outputs, outputs + channels * lanes):
            A[j] *= share


@kernel(cached=True)
def global_avg_pool2d_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes, D = VECTOR_BYTES // work.D.itemsize, work.D
    pixels, channels = image.in_height * image.in_width, image.in_channels
    share = D.dtype.type(1.0 / pixels)
    for r in range(r0, r1, lanes):
        inputs, outputs = c.in_ + r * c.in_row, c.out + r * c.out_row
        for pixel in range(pixels):
            for j in range(channels * lanes):
                D[inputs + pixel * channels * lanes + j] = share * D[outputs + j]
