"""The arrays that kernels receive, grouped in named tuples, and the offsets of layers in them.

All elements of one kind are in one flat array, so that compiled code does not depend on the depth
of the network. Matrices are stored in *panels*: 64 bytes of columns (``lanes`` elements) of all
rows, then the next 64 bytes of columns. So products read memory sequentially, and members that work
on different panels share no cache line. A last panel with fewer columns is padded with zeros.

Each layer's activations have two strides, ROW and PANEL: ``lanes`` and a whole panel, one row of
which is not used; or, where whole rows are needed (the output, and softmax), a whole row and
``lanes``.

Letters: ``L`` layers, as model/stages.py lists them, ``R`` rows of a block (in whole panels),
``P`` padded parameters, ``F`` features, ``C`` outputs of the network.
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
    RealBits,
    RealRows,
    Reals,
    replacing,
)  # fmt: skip
from .machine.stored import stored
from .machine.view import emit_element

# Columns of the int64 table Net.layers: sizes of the matrix of weights, 0 without one, and padded
# sizes; the number of outputs of a row and the padded number; the addresses of the kernels of the
# activation (0: none; OF_ROWS: that of all rows at once, if there is one) and of the layer
# (BACKWARD: 0 if gradients of inputs are not needed; GRADIENT: 0 without weights); whether GRADIENT
# computes all gradients of the layer before any update, as that of filters does (OWN_GRADIENT);
# whether members share by rows the panels left over when all have the same number (DIVIDES); and
# offsets: weights and biases in params and grads, the layer's first group in Work.group_norms, the
# transposed gradients in Work.T, and in Work.A (and Z and D) the layer's inputs and outputs.
(
    N_IN, N_OUT, LD_IN, LD_OUT, WIDTH, LD, FUNCTION, OF_ROWS, DERIVATIVE, FORWARD, BACKWARD,
    GRADIENT, OWN_GRADIENT, DIVIDES, W, B, NORMS, T, IN, IN_ROW, IN_PANEL, OUT, OUT_ROW, OUT_PANEL,
) = range(24)  # fmt: skip


class Layer(NamedTuple):
    """A row of Net.layers. Reading a field of a tuple emits no code, while reading an element of an
    array emits ten instructions for LLVM to remove.
    """

    n_in: int
    n_out: int
    ld_in: int
    ld_out: int
    width: int
    ld: int
    function: int
    of_rows: int
    derivative: int
    forward: int
    backward: int
    gradient: int
    own_gradient: int
    divides: int
    w: int
    b: int
    norms: int
    t: int
    in_: int
    in_row: int
    in_panel: int
    out: int
    out_row: int
    out_panel: int


LAYER_FIELDS = len(Layer._fields)


class Image(NamedTuple):
    """A row of Net.images: the shapes of a layer of images, and its window.

    For other layers, the fields from ``kernel_height`` on hold the parameters of their kind. With
    pooling, the outputs are those before it, without rows and columns that belong to no window.
    """

    in_height: int
    in_width: int
    in_channels: int
    out_height: int
    out_width: int
    out_channels: int
    kernel_height: int
    kernel_width: int
    stride_height: int
    stride_width: int
    padding_height: int  # rows and columns of zeros before the first ones
    padding_width: int
    pool_height: int  # a window of outputs whose maximum is kept; (1, 1): all outputs are
    pool_width: int
    scratch: int  # elements of Work.scratch for a group of rows
    tiles: int  # tiles of a line that winograd.py transforms at once


IMAGE_FIELDS = len(Image._fields)
POOL_HEIGHT, POOL_WIDTH, SCRATCH, TILES = range(12, 16)


def _reading(record):
    """Return the intrinsic that returns a row of a table as a named tuple."""
    count = len(record._fields)

    @intrinsic
    def read(typingctx, table, row):
        kind = types.NamedUniTuple(types.int64, count, record)

        def codegen(context, builder, signature, args):
            size = context.get_constant(types.intp, count)
            first = emit_element(
                context, builder, table, args[0], builder.mul(args[1], size), count
            )
            fields = [
                builder.load(builder.gep(first, [context.get_constant(types.intp, n)]))
                for n in range(count)
            ]
            return context.make_tuple(builder, kind, fields)

        return kind(table, types.intp), codegen

    return read


_read_layer, _read_image = _reading(Layer), _reading(Image)


@kernel
def layer_at(layers, layer):
    """Return a row of Net.layers."""
    return _read_layer(layers, layer)


@kernel
def image_at(images, layer):
    """Return a row of Net.images."""
    return _read_image(images, layer)


relocated = replacing("w", "out")  # a copy of the layer with other offsets of weights and outputs


@stored
class Net(NamedTuple):
    """A network. Read-only in forward passes, overwritten by updates."""

    layers: IntRows  # (L, LAYER_FIELDS)
    images: IntRows  # (L, IMAGE_FIELDS)
    activation_parameters: Reals  # (L,): the one parameter of each layer's activation
    layer_parameters: Floats  # (L,): the one real parameter of each layer
    # (2 L,): what the learning rate of each layer's weights, and of its biases, is multiplied by
    rate_factors: Floats
    params: Reals  # (P,): all weights, in panels, then all biases
    # Addresses of kernels for all layers; 0 if the general step is not used.
    backward: int
    update_in_one_pass: int  # of a batch of one block, where that is possible; else 0
    update_in_passes: int


# Parts into which the columns of sparse rows are split, with about equal numbers of elements.
QUARTERS = 4


@stored
class SparseRows(NamedTuple):
    """Sparse rows, as lists or as bytes, and the addresses of the kernels that read them.

    As lists: the elements of quarter p of row r are those from starts[r QUARTERS + p] to the next
    start. The shift, if there is one, is stored as row n. As bytes: each column has a factor, and
    only the shift is a list.
    """

    starts: Ints  # ((n + 1) * QUARTERS + 1,)
    columns: Int32s  # (elements,); ascending in each row
    values: Reals  # (elements,)
    cuts: Ints  # (QUARTERS + 1,): the first column of each part, and F
    shift: Reals  # (F,): added to every row; empty: no shift
    X: ByteRows  # (n, F), read-only; (n, 0) if rows are lists
    factor: Reals  # (F,); empty if rows are lists
    prefetch: int  # addresses; 0 if rows are dense
    to_columns: int
    forward: int
    gradient: int


@stored
class Columns(NamedTuple):
    """The elements of a block of sparse rows, column by column, as lists or as bytes.

    Scratch, except for ``next``, ``touched`` and ``n_touched``, which are used to clear the lists.
    """

    capacity: int  # elements of a column: rows of a block, or a few more
    bytes: Bytes  # (F capacity + a word,)
    next: Ints  # (F,): the index after a column's last element; its first index is k capacity
    touched: Int32s  # (F + QUARTERS,): the columns that have elements, part by part
    n_touched: Ints  # (QUARTERS,): the number of these
    values: Reals  # (2 F capacity,): each element, followed by the bits of its row
    rows: RealBits  # the same memory as integers of the same size
    sums: Reals  # (padded units of the first layer,): dZ, summed over the rows


@stored
class ListScratch(NamedTuple):
    """Buffers for lists of a block of rows, separate for each member. Scratch, except the flag."""

    starts: Ints
    columns: Int32s
    values: Reals
    order: Ints  # (R,): 0, 1, 2 ...
    is_infinite: Ints  # (1,): set to 1 if an element is infinite or NaN


@stored
class Work(NamedTuple):
    """Every buffer that a step writes to, except the parameters.

    ``state`` is kept from update to update, ``grads`` and ``group_penalties`` from the first block
    of a batch to its last, ``phases`` and ``layer_ticks`` until they are read, ``columns`` as
    described there. ``zeros`` is only read. Everything else is overwritten in each block.
    """

    A: Reals  # inputs and activations of a block, one layer after the other
    Z: Reals  # pre-activations
    D: Reals  # gradients with respect to A, changed in place to those with respect to Z
    # D transposed, in panels of ``lanes`` rows; of images, the tap of each maximum, or the mask of
    # dropout.
    T: Reals
    Y: Reals  # (R * padded C,): targets of a block
    grads: Reals  # (P,)
    state: Reals  # the optimizer's (P,) buffers, one after the other
    zeros: Reals  # (lanes,)
    # Of a member, a part of T: a panel of transposed weights, if a backward pass reads these.
    strip: Reals
    ones: Reals  # (lanes,)
    scratch: Reals  # for layers of images, a part for each group of rows
    group_norms: Floats  # squared gradient norm of each group of parameters
    group_penalties: Floats  # penalty of each group of weights
    row_loss: Floats  # (R,)
    row_hit: Ints  # (R,)
    phases: Ints  # (len(phases.NAMES),): accumulates ticks of each phase
    layer_ticks: Ints  # (L * len(phases.PARTS_OF_LAYER),): accumulates ticks of each layer
    columns: Columns


@stored
class Data(NamedTuple):
    """The rows to train on or to evaluate. Read-only."""

    X: ByteRows  # (n, bytes of F elements), read-only; (n, 0) if rows are sparse
    gather: int  # address of the kernel that copies rows of X to a block
    compress: int  # address of the kernel that makes lists of rows, in evaluations; else 0
    offset: Floats  # (F,), (1,) or empty: rows are scaled to (x - offset) factor when copied
    factor: Floats
    labels: Int32s  # (n,): class indices, or empty
    targets: RealRows  # (n, C), or empty; both empty: no loss is computed
    weights: Floats  # (n,): sample weights, or empty: all 1
    sparse: SparseRows
    order: Ints  # the rows of an epoch in order


@stored
class Objective(NamedTuple):
    """The objective and the optimizer; constant in a run."""

    loss: int  # address
    loss_parameters: Floats
    is_fused: int  # whether the loss writes dL/dz (not dL/da) to d
    task: int
    threshold: float  # of a hit in a binary task
    label_smoothing: float
    l1: float
    l2: float
    penalty_per_row: int  # whether l1 and l2 are divided by the sum of a batch's weights
    clip_norm: float  # limit of the norm of all gradients together; 0: no limit
    clip_value: float  # limit of each gradient; 0: no limit
    max_norm: float  # limit of the norm of the weights into a unit; 0: no limit
    update: int  # address
    is_plain_sgd: int  # whether the update is w -= rate g
    optimizer_parameters: Floats  # (4,)
