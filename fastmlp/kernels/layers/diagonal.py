"""The diagonal layer: a = w x + b for the first features; the others are passed on.

Outputs are stored in rows, inputs in panels or rows.
"""

from ..buffers import image_at, layer_at
from ..emit.elementary import fma
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.team import share
from .layout import clear_gradients


@kernel(cached=True)
def diagonal_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of A."""
    _, _, r0, r1 = box
    c, numbers = layer_at(net.layers, layer), image_at(net.images, layer).kernel_height
    lanes, A, params = VECTOR_BYTES // work.A.itemsize, work.A, net.params
    for r in range(r0, r1):
        for p in range(c.ld // lanes):
            x = c.in_ + p * c.in_panel + r * c.in_row
            a, w, b = c.out + r * c.out_row + p * lanes, c.w + p * lanes, c.b + p * lanes
            n = max(0, min(lanes, numbers - p * lanes))
            for j in range(n):
                A[a + j] = fma(params[w + j], A[x + j], params[b + j])
            for j in range(n, lanes):
                A[a + j] = A[x + j]


@kernel(cached=True)
def diagonal_backward(net, work, key, first_row, layer, box):
    """Overwrite a rectangle of dL/dA of the layer's inputs."""
    p0, p1, r0, r1 = box
    c, numbers = layer_at(net.layers, layer), image_at(net.images, layer).kernel_height
    lanes, D = VECTOR_BYTES // work.D.itemsize, work.D
    for p in range(p0, p1):
        n = max(0, min(lanes, numbers - p * lanes))
        for r in range(r0, r1):
            dx = c.in_ + p * c.in_panel + r * c.in_row
            d = c.out + r * c.out_row + p * lanes
            for j in range(n):
                D[dx + j] = net.params[c.w + p * lanes + j] * D[d + j]
            for j in range(n, lanes):
                D[dx + j] = D[d + j]


@kernel(cached=True)
def diagonal_gradient(me, net, work, layer, rows, overwrite):
    """Overwrite, or add to, the gradients of the member's weights and biases."""
    c, numbers = layer_at(net.layers, layer), image_at(net.images, layer).kernel_height
    lanes, A, D, grads = VECTOR_BYTES // work.A.itemsize, work.A, work.D, work.grads
    p0, p1 = share(c.ld_out // lanes, 1, me.number, me.team)
    if overwrite:
        clear_gradients(c, grads, p0, p1, lanes)
    for p in range(p0, p1):
        n = min(lanes, numbers - p * lanes)
        for r in range(rows):
            x = c.in_ + p * c.in_panel + r * c.in_row
            d = c.out + r * c.out_row + p * lanes
            for j in range(n):
                dw = c.w + p * lanes + j
                grads[dw] = fma(D[d + j], A[x + j], grads[dw])
                grads[c.b + p * lanes + j] += D[d + j]
