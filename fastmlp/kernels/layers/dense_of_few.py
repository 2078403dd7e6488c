"""The dense layer of few inputs: the gradients of several panels of units at once.

A tile of two rows waits for each multiply-add: the gradient of 2-100 in float64 took 5 us for 200
rows, 2 us so.
"""

from ..emit.emitter import VECTOR_BYTES
from ..emit.narrow import gradients_of_few
from ..machine.jit import kernel
from .dense import dense_backward, dense_forward, dense_forward_of_sparse

dense_of_few_forward, dense_of_few_backward = dense_forward, dense_backward
dense_of_few_forward_of_sparse = dense_forward_of_sparse


@kernel(cached=True)
def dense_of_few_weight_gradient(
    sparse, columns, A, D, c, p0, p1, k0, k1, rows, source, keep, gain, target
):
    """target = keep source + gain A^T dZ for all inputs and some panels of units.

    ``source`` has the layout of the parameters, or it is one vector.
    """
    lanes = VECTOR_BYTES // A.itemsize
    if p0 == p1 or k0 >= k1:
        return
    from_vector = source.size == lanes
    w, apart = c.w + p0 * c.n_in * lanes, c.n_in * lanes
    gradients_of_few(
        D, c.out + p0 * c.out_panel, c.out_row, c.out_panel, A, c.in_, c.in_row,
        source, 0 if from_vector else w, 0 if from_vector else apart, 0 if from_vector else lanes,
        keep, gain, target, w, apart, p1 - p0, rows, c.n_in,
    )  # fmt: skip
