"""Softmax and losses with rows in the lanes: as many rows at once as a vector has lanes.

``NAME_in_lanes`` is found by the name of an activation or a loss; most have none. Bits are those
of the kernel of one row, which takes the cases that are left out here: fewer rows than are worth a
group, more outputs than a strip has room for, targets that are not labels.
"""

from numba import types

from ..buffers import layer_at
from ..emit.emitter import VECTOR_BYTES, on_stack
from ..emit.row_groups import (
    binary_cross_entropy_of_group,
    cross_entropy_of_group,
    softmax_of_group,
)
from ..machine.jit import kernel
from ..machine.view import view
from . import activations, codes
from .loss_of_rows import smooth

_FEWEST = 4  # rows that are worth a group
_MOST = 128  # outputs, for which a strip has room
_LANES = 16  # at most

_new_reals, _new_doubles = on_stack(_LANES), on_stack(_LANES, types.float64)
_new_indices, _new_labels = on_stack(_LANES, types.int64), on_stack(_LANES, types.int32)
_new_strip = on_stack(_LANES * _MOST)
_softmax = kernel(activations.softmax.py_func)


@kernel
def _set_offsets(offsets, lanes, stride, rows):
    """Overwrite the offsets of a group's rows; lanes without a row repeat the last one."""
    for i in range(lanes):
        offsets[i] = min(i, rows - 1) * stride


@kernel(cached=True)
def softmax_in_lanes(Z, A, start, stride, n, first, last):
    """A = softmax(Z) on rows ``first`` to ``last`` of n elements each, a stride apart."""
    lanes = VECTOR_BYTES // Z.itemsize
    if n > _MOST or last - first < _FEWEST:
        for r in range(first, last):
            s = start + r * stride
            _softmax(view(Z, s, n), view(A, s, n), Z.dtype.type(0))
        return
    offsets, strip = _new_indices(Z), _new_strip(Z)
    for r in range(first, last, lanes):
        if r == first or r + lanes > last:
            _set_offsets(offsets, lanes, stride, min(lanes, last - r))
        s = start + r * stride
        softmax_of_group(Z, s, A, s, offsets, n, strip)


@kernel
def _output(net):
    return layer_at(net.layers, net.layers.shape[0] - 1)


@kernel
def _fill(weights, factors, lanes, scale):
    """Overwrite the weights and factors of groups of rows without sample weights."""
    for i in range(lanes):
        weights[i], factors[i] = 1.0, scale


@kernel
def _read_weights(data, first_row, rows, lanes, scale, weights, factors):
    """Overwrite a group's sample weights and, multiplied by ``scale``, its factors of gradients."""
    for i in range(lanes):
        weights[i] = data.weights[data.order[first_row + min(i, rows - 1)]]
        factors[i] = scale * factors.dtype.type(weights[i])


@kernel
def _keep(work, r, rows, weights, losses, hits):
    """Copy a group's losses, times their weights, and hits to the block's."""
    row_loss, row_hit = view(work.row_loss, r, rows), view(work.row_hit, r, rows)
    for i in range(rows):
        row_loss[i] = losses[i] * weights[i]
    for i in range(rows):
        row_hit[i] = hits[i]


@kernel
def cross_entropy_in_lanes(net, work, data, objective, first_row, first, last, scale):
    """Cross-entropy of labels."""
    are_labels = data.targets.shape[0] == 0 and objective.label_smoothing == 0.0
    if not are_labels or objective.task != codes.MULTICLASS or last - first < _FEWEST:
        return False
    c, like, lanes = _output(net), work.A, VECTOR_BYTES // work.A.itemsize
    offsets, hits, labels = _new_indices(like), _new_indices(like), _new_labels(like)
    factors, weights, losses = _new_reals(like), _new_doubles(like), _new_doubles(like)
    _fill(weights, factors, lanes, scale)
    for r in range(first, last, lanes):
        rows = min(lanes, last - r)
        if r == first or rows < lanes:
            _set_offsets(offsets, lanes, c.out_row, rows)
        for i in range(lanes):
            labels[i] = data.labels[data.order[first_row + r + min(i, rows - 1)]]
        if data.weights.size > 0:
            _read_weights(data, first_row + r, rows, lanes, scale, weights, factors)
        s = c.out + r * c.out_row
        cross_entropy_of_group(
            work.Z, s, work.A, s, work.D, s, offsets, c.n_out, labels, factors, losses, hits
        )
        _keep(work, r, rows, weights, losses, hits)
    return True


@kernel
def binary_cross_entropy_in_lanes(net, work, data, objective, first_row, first, last, scale):
    """Binary cross-entropy of a single output."""
    c, like, lanes = _output(net), work.A, VECTOR_BYTES // work.A.itemsize
    is_right = objective.task == codes.BINARY and data.targets.shape[0] > 0
    if c.n_out > 1 or not is_right or last - first < _FEWEST:
        return False
    offsets, hits, targets = _new_indices(like), _new_indices(like), _new_reals(like)
    factors, weights, losses = _new_reals(like), _new_doubles(like), _new_doubles(like)
    threshold = _new_doubles(like)
    threshold[0] = objective.threshold
    _fill(weights, factors, lanes, scale)
    for r in range(first, last, lanes):
        rows = min(lanes, last - r)
        if r == first or rows < lanes:
            _set_offsets(offsets, lanes, c.out_row, rows)
        for i in range(lanes):
            targets[i] = data.targets[data.order[first_row + r + min(i, rows - 1)], 0]
        if objective.label_smoothing > 0.0:
            smooth(view(targets, 0, lanes), objective.label_smoothing)
        if data.weights.size > 0:
            _read_weights(data, first_row + r, rows, lanes, scale, weights, factors)
        s = c.out + r * c.out_row
        binary_cross_entropy_of_group(
            work.Z, s, work.A, s, work.D, s, offsets, targets, factors, threshold, losses, hits
        )
        _keep(work, r, rows, weights, losses, hits)
    return True
