"""The arrays a kernel is given, grouped in named tuples, and where a layer's parts lie in them.

All numbers of one kind stand in one flat array, so that the compiled code does not depend on the
depth of the network. Rows are padded to whole 64-byte vectors; the padding is zero and stays zero.

Letters: ``l`` layer, ``L`` layers, ``R`` rows of a block, ``P`` padded parameters, ``F`` features,
``C`` outputs of the network.
"""

from typing import Any, NamedTuple

# Columns of the int64 table Net.layers: sizes, padded sizes, the activation's code, and offsets:
# weights and biases in params and grads, the transposed weights in Work.WT, the layer's first row
# in Work.row_norms, and in Work.A (and Z and D) what the layer below gives (SOURCE), the layer's
# input rows (IN: the same place, or behind a dropout its own) and its output rows (OUT).
N_IN, N_OUT, LD_IN, LD_OUT, ACTIVATION, W, B, WT, NORMS, SOURCE, IN, OUT = range(12)
LAYER_FIELDS = 12


class Net(NamedTuple):
    """A network. Read-only in forward passes, overwritten by updates."""

    layers: Any  # int64 (L, LAYER_FIELDS)
    activation_parameters: Any  # float (L,): the one parameter of each layer's activation
    dropout: Any  # float64 (L,): share of each layer's inputs that is dropped
    params: Any  # float (P,): all weights, then all biases


class Work(NamedTuple):
    """Every buffer that a step writes to, apart from the parameters. Scratch but for ``state``."""

    A: Any  # float: inputs and activations of a block, one layer after the other
    Z: Any  # float: pre-activations
    D: Any  # float: gradients with respect to A, turned in place into those with respect to Z
    Y: Any  # float (R * padded C,): targets of a block
    WT: Any  # float: transposed weights of all layers but the first
    grads: Any  # float (P,)
    state: Any  # float: the optimizer's (P,) buffers, one after the other
    zeros: Any  # float: one row of zeros, as long as the longest
    row_norms: Any  # float64: squared gradient norm of each row of weights, and of each bias
    row_loss: Any  # float64 (R,)
    row_hit: Any  # int64 (R,)


class Data(NamedTuple):
    """What is trained on or evaluated. Read-only."""

    X: Any  # float (n, F)
    labels: Any  # int32 (n,): class numbers, or empty
    targets: Any  # float (n, C), or empty; both empty: no loss is computed
    weights: Any  # float64 (n,): sample weights, or empty: all 1
    order: Any  # int64: the rows of an epoch in the order of their use


class Objective(NamedTuple):
    """What is minimised and how; the same for a whole run. Plain numbers."""

    loss: int
    loss_parameter: float
    task: int
    threshold: float  # of a hit in a binary task
    label_smoothing: float
    l1: float
    l2: float
    clip_norm: float  # of all gradients together; 0: no limit
    clip_value: float  # of each gradient; 0: no limit
    max_norm: float  # of the weights into a unit; 0: no limit
    optimizer: int
    optimizer_parameters: Any  # float64 (4,)


class Slice(NamedTuple):
    """Which part of an epoch to do: blocks ``first`` to ``last`` (exclusive).

    A batch is cut into ``blocks_per_batch`` blocks of at most ``block_rows`` rows, whose gradients
    are summed before the update, so that a batch of any size fits the same workspace and a slice
    can end within one.
    """

    first: int
    last: int
    batch_size: int
    block_rows: int
    blocks_per_batch: int
    steps_before: int  # updates done in earlier epochs
    dropout_key: Any  # uint64 (2,)


class Report(NamedTuple):
    """What a slice reports, added up per step."""

    loss: Any  # float64 (steps of the epoch,)
    hits: Any  # int64 (steps of the epoch,)
    rows: Any  # int64 (steps of the epoch,): over how many rows
    weight: Any  # float64 (steps of the epoch,): the sum of their sample weights
    rates: Any  # float64 (steps of the epoch,): an input, the learning rate of each step
