"""The dense layer: a = f(x W + b)."""

from ..buffers import layer_at
from ..call_types import call_sparse_forward
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from .dense_products import backward_product, forward_product, gradient_product
from .layout import activate_rectangle, is_in_panels


@kernel(cached=True)
def dense_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite a rectangle of Z = A W + b and A = f(Z)."""
    p0, p1, r0, r1 = box
    c = layer_at(net.layers, layer)
    # Panel by panel, Z is still in the L1 cache, and other cores' copies of A are invalidated
    # during the next product. Rows are activated as a whole.
    wide = 1 if is_in_panels(c, VECTOR_BYTES // work.A.itemsize) else p1 - p0
    for first in range(p0, p1, max(wide, 1)):
        forward_product(c, net.params, work.A, work.Z, first, first + wide, r0, r1)
        part = first, first + wide, r0, r1
        activate_rectangle(c, net.activation_parameters[layer], work, part)


@kernel(cached=True)
def dense_forward_of_sparse(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite a rectangle of Z and A of a first layer whose inputs are sparse rows."""
    p0, p1, r0, r1 = box
    c = layer_at(net.layers, layer)
    call_sparse_forward(
        sparse.forward,
        (sparse, order, net.params, work.Z, c, first_row, p0, p1, r0, r1),
    )
    activate_rectangle(c, net.activation_parameters[layer], work, box)


@kernel(cached=True)
def dense_backward(net, work, key, first_row, layer, box):
    """Overwrite a rectangle of dL/dA of the layer's inputs."""
    p0, p1, r0, r1 = box
    c, below = layer_at(net.layers, layer), layer_at(net.layers, layer - 1)
    backward_product(c, below, net.params, work.T, work.strip, work.zeros, work.D, p0, p1, r0, r1)


@kernel(cached=True)
def dense_weight_gradient(
    sparse, columns, A, D, c, p0, p1, k0, k1, rows, source, keep, gain, target
):
    """target = keep source + gain A^T dZ for inputs k0 to k1 and some panels of units."""
    lanes = VECTOR_BYTES // A.itemsize
    for p in range(p0, p1):
        gradient_product(
            c, A, D, p, k0 // lanes, (k1 + lanes - 1) // lanes, rows, source, keep, gain, target
        )
