"""Per-sample SGD: forward, backward and update of one sample after another, in one loop.

No gradient array and no transposed weights exist: a weight row is read for the backward pass and
updated while it is in the cache. Rows of W whose input is zero take no part in either pass, which
is exact, since their product and their gradient are zero; four of the others are taken at a time.

For plain SGD without penalties, which would touch every weight at every sample; all else takes the
general step. One thread.
"""

from .activations import activate, activate_backward
from .buffers import layer_at
from .denormals import flush_denormals, restore_denormals
from .forward import gather, output_loss
from .jit import kernel
from .tile import VECTOR_BYTES
from .view import view


@kernel
def find_nonzero(a, index):
    """Overwrite ``index`` with the places of the non-zero inputs; return how many there are."""
    count = 0
    for k in range(a.size):
        index[count] = k
        count += a[k] != 0
    return count


@kernel
def sample_forward(W, w, a, index, count, b, z):
    """z = b + sum_k a_k W_k over the non-zero a_k, where row k of W starts at w + k z.size."""
    n = z.size
    for j in range(n):
        z[j] = b[j]
    q = 0
    while q + 4 <= count:
        k0, k1, k2, k3 = index[q], index[q + 1], index[q + 2], index[q + 3]
        a0, a1, a2, a3 = a[k0], a[k1], a[k2], a[k3]
        w0, w1 = view(W, w + k0 * n, n), view(W, w + k1 * n, n)
        w2, w3 = view(W, w + k2 * n, n), view(W, w + k3 * n, n)
        for j in range(n):
            z[j] += (a0 * w0[j] + a1 * w1[j]) + (a2 * w2[j] + a3 * w3[j])
        q += 4
    while q < count:
        a0, w0 = a[index[q]], view(W, w + index[q] * n, n)
        for j in range(n):
            z[j] += a0 * w0[j]
        q += 1


@kernel
def sample_input_gradient(W, w, dz, da):
    """da_k = W_k . dz, for all k."""
    for k in range(da.size):
        row = view(W, w + k * dz.size, dz.size)
        dot = dz.dtype.type(0)
        for j in range(dz.size):
            dot += row[j] * dz[j]
        da[k] = dot


@kernel
def sample_update(W, w, a, index, count, dz, b, rate):
    """W_k -= rate a_k dz over the non-zero a_k;  b -= rate dz."""
    for q in range(count):
        row, factor = view(W, w + index[q] * dz.size, dz.size), rate * a[index[q]]
        for j in range(dz.size):
            row[j] -= factor * dz[j]
    for j in range(dz.size):
        b[j] -= rate * dz[j]


@kernel(cached=True)
def train_samples(member, team, sync, index, net, work, data, objective, part, report):
    """Samples ``part.first`` to ``part.last`` of the epoch, one update each; a team of one.

    ``index`` is int64 scratch of shape (layers, widest input + 1). Overwrites parameters and
    report; in ``work`` only the first row of a block.
    """
    mode = flush_denormals()
    real = net.params.dtype.type
    depth = net.layers.shape[0]
    params = net.params
    for sample in range(part.first, part.last):
        rate = real(report.rates[sample])
        gather(data, sample, 0, 1, work.A, 0, 0, VECTOR_BYTES // work.A.itemsize)
        for layer in range(depth):
            c = layer_at(net.layers, layer)
            a, z = view(work.A, c.in_, c.n_in), view(work.Z, c.out, c.ld_out)
            count = find_nonzero(a, index[layer])
            index[layer, -1] = count
            sample_forward(params, c.w, a, index[layer], count, view(params, c.b, z.size), z)
            activate(c.function, net.activation_parameters[layer],
                     work.Z, work.A, c.out, 0, c.n_out, 0, 1)  # fmt: skip
        output_loss(net, work, data, objective, sample, 0, 1, real(1))
        for layer in range(depth - 1, -1, -1):
            c = layer_at(net.layers, layer)
            if layer < depth - 1 or not objective.is_fused:
                activate_backward(c.derivative, net.activation_parameters[layer],
                                  work.Z, work.A, work.D, c.out, 0, c.n_out, 0, 1)  # fmt: skip
            a, dz = view(work.A, c.in_, c.n_in), view(work.D, c.out, c.ld_out)
            if layer > 0:
                sample_input_gradient(params, c.w, dz, view(work.D, c.in_, c.n_in))
            sample_update(params, c.w, a, index[layer], index[layer, -1], dz,
                          view(params, c.b, dz.size), rate)  # fmt: skip
        report.loss[sample] = work.row_loss[0]
        report.hits[sample] = work.row_hit[0]
        report.rows[sample] = 1
        report.weight[sample] = 1.0
    restore_denormals(mode)
