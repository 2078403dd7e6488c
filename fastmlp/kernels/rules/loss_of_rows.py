"""Losses, gradients and hits of a block's rows, by the kernel of one row.

A loss is a kernel of one row (losses.py). :func:`over_rows` makes a kernel of all rows of it, which
is called by address: once for a member's rows, so that the kernel of one row becomes part of a
loop, without a call for each row.
"""

from functools import cache

from ..buffers import layer_at
from ..machine.jit import kernel
from ..machine.view import view
from . import codes
from .losses import argmax


@kernel
def smooth(y, smoothing):
    """Mix the uniform distribution over two values into targets of outputs of one label each."""
    real = y.dtype.type
    for j in range(y.size):
        y[j] = real(1.0 - smoothing) * y[j] + real(smoothing / 2.0)


@kernel
def _write_targets(data, smoothing, row, y):
    """Write the targets of a row of the data to y, a label as a one-hot vector.

    Smoothing s mixes in the uniform distribution: (1 - s) y + s / n over n classes, over two for an
    output of one label (Szegedy et al. 2016, section 7).
    """
    n, real = y.size, y.dtype.type
    if data.targets.shape[0] > 0:
        for j in range(n):
            y[j] = data.targets[row, j]
        if smoothing > 0.0:
            smooth(y, smoothing)
    else:
        for j in range(n):
            y[j] = real(smoothing / n)
        y[data.labels[row]] += real(1.0 - smoothing)


@kernel
def weight_of(data, row):
    """Return the sample weight of a row of the data."""
    return data.weights[row] if data.weights.size > 0 else 1.0


@kernel
def row_hit(task, threshold, a, y):
    """Return 1 if a row's prediction is right, else 0."""
    if task == codes.MULTICLASS:
        return 1 if argmax(a) == argmax(y) else 0
    if task == codes.BINARY:
        for j in range(a.size):
            if (a[j] >= threshold) != (y[j] >= 0.5):
                return 0
        return 1
    return 0


@cache
def over_rows(loss, in_lanes=None):
    """Return the kernel of a block's rows that is made of a loss, a kernel of one row.

    It overwrites the output layer's D and the rows' losses and hits, after the forward pass. A
    row's gradient is multiplied by its sample weight and by ``scale``, its loss by the weight.

    Parameters
    ----------
    loss : kernel
    in_lanes : kernel, optional
        Does the same with the same arguments and returns True, or does nothing and returns False.
    """
    of_row = kernel(loss.py_func)

    @kernel(inline=True)
    def lose_row(work, data, objective, c, n, row, r, scale):
        s = c.out + r * c.out_row
        z, a, d = view(work.Z, s, n), view(work.A, s, n), view(work.D, s, n)
        y = view(work.Y, r * c.out_row, n)
        _write_targets(data, objective.label_smoothing, row, y)
        weight = weight_of(data, row)
        of_row(
            z, a, y, d, scale * z.dtype.type(weight), objective.loss_parameters,
            view(work.row_loss, r, 1),
        )  # fmt: skip
        work.row_loss[r] *= weight
        work.row_hit[r] = row_hit(objective.task, objective.threshold, a, y)

    @kernel
    def lose_rows(net, work, data, objective, first_row, first, last, scale):
        c = layer_at(net.layers, net.layers.shape[0] - 1)
        for r in range(first, last):
            lose_row(work, data, objective, c, c.n_out, data.order[first_row + r], r, scale)

    def lose_block(net, work, data, objective, first_row, first, last, scale):
        c = layer_at(net.layers, net.layers.shape[0] - 1)
        if c.n_out == 1:  # without loops over the outputs
            for r in range(first, last):
                lose_row(work, data, objective, c, 1, data.order[first_row + r], r, scale)
        else:
            lose_rows(net, work, data, objective, first_row, first, last, scale)

    def lose_in_lanes(net, work, data, objective, first_row, first, last, scale):
        if not in_lanes(net, work, data, objective, first_row, first, last, scale):
            lose_rows(net, work, data, objective, first_row, first, last, scale)

    made = kernel(lose_block if in_lanes is None else lose_in_lanes, cached=True)
    made._cache = loss._cache  # of one name; the types of the arguments differ
    return made
