"""The arrays a kernel is given, grouped in named tuples, and where a layer's parts lie in them.

All numbers of one kind stand in one flat array, so that the compiled code does not depend on the
depth of the network. Matrices are stored in *panels*: 64 bytes of columns (``lanes`` numbers) of
all rows, then the next 64 bytes of columns. So the products read memory straight on, and whoever
works on a panel shares no cache line with whoever works on the next. A last panel with fewer
columns is filled up with zeros.

Each layer's activations have two strides, ROW and PANEL: ``lanes`` and a whole panel; or, where the
numbers of a row are needed together (the output, and softmax), a whole row and ``lanes``.

Letters: ``L`` layers, ``R`` rows of a block (in whole panels), ``P`` padded parameters, ``F``
features, ``C`` outputs of the network.
"""

from typing import NamedTuple

from numba import types
from numba.extending import intrinsic

from .machine.jit import kernel
from .machine.records import (
    ByteRows,
    Bytes,
    Floats,
    Int32s,
    IntRows,
    Ints,
    Keys,
    RealBits,
    RealRows,
    Reals,
    replacing,
)
from .machine.view import emit_element

# Columns of the int64 table Net.layers: sizes, padded sizes, the addresses of the activation's
# kernels, and offsets: weights and biases in params and grads, the layer's first group in
# Work.group_norms, the transposed gradients in Work.T, and in Work.A (and Z and D) what the layer
# below gives (SOURCE), the layer's input rows (IN: the same place, or behind a dropout its own) and
# its output rows (OUT).
(
    N_IN, N_OUT, LD_IN, LD_OUT, FUNCTION, DERIVATIVE, W, B, NORMS, T,
    SOURCE, IN, IN_ROW, IN_PANEL, OUT, OUT_ROW, OUT_PANEL,
) = range(17)  # fmt: skip


class Layer(NamedTuple):
    """A row of Net.layers. Numba reads a field of a tuple for nothing, where an element of an array
    costs it ten instructions for LLVM to remove again.
    """

    n_in: int
    n_out: int
    ld_in: int
    ld_out: int
    function: int
    derivative: int
    w: int
    b: int
    norms: int
    t: int
    source: int
    in_: int
    in_row: int
    in_panel: int
    out: int
    out_row: int
    out_panel: int


LAYER_FIELDS = len(Layer._fields)


@intrinsic
def _read_layer(typingctx, layers, layer):
    """Return a row of a table of layers as a Layer."""
    kind = types.NamedUniTuple(types.int64, LAYER_FIELDS, Layer)

    def codegen(context, builder, signature, args):
        size = context.get_constant(types.intp, LAYER_FIELDS)
        first = emit_element(
            context, builder, layers, args[0], builder.mul(args[1], size), LAYER_FIELDS
        )
        fields = [
            builder.load(builder.gep(first, [context.get_constant(types.intp, n)]))
            for n in range(LAYER_FIELDS)
        ]
        return context.make_tuple(builder, kind, fields)

    return kind(layers, types.intp), codegen


@kernel
def layer_at(layers, layer):
    """Return a row of Net.layers."""
    return _read_layer(layers, layer)


relocated = replacing("w", "out")  # the layer with its weights and its outputs elsewhere


class Net(NamedTuple):
    """A network. Read-only in forward passes, overwritten by updates."""

    layers: IntRows  # (L, LAYER_FIELDS)
    activation_parameters: Reals  # (L,): the one parameter of each layer's activation
    dropout: Floats  # (L,): share of each layer's inputs that is dropped
    params: Reals  # (P,): all weights, in panels, then all biases
    # Addresses of the kernels that a step is made of; 0 where nothing is trained.
    forward: int  # one layer
    backward: int  # all layers
    descend: int  # their gradients and update


# In how many parts the columns of sparse data are cut, with about as many numbers in each.
PARTS = 4


class SparseRows(NamedTuple):
    """Rows of which only the numbers that are not zero are used, and the kernels that do so.

    As lists: the numbers of part p of row r are those from starts[r PARTS + p] to the next start.
    Behind the n rows stands one more, the shift, where there is one. Or as bytes, which become
    numbers by a factor for each column: then the shift alone is a list.
    """

    starts: Ints  # ((n + 1) * PARTS + 1,)
    columns: Int32s  # (numbers,); ascending in each row
    values: Reals  # (numbers,)
    cuts: Ints  # (PARTS + 1,): the first column of each part, and F
    shift: Reals  # (F,): what is added to every row, or empty: nothing
    X: ByteRows  # (n, F), read-only; of no bytes where rows are lists
    factor: Reals  # (F,), or empty where rows are lists
    prefetch: int  # addresses; 0 where rows are dense
    to_columns: int
    forward: int
    gradient: int


