"""The gradient of the biases of channels, for layers whose outputs are images."""

from ..emit.convolve_gradient import convolve_gradient
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel


@kernel
def image_bias_gradient(c, image, work, p0, p1, rows, overwrite):
    """db = the sum of dZ over samples and positions, for some panels of channels.

    A bias is the weight of an input that is 1 everywhere.
    """
    lanes, one = VECTOR_BYTES // work.D.itemsize, work.D.dtype.type(1)
    pixel = image.out_channels * lanes
    for p in range(p0, p1):
        b = c.b + p * lanes
        convolve_gradient(
            work.ones, 0, 0, 0, 0,
            work.D, c.out + p * lanes * lanes, lanes * c.out_row, image.out_width * pixel, pixel,
            (rows + lanes - 1) // lanes, image.out_height, image.out_width,
            work.zeros if overwrite else work.grads, 0 if overwrite else b, 0, one, one,
            work.grads, b, 0, 1, min(lanes, c.n_out - p * lanes),
        )  # fmt: skip
        if overwrite:
            for j in range(c.n_out - p * lanes, lanes):
                work.grads[b + j] = work.zeros[j]
