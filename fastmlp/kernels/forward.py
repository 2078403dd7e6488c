"""A block of rows through the whole network: gathered, forward, and its loss."""

from .activations import activate
from .buffers import ACTIVATION, IN, LD_IN, LD_OUT, N_IN, N_OUT, OUT, SOURCE, B, W
from .dense import matmul
from .dropout import drop
from .jit import kernel
from .losses import row_hit, row_loss
from .view import view


@kernel(inline=True)
def gather(X, order, block, first, last, A, start, stride):
    """Copy rows order[block + first : block + last] of X to rows ``first`` to ``last`` of A."""
    for r in range(first, last):
        x, row = view(A, start + r * stride, X.shape[1]), order[block + r]
        for j in range(x.size):
            x[j] = X[row, j]


@kernel(inline=True)
def gather_targets(data, smoothing, block, first, last, n, Y, stride):
    """Write the targets of the same rows to Y: one-hot where there are labels.

    Smoothing s mixes in the uniform distribution: (1 - s) y + s / n over n classes, and over two
    for an output that stands for one label (Szegedy et al. 2016, section 7).
    """
    real = Y.dtype.type
    for r in range(first, last):
        y, row = view(Y, r * stride, n), data.order[block + r]
        if data.targets.shape[0] > 0:
            for j in range(n):
                y[j] = data.targets[row, j]
            if smoothing > 0.0:
                for j in range(n):
                    y[j] = real(1.0 - smoothing) * y[j] + real(smoothing / 2.0)
        else:
            for j in range(n):
                y[j] = real(smoothing / n)
            y[data.labels[row]] += real(1.0 - smoothing)


@kernel(inline=True)
def drop_inputs(c, rate, layer, work, key, block, first, last):
    """Copy rows of what the layer below gives to the layer's inputs, dropped."""
    for r in range(first, last):
        x = view(work.A, c[SOURCE] + r * c[LD_IN], c[N_IN])
        out = view(work.A, c[IN] + r * c[LD_IN], c[N_IN])
        drop(x, out, rate, key[0], key[1], block + r, layer)


@kernel(inline=True)
def forward(net, work, key, block, first, last):
    """Overwrite rows ``first`` to ``last`` of every layer's Z = A W + b and A = f(Z).

    ``key`` is that of the dropout, ``block`` the place of row 0 in the epoch.
    """
    for layer in range(net.layers.shape[0]):
        c = net.layers[layer]
        if c[SOURCE] != c[IN]:
            drop_inputs(c, net.dropout[layer], layer, work, key, block, first, last)
        a, z = c[IN] + first * c[LD_IN], c[OUT] + first * c[LD_OUT]
        matmul(work.A, a, c[LD_IN], 1, net.params, c[W], c[LD_OUT],
               net.params, c[B], 0, work.Z, z, c[LD_OUT],
               last - first, c[LD_OUT], c[N_IN])  # fmt: skip
        activate(
            c[ACTIVATION], net.activation_parameters[layer],
            work.Z, work.A, c[OUT], c[LD_OUT], c[N_OUT], first, last,
        )  # fmt: skip


@kernel(inline=True)
def output_loss(net, work, data, objective, block, first, last, scale):
    """Overwrite the output layer's D, the rows' losses and hits. Needs the forward pass done.

    A row's gradient is multiplied by its sample weight and by ``scale``, its loss by the weight.
    """
    c = net.layers[-1]
    n, stride = c[N_OUT], c[LD_OUT]
    gather_targets(data, objective.label_smoothing, block, first, last, n, work.Y, stride)
    for r in range(first, last):
        s = c[OUT] + r * stride
        z, a, d = view(work.Z, s, n), view(work.A, s, n), view(work.D, s, n)
        y = view(work.Y, r * stride, n)
        weight = data.weights[data.order[block + r]] if data.weights.size > 0 else 1.0
        work.row_loss[r] = weight * row_loss(
            objective.loss, objective.loss_parameter, z, a, y, d,
            scale if weight == 1.0 else scale * z.dtype.type(weight),
        )  # fmt: skip
        work.row_hit[r] = row_hit(objective.task, objective.threshold, a, y)
