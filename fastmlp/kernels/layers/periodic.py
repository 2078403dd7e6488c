"""The periodic layer: the inputs, and cos(2 pi (w x + b)) of the first ones for several w and b.

Outputs are stored in rows: the numbers, for each frequency a cosine of every number, and the other
inputs. Z holds at the place of each cosine its x, so that loops over cosines read memory in order.
"""

import math

from ..buffers import image_at, layer_at
from ..emit.elementary import cos2pi, fma, sin2pi
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.team import share
from ..machine.view import view
from .layout import clear_gradients


@kernel(cached=True)
def periodic_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of A, and Z with the inputs of the cosines."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    numbers, frequencies = image.kernel_height, image.kernel_width
    lanes, A, Z, params = VECTOR_BYTES // work.A.itemsize, work.A, work.Z, net.params
    features = c.width - c.n_out
    for r in range(r0, r1):
        a = c.out + r * c.out_row
        for p in range((features + lanes - 1) // lanes):
            x = c.in_ + p * c.in_panel + r * c.in_row
            n, inside = _in_panel(numbers, p, lanes), _in_panel(features, p, lanes)
            for j in range(n):
                A[a + p * lanes + j] = A[x + j]
            for j in range(n, inside):
                A[a + c.n_out + p * lanes + j] = A[x + j]
        first = a + numbers
        for k in range(frequencies):
            for j in range(numbers):
                Z[first + k * numbers + j] = A[a + j]
        w, b = view(params, c.w, c.n_out), view(params, c.b, c.n_out)
        _cosines(w, b, view(Z, first, c.n_out), view(A, first, c.n_out))


@kernel
def _in_panel(count, p, lanes):
    """Return how many of the first ``count`` columns are in panel p."""
    return max(0, min(lanes, count - p * lanes))


@kernel
def _cosines(w, b, x, a):
    for j in range(a.size):
        a[j] = cos2pi(fma(w[j], x[j], b[j]))


@kernel
def _add_gradients(w, b, x, d, dw, db):
    """Add the gradients of a row, d of the cosines."""
    scale = d.dtype.type(-2.0 * math.pi)
    for j in range(d.size):
        slope = scale * sin2pi(fma(w[j], x[j], b[j])) * d[j]
        dw[j] = fma(slope, x[j], dw[j])
        db[j] += slope


@kernel
def _add_input_gradients(w, b, x, d, dx):
    """Add the gradients of the inputs of a row, d of the cosines."""
    scale = d.dtype.type(-2.0 * math.pi)
    for j in range(d.size):
        slope = scale * sin2pi(fma(w[j], x[j], b[j])) * d[j]
        dx[j] = fma(slope, w[j], dx[j])


@kernel(cached=True)
def periodic_backward(net, work, key, first_row, layer, box):
    """Overwrite a rectangle of dL/dA of the layer's inputs."""
    p0, p1, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    numbers, frequencies = image.kernel_height, image.kernel_width
    lanes, Z, D, params = VECTOR_BYTES // work.D.itemsize, work.Z, work.D, net.params
    features = c.width - c.n_out
    for p in range(p0, p1):
        n, inside = _in_panel(numbers, p, lanes), _in_panel(features, p, lanes)
        for r in range(r0, r1):
            dx, d = c.in_ + p * c.in_panel + r * c.in_row, c.out + r * c.out_row + p * lanes
            for j in range(n):
                D[dx + j] = D[d + j]
            for j in range(n, inside):
                D[dx + j] = D[d + c.n_out + j]
            for j in range(inside, lanes):
                D[dx + j] = D.dtype.type(0)
            for k in range(frequencies):
                o = k * numbers + p * lanes
                first = c.out + r * c.out_row + numbers + o
                _add_input_gradients(
                    view(params, c.w + o, n), view(params, c.b + o, n),
                    view(Z, first, n), view(D, first, n), view(D, dx, n),
                )  # fmt: skip


@kernel(cached=True)
def periodic_gradient(me, net, work, layer, rows, overwrite):
    """Overwrite, or add to, the gradients of the member's weights and biases."""
    c, numbers = layer_at(net.layers, layer), image_at(net.images, layer).kernel_height
    lanes, Z, D, grads = VECTOR_BYTES // work.A.itemsize, work.Z, work.D, work.grads
    p0, p1 = share(c.ld_out // lanes, 1, me.number, me.team)
    if overwrite:
        clear_gradients(c, grads, p0, p1, lanes)
    n = max(0, min(p1 * lanes, c.n_out) - p0 * lanes)
    w, b = c.w + p0 * lanes, c.b + p0 * lanes
    for r in range(rows):
        first = c.out + r * c.out_row + numbers + p0 * lanes
        _add_gradients(
            view(net.params, w, n), view(net.params, b, n), view(Z, first, n), view(D, first, n),
            view(grads, w, n), view(grads, b, n),
        )  # fmt: skip
