"""Inputs, targets and loss of a block of rows: the work before and after the layers."""

from ..buffers import layer_at
from ..call_types import call_gather
from ..machine.jit import kernel
from ..machine.view import view
from ..rules.losses import row_hit, row_loss


@kernel
def gather(data, first_row, first, last, A, start, row, panel):
    """Copy rows order[first_row + first : first_row + last] of X to rows ``first`` to ``last``."""
    call_gather(
        data.gather,
        (
            data.X, data.order, first_row + first, first_row + last, data.offset, data.factor,
            A, start + first * row, row, panel,
        ),
    )  # fmt: skip


@kernel
def gather_targets(data, smoothing, first_row, first, last, n, Y, stride):
    """Write the targets of the same rows to Y, labels as one-hot vectors.

    Smoothing s mixes in the uniform distribution: (1 - s) y + s / n over n classes, over two for an
    output of one label (Szegedy et al. 2016, section 7).
    """
    real = Y.dtype.type
    for r in range(first, last):
        y, row = view(Y, r * stride, n), data.order[first_row + r]
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


@kernel
def gather_inputs(net, work, data, first_row, first, last):
    """Overwrite rows ``first`` to ``last`` of the network's inputs."""
    c = layer_at(net.layers, 0)
    gather(data, first_row, first, last, work.A, c.in_, c.in_row, c.in_panel)


@kernel
def output_loss(net, work, data, objective, first_row, first, last, scale):
    """Overwrite the output layer's D and the rows' losses and hits, after the forward pass.

    A row's gradient is multiplied by its sample weight and by ``scale``, its loss by the weight.
    """
    c = layer_at(net.layers, net.layers.shape[0] - 1)
    n, stride = c.n_out, c.out_row
    gather_targets(data, objective.label_smoothing, first_row, first, last, n, work.Y, stride)
    for r in range(first, last):
        s = c.out + r * stride
        z, a, d = view(work.Z, s, n), view(work.A, s, n), view(work.D, s, n)
        y = view(work.Y, r * stride, n)
        weight = data.weights[data.order[first_row + r]] if data.weights.size > 0 else 1.0
        row_loss(
            objective.loss, objective.loss_parameters, z, a, y, d,
            scale if weight == 1.0 else scale * z.dtype.type(weight), view(work.row_loss, r, 1),
        )  # fmt: skip
        work.row_loss[r] *= weight
        work.row_hit[r] = row_hit(objective.task, objective.threshold, a, y)