class Columns(NamedTuple):
    """The numbers of a block of sparse rows, column by column: lists of them, or bytes.

    Scratch, but for ``next``, ``touched`` and ``n_touched``, by which the block before is undone.
    """

    capacity: int  # places of a column: rows of a block, or a little more
    bytes: Bytes  # (F capacity + a word,)
    next: Ints  # (F,): the place behind a column's last number; its first is k capacity
    touched: Int32s  # (F + PARTS,): the columns that have any, part by part
    n_touched: Ints  # (PARTS,): how many these are
    values: Reals  # (2 F capacity,): each number, and behind it the bits of its row
    rows: RealBits  # the same memory as integers of that size
    sums: Reals  # (padded units of the first layer,): dZ, summed over the rows


class ListScratch(NamedTuple):
    """Room for the lists of a block of rows, for each member apart. Scratch, but for the flag."""

    starts: Ints
    columns: Int32s
    values: Reals
    order: Ints  # (R,): 0, 1, 2 ...
    is_infinite: Ints  # (1,): set where a number is infinite or NaN, and never reset


class Work(NamedTuple):
    """Every buffer that a step writes to, apart from the parameters. Scratch but for ``state``."""

    A: Reals  # inputs and activations of a block, one layer after the other
    Z: Reals  # pre-activations
    D: Reals  # gradients with respect to A, turned in place into those with respect to Z
    T: Reals  # D transposed, in panels of ``lanes`` rows of the block
    Y: Reals  # (R * padded C,): targets of a block
    grads: Reals  # (P,)
    state: Reals  # the optimizer's (P,) buffers, one after the other
    zeros: Reals  # (lanes,)
    group_norms: Floats  # squared gradient norm of each group of parameters
    group_penalties: Floats  # penalty of each group of weights
    row_loss: Floats  # (R,)
    row_hit: Ints  # (R,)
    phases: Ints  # (phases.NAMES,): accumulates ticks
    columns: Columns


class Data(NamedTuple):
    """What is trained on or evaluated. Read-only."""

    X: ByteRows  # (n, bytes of F numbers), read-only; of no bytes where rows are sparse
    gather: int  # address of the kernel that brings rows of X into a block
    compress: int  # or of the kernel that makes lists of them, in evaluations; else 0
    offset: Floats  # (F,), (1,) or empty: rows are scaled on their way, (x - offset) factor
    factor: Floats
    labels: Int32s  # (n,): class numbers, or empty
    targets: RealRows  # (n, C), or empty; both empty: no loss is computed
    weights: Floats  # (n,): sample weights, or empty: all 1
    sparse: SparseRows
    order: Ints  # the rows of an epoch in the order of their use


class Objective(NamedTuple):
    """What is minimised and how; the same for a whole run. Plain numbers."""

    loss: int  # address
    loss_parameter: float
    is_fused: int  # whether the loss leaves dL/dz, and not dL/da, in d
    task: int
    threshold: float  # of a hit in a binary task
    label_smoothing: float
    l1: float
    l2: float
    penalty_per_row: int  # whether l1 and l2 are divided by the sum of a batch's weights
    clip_norm: float  # of all gradients together; 0: no limit
    clip_value: float  # of each gradient; 0: no limit
    max_norm: float  # of the weights into a unit; 0: no limit
    update: int  # address
    is_plain_sgd: int  # whether the rule is w -= rate g
    optimizer_parameters: Floats  # (4,)


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
    dropout_key: Keys  # (2,)


class Report(NamedTuple):
    """What a slice reports, added up per step."""

    loss: Floats  # (steps of the epoch,)
    hits: Ints  # (steps of the epoch,)
    rows: Ints  # (steps of the epoch,): over how many rows
    weight: Floats  # (steps of the epoch,): the sum of their sample weights
    penalty: Floats  # (steps of the epoch,): before the update, if wanted
    rates: Floats  # (steps of the epoch,): an input, the learning rate of each step
    note_penalties: int  # address of the kernel that computes them; 0: they are not wanted
