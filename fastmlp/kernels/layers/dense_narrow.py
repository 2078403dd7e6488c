"""The dense layer with few units: a = f(x W + b), with inputs in the lanes.

100-1 in float64 took 5.4 us forward for 200 rows in tiles, of whose vectors it fills an eighth.
"""

from ..buffers import layer_at
from ..emit.elementary import fma
from ..emit.emitter import VECTOR_BYTES
from ..emit.narrow import narrow_gradients, narrow_input_gradients, narrow_outputs, new_strip
from ..machine.jit import kernel
from .dense import dense_forward_of_sparse
from .layout import activate_rectangle

dense_narrow_forward_of_sparse = dense_forward_of_sparse


@kernel
def _transposed(params, c, q0, q1):
    """Return W^T of some panels of inputs, units apart by the padded number of inputs."""
    lanes = VECTOR_BYTES // params.itemsize
    strip = new_strip(params)
    for j in range(c.n_out):
        row = j * c.ld_in
        for k in range(q0 * lanes, min(q1 * lanes, c.n_in)):
            strip[row + k] = params[c.w + k * lanes + j]
        for k in range(max(q0 * lanes, c.n_in), q1 * lanes):
            strip[row + k] = 0
    return strip


@kernel(cached=True)
def dense_narrow_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite some rows of Z = A W + b and A = f(Z)."""
    p0, p1, r0, r1 = box
    c = layer_at(net.layers, layer)
    if p0 < p1 and r0 < r1:
        lanes = VECTOR_BYTES // work.A.itemsize
        strip = _transposed(net.params, c, 0, c.ld_in // lanes)
        narrow_outputs(
            work.A, c.in_ + r0 * c.in_row, c.in_row, c.in_panel, strip, c.ld_in,
            net.params, c.b, work.Z, c.out + r0 * c.out_row, c.out_row, r1 - r0, c.n_out,
        )  # fmt: skip
    activate_rectangle(c, net.activation_parameters[layer], work, box)


@kernel(cached=True)
def dense_narrow_backward(net, work, key, first_row, layer, box):
    """Overwrite a rectangle of dL/dA of the layer's inputs."""
    p0, p1, r0, r1 = box
    c = layer_at(net.layers, layer)
    strip = _transposed(net.params, c, p0, p1)
    for p in range(p0, p1):
        narrow_input_gradients(
            work.D, c.out + r0 * c.out_row, c.out_row, strip, c.ld_in, p,
            work.D, c.in_ + p * c.in_panel + r0 * c.in_row, c.in_row, r1 - r0, c.n_out,
        )  # fmt: skip


@kernel(cached=True)
def dense_narrow_weight_gradient(
    sparse, columns, A, D, c, p0, p1, k0, k1, rows, source, keep, gain, target
):
    """target = keep source + gain A^T dZ for inputs k0 to k1.

    ``source`` has the layout of the parameters, or it is one vector of zeros.
    """
    lanes = VECTOR_BYTES // A.itemsize
    if p0 == p1 or k0 >= k1:
        return
    sums, q0 = new_strip(A), k0 // lanes
    narrow_gradients(
        A, c.in_ + q0 * c.in_panel, c.in_row, c.in_panel, D, c.out, c.out_row,
        sums, c.ld_in, (k1 + lanes - 1) // lanes - q0, rows, c.n_out,
    )  # fmt: skip
    from_vector = source.size == lanes
    for k in range(k0, k1):
        w = c.w + k * lanes
        s = 0 if from_vector else w
        for j in range(c.n_out):
            target[w + j] = fma(gain, sums[j * c.ld_in + k - k0], keep * source[s + j])
        if from_vector:  # else they are 0 already
            for j in range(c.n_out, lanes):
                target[w + j] = 0
