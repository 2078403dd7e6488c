"""A block of rows through the network: gather, forward pass, loss."""

from ..buffers import layer_at
from ..call_types import call_gather, call_sparse_forward
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.view import view
from ..rules.activations import activate
from ..rules.dropout import drop
from ..rules.losses import row_hit, row_loss
from .dense import dense_forward, is_in_panels


@kernel(inline=True)
def gather(data, first_row, first, last, A, start, row, panel):
    """Copy rows order[first_row + first : first_row + last] of X to rows ``first`` to ``last``."""
    call_gather(
        data.gather,
        (
            data.X, data.order, first_row + first, first_row + last, data.offset, data.factor,
            A, start + first * row, row, panel,
        ),
    )  # fmt: skip


@kernel(inline=True)
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


@kernel(inline=True)
def drop_rectangle(c, rate, layer, array, start, to, key, first_row, box):
    """Copy rectangle (p0, p1, r0, r1) of a layer's inputs from ``start`` to ``to`` with dropout."""
    p0, p1, r0, r1 = box
    lanes = VECTOR_BYTES // array.itemsize
    for p in range(p0, p1):
        n = min(lanes, c.n_in - p * lanes)
        for r in range(r0, r1):
            offset = p * c.in_panel + r * c.in_row
            drop(
                view(array, start + offset, n), view(array, to + offset, n),
                rate, key[0], key[1], first_row + r, layer, p * lanes,
            )  # fmt: skip


@kernel(inline=True)
def contiguous_ranges(c, lanes, box):
    """Return the longest contiguous ranges of a rectangle of a layer's outputs.

    As (start, stride, length, first, last): ranges ``first`` to ``last`` of ``length`` elements.
    """
    p0, p1, r0, r1 = box
    if is_in_panels(c, lanes):
        return c.out + r0 * lanes, c.out_panel, (r1 - r0) * lanes, p0, p1
    return c.out, c.out_row, c.n_out, r0, r1


@kernel(cached=True)
def forward_layer(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite a rectangle of a layer's Z = A W + b and A = f(Z), and of the next one's inputs.

    ``key`` is the key of the dropout, ``first_row`` the index of row 0 in the epoch, ``box`` the
    rectangle (p0, p1, r0, r1).
    """
    p0, p1, r0, r1 = box
    c = layer_at(net.layers, layer)
    if layer == 0 and sparse.forward != 0:
        call_sparse_forward(
            sparse.forward,
            (sparse, order, net.params, work.Z, c, first_row, p0, p1, r0, r1),
        )
    else:
        dense_forward(c, net.params, work.A, work.Z, p0, p1, r0, r1)
    lanes = VECTOR_BYTES // work.A.itemsize
    start, stride, length, first, last = contiguous_ranges(c, lanes, box)
    activate(
        c.function, net.activation_parameters[layer],
        work.Z, work.A, start, stride, length, first, last,
    )  # fmt: skip
    if layer + 1 < net.layers.shape[0]:
        above = layer_at(net.layers, layer + 1)
        if above.source != above.in_:
            drop_rectangle(above, net.dropout[layer + 1], layer + 1, work.A,
                           above.source, above.in_, key, first_row, box)  # fmt: skip


@kernel(inline=True)
def gather_inputs(net, work, data, key, first_row, first, last):
    """Overwrite rows ``first`` to ``last`` of the network's inputs."""
    c = layer_at(net.layers, 0)
    gather(data, first_row, first, last, work.A, c.source, c.in_row, c.in_panel)
    if c.source != c.in_:
        lanes = VECTOR_BYTES // work.A.itemsize
        panels = (c.n_in + lanes - 1) // lanes
        drop_rectangle(c, net.dropout[0], 0, work.A, c.source, c.in_, key, first_row,
                       (0, panels, first, last))  # fmt: skip


@kernel(inline=True)
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
            objective.loss, objective.loss_parameter, z, a, y, d,
            scale if weight == 1.0 else scale * z.dtype.type(weight), view(work.row_loss, r, 1),
        )  # fmt: skip
        work.row_loss[r] *= weight
        work.row_hit[r] = row_hit(objective.task, objective.threshold, a, y)
