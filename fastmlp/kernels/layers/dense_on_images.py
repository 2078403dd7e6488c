"""The dense layer above images.

A group of rows of images is stored as other inputs are after a transposition: other products
apply. They are compiled apart from those of dense.py, which most networks need alone.
"""

from ..buffers import layer_at
from ..emit.emitter import VECTOR_BYTES
from ..emit.tile import multiply_columns, multiply_rows
from ..machine.jit import kernel
from .layout import activate_rectangle


@kernel
def forward_product(c, params, A, Z, p0, p1, r0, r1):
    """Z = A W + b on a rectangle."""
    lanes, one = VECTOR_BYTES // A.itemsize, A.dtype.type(1)
    for p in range(p0, p1):
        for r in range(r0, r1, lanes):
            multiply_columns(
                A, c.in_ + r * c.in_row, lanes, 0,
                params, c.w + p * c.n_in * lanes, lanes, params, c.b + p * lanes, 0, one, one,
                Z, c.out + p * c.out_panel + r * c.out_row, c.out_row,
                min(lanes, r1 - r), c.n_in,
            )  # fmt: skip


@kernel
def backward_product(c, params, T, zeros, D, p0, p1, r0, r1):
    """D = dZ W^T with respect to the layer's inputs: overwrites the rectangle of D at IN."""
    lanes, one = VECTOR_BYTES // D.itemsize, D.dtype.type(1)
    first, last = p0 * lanes, min(p1 * lanes, c.n_in)
    for r in range(r0, r1, lanes):
        multiply_rows(
            params, c.w + first * lanes, lanes, c.n_in * lanes,
            T, c.t + r * c.ld_out, lanes, zeros, 0, 0, one, one,
            D, c.in_ + r * c.in_row + first * lanes, lanes, last - first, c.n_out,
        )  # fmt: skip


@kernel
def gradient_product(c, A, D, p, q0, q1, rows, source, keep, gain, target):
    """target = keep source + gain A^T dZ, as in dense_products.py."""
    lanes = VECTOR_BYTES // A.itemsize
    from_vector = source.size == lanes
    for q in range(q0, q1):
        n, w = min(lanes, c.n_in - q * lanes), c.w + (p * c.n_in + q * lanes) * lanes
        multiply_rows(
            A, c.in_ + q * lanes * lanes, lanes, lanes * c.in_row,
            D, c.out + p * c.out_panel, c.out_row,
            source, 0 if from_vector else w, 0 if from_vector else lanes, keep, gain,
            target, w, lanes, n, rows,
        )  # fmt: skip


@kernel(cached=True)
def dense_on_images_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite a rectangle of Z = A W + b and A = f(Z)."""
    p0, p1, r0, r1 = box
    c = layer_at(net.layers, layer)
    forward_product(c, net.params, work.A, work.Z, p0, p1, r0, r1)
    activate_rectangle(c, net.activation_parameters[layer], work, box)


@kernel(cached=True)
def dense_on_images_backward(net, work, key, first_row, layer, box):
    """Overwrite a rectangle of dL/dA of the layer's inputs."""
    p0, p1, r0, r1 = box
    c = layer_at(net.layers, layer)
    backward_product(c, net.params, work.T, work.zeros, work.D, p0, p1, r0, r1)


@kernel(cached=True)
def dense_on_images_weight_gradient(
    sparse, columns, A, D, c, p0, p1, k0, k1, rows, source, keep, gain, target
):
    """target = keep source + gain A^T dZ for inputs k0 to k1 and some panels of units."""
    lanes = VECTOR_BYTES // A.itemsize
    for p in range(p0, p1):
        gradient_product(
            c, A, D, p, k0 // lanes, (k1 + lanes - 1) // lanes, rows, source, keep, gain, target
        )
