"""A block of rows through the whole network: gathered, forward, and its loss."""

from .activations import activate
from .buffers import (
    ACTIVATION,
    IN,
    LD_IN,
    LD_OUT,
    N_IN,
    N_OUT,
    OUT,
    B,
    W,
)  # fmt: skip
from .dense import matmul
from .jit import kernel
from .losses import row_hit, row_loss
from .view import view


@kernel(inline=True)
def gather(X, order, block, first, last, A, stride):
    """Copy rows order[block + first : block + last] of X to rows ``first`` to ``last`` of A."""
    for r in range(first, last):
        x, row = view(A, r * stride, X.shape[1]), order[block + r]
        for j in range(x.size):
            x[j] = X[row, j]


@kernel(inline=True)
def gather_targets(labels, targets, order, block, first, last, n, Y, stride):
    """Write the targets of the same rows to Y: one-hot where there are labels."""
    for r in range(first, last):
        y, row = view(Y, r * stride, n), order[block + r]
        if targets.shape[0] > 0:
            for j in range(n):
                y[j] = targets[row, j]
        else:
            for j in range(n):
                y[j] = 0
            y[labels[row]] = 1


@kernel(inline=True)
def forward(net, work, first, last):
    """Overwrite rows ``first`` to ``last`` of every layer's Z = A W + b and A = f(Z)."""
    for layer in range(net.layers.shape[0]):
        c = net.layers[layer]
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
    """Overwrite the output layer's D, the rows' losses and hits. Needs the forward pass done."""
    c = net.layers[-1]
    n, stride = c[N_OUT], c[LD_OUT]
    gather_targets(data.labels, data.targets, data.order, block, first, last, n, work.Y, stride)
    for r in range(first, last):
        s = c[OUT] + r * stride
        z, a, d = view(work.Z, s, n), view(work.A, s, n), view(work.D, s, n)
        y = view(work.Y, r * stride, n)
        work.row_loss[r] = row_loss(objective.loss, z, a, y, d, scale)
        work.row_hit[r] = row_hit(objective.task, objective.threshold, a, y)
