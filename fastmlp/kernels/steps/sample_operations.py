"""Operations of the per-sample step on one sample: activations in rows, weights in panels."""

from ..buffers import QUARTERS, layer_at
from ..emit.elementary import fma
from ..emit.emitter import VECTOR_BYTES
from ..emit.lists import List, add_to_rows, backward_and_add, multiply_list
from ..machine.host import SPARSE_PANELS
from ..machine.jit import kernel
from ..machine.view import prefetch_line, view


@kernel
def half_of(samples, c, half, halves):
    """Return the first layer's units [first, last) of one of its halves."""
    return half * samples.half, samples.half if half < halves - 1 else c.ld_out


@kernel
def list_units(A, first, last, start, is_flat, columns, values):
    """List the units from ``first`` to ``last``, without zeros if ``is_flat``; return their number.

    ``start`` is the index of the layer's first output.
    """
    n = first
    for index in range(first, last):
        a = view(A, index, 1)[0]
        view(columns, n, 1)[0] = index - start
        view(values, n, 1)[0] = a
        n += 1 if is_flat == 0 or a != 0 else 0
    return n - first


@kernel
def add_products(columns, values, first, last, params, c, I, i, i_panel, C, to, p0, p1):
    """C = I + sum_e values[e] W[columns[e]] for panels p0 to p1 of a layer's units."""
    lanes, zero = VECTOR_BYTES // params.itemsize, params.dtype.type(0)
    for p in range(p0, p1, SPARSE_PANELS):
        multiply_list(List(
            columns, values, first, last, params, c.w + p * c.n_in * lanes, lanes, c.n_in * lanes,
            I, i + p * i_panel, i_panel, C, to + p * lanes, zero, True,
        ), min(SPARSE_PANELS, p1 - p))  # fmt: skip


@kernel
def update_rows(columns, values, first, last, params, c, D, d, gain, p0, p1):
    """W[columns[e]] += gain values[e] dz for panels p0 to p1 of a layer's units; dz starts at d."""
    lanes = VECTOR_BYTES // params.itemsize
    for p in range(p0, p1, SPARSE_PANELS):
        add_to_rows(List(
            columns, values, first, last, params, c.w + p * c.n_in * lanes, lanes, c.n_in * lanes,
            D, d + p * lanes, lanes, D, 0, gain, True,
        ), min(SPARSE_PANELS, p1 - p))  # fmt: skip


@kernel
def backward_and_update(columns, values, first, last, params, c, D, d, da, gain):
    """D[da + k] = W_k . dz, then W_k += gain a_k dz, for the listed inputs k of a layer."""
    lanes = VECTOR_BYTES // params.itemsize
    for p in range(0, c.ld_out // lanes, SPARSE_PANELS):
        backward_and_add(List(
            columns, values, first, last, params, c.w + p * c.n_in * lanes, lanes, c.n_in * lanes,
            D, d + p * lanes, lanes, D, da, gain, p == 0,
        ), min(SPARSE_PANELS, c.ld_out // lanes - p))  # fmt: skip


@kernel
def add_scaled(target, t, source, s, n, factor):
    """target[t : t + n] += factor source[s : s + n]."""
    y, x = view(target, t, n), view(source, s, n)
    for j in range(n):
        y[j] = fma(factor, x[j], y[j])


@kernel
def copy_scaled(target, t, source, s, n, factor):
    """target[t : t + n] = factor source[s : s + n]."""
    y, x = view(target, t, n), view(source, s, n)
    for j in range(n):
        y[j] = factor * x[j]


@kernel
def scale_and_add(array, a, n, factor, b, start):
    """array[a : a + n] = b[start : start + n] + factor array[a : a + n]."""
    x, y = view(array, a, n), view(b, start, n)
    for j in range(n):
        x[j] = fma(factor, x[j], y[j])


@kernel
def scale(array, a, n, factor):
    """array[a : a + n] *= factor."""
    x = view(array, a, n)
    for j in range(n):
        x[j] *= factor


@kernel
def copy_tail(net, target):
    """Copy all biases except the first layer's, and the weights of the layers after the second."""
    for layer in range(1, net.layers.shape[0]):
        c = layer_at(net.layers, layer)
        for j in range(c.b, c.b + c.ld_out):
            target[j] = net.params[j]
        if layer > 1:
            for j in range(c.w, c.w + c.n_in * c.ld_out):
                target[j] = net.params[j]


@kernel
def prefetch_row(sparse, row):
    """Prefetch the elements of a row."""
    lanes = VECTOR_BYTES // sparse.values.itemsize
    for e in range(sparse.starts[row * QUARTERS], sparse.starts[(row + 1) * QUARTERS], lanes):
        prefetch_line(sparse.columns, e)
        prefetch_line(sparse.values, e)
