"""The gradient of the biases of channels, for layers whose outputs are images."""

from ..emit.convolve_gradient import sum_gradient
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel


@kernel(inline=True)
def image_bias_gradient(c, image, work, filters, rows, overwrite):
    """db = the sum of dZ over samples and positions, for filters (first, last).

    A bias is the weight of an input that is 1 everywhere. After pooling, the sum over the windows
    is that over the positions.
    """
    first, last = filters
    lanes = VECTOR_BYTES // work.D.itemsize
    pixel = image.out_channels * lanes
    height, width = image.out_height // image.pool_height, image.out_width // image.pool_width
    sum_gradient(
        work.ones, 0, 0, 0, 0, 0,
        work.D, c.out + first * lanes, lanes * c.out_row, width * pixel, pixel, work.T, 0,
        (rows + lanes - 1) // lanes, (0, height), (0, width), (1, 1),
        work.grads, c.b + first, 0, 1, 1, last - first, overwrite,
    )  # fmt: skip
