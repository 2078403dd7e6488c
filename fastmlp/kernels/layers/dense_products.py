"""The products of a dense layer on a rectangle: some panels of its units, some rows of the block.

The division into rectangles decides which data move between cores, not the results: every element
is the same chain of operations in any rectangle. Inputs are in panels or rows;
dense_on_images.py has the products of images.
"""

from ..emit.emitter import VECTOR_BYTES
from ..emit.lists import SumOfRows, sum_rows
from ..emit.tile import multiply_columns, multiply_panel, multiply_rows
from ..emit.transpose import transpose_block
from ..machine.host import SPARSE_PANELS
from ..machine.jit import kernel
from ..machine.view import view
from .layout import is_in_panels, takes_images


@kernel
def forward_product(c, params, A, Z, p0, p1, r0, r1):
    """Z = A W + b."""
    lanes, one = VECTOR_BYTES // A.itemsize, A.dtype.type(1)
    for p in range(p0, p1):
        multiply_rows(
            A, c.in_ + r0 * c.in_row, c.in_row, c.in_panel,
            params, c.w + p * c.n_in * lanes, lanes, params, c.b + p * lanes, 0, one, one,
            Z, c.out + p * c.out_panel + r0 * c.out_row, c.out_row, r1 - r0, c.n_in,
        )  # fmt: skip


# Cycles to transpose a block of lanes x lanes elements; a vector's multiply-add takes one.
_TRANSPOSITION = 80


@kernel
def reads_strips(c, lanes, rows, team):
    """Whether the backward pass of a dense layer transposes its weights, not its gradients.

    With rows in the lanes, it computes whole vectors of rows: 112 for 100 rows. Which takes longer
    depends on the shapes alone. Outputs are in panels, and every member needs a strip of its own.
    """
    groups, inputs, units = (rows + lanes - 1) // lanes, c.ld_in // lanes, c.ld_out // lanes
    if not is_in_panels(c, lanes) or takes_images(c) or team > groups:
        return False
    if c.gradient == 0 or c.own_gradient != 0:
        return False
    blocks = inputs * units - groups * (inputs + units)
    return (groups * lanes - rows) * inputs * c.n_out > blocks * _TRANSPOSITION


@kernel
def strip_of(c, T, lanes, rows, me):
    """Return a member's strip for transposed weights, in the part of T that the layer does not use
    then; an empty one if the layer transposes its gradients.
    """
    size = c.ld_out * lanes if reads_strips(c, lanes, rows, me.team) else 0
    return view(T, c.t + me.number * size, size)


@kernel
def transpose_gradients(c, D, T, p0, p1, r0, r1):
    """T = D^T, where r0 is the first row of a panel of rows, and 0 for lanes without a row."""
    lanes, zero = VECTOR_BYTES // D.itemsize, D.dtype.type(0)
    for r in range(r0, r1, lanes):
        for p in range(p0, p1):
            t = c.t + r * c.ld_out + p * lanes * lanes
            transpose_block(D, c.out + p * c.out_panel + r * c.out_row, c.out_row, T, t, lanes)
            for lane in range(r1 - r, lanes):
                for unit in range(lanes):
                    T[t + unit * lanes + lane] = zero


@kernel(inline=True)
def _transpose_weights(c, params, strip, p):
    """Copy panel p of the rows of W to ``strip``, transposed; 0 for lanes without an input."""
    lanes = VECTOR_BYTES // params.itemsize
    n = min(lanes, c.n_in - p * lanes)
    for q in range(c.ld_out // lanes):
        w, s = c.w + (q * c.n_in + p * lanes) * lanes, q * lanes * lanes
        if n == lanes:
            transpose_block(params, w, lanes, strip, s, lanes)
            continue
        for k in range(lanes):
            for unit in range(lanes):
                weight = params[w + k * lanes + unit] if k < n else params.dtype.type(0)
                strip[s + unit * lanes + k] = weight


@kernel
def backward_product(c, below, params, T, strip, zeros, D, p0, p1, r0, r1):
    """D = dZ W^T with respect to the layer's inputs, the outputs of the layer ``below``.

    Computed as D^T = W dZ^T, which reads W in memory order: no transposed copy has to be updated.
    Overwrites the rectangle of D at IN, and that of T of the layer below. With a strip (see
    ``reads_strips``), computed as it stands, with a transposed copy of each panel of W's rows.
    """
    lanes, one = VECTOR_BYTES // D.itemsize, D.dtype.type(1)
    first, last = p0 * lanes, min(p1 * lanes, c.n_in)
    is_direct = strip.size > 0
    parts = p1 - p0 if is_direct else (r1 - r0 + lanes - 1) // lanes
    for part in range(parts):
        p, r = p0 + part, r0 + part * lanes
        t = below.t + r * below.ld
        if is_direct:
            _transpose_weights(c, params, strip, p)
            A, a, a_panel, B, b = D, c.out + r0 * lanes, c.out_panel, strip, 0
            C, start, row, n = D, c.in_ + p * c.in_panel + r0 * c.in_row, c.in_row, r1 - r0
        else:
            A, a, a_panel = params, c.w + first * lanes, c.n_in * lanes
            B, b, C, start, row, n = (
                T,
                c.t + r * c.ld_out,
                T,
                t + first * lanes,
                lanes,
                last - first,
            )
        # Emitted once for both: it is most of the code.
        multiply_rows(
            A, a, lanes, a_panel, B, b, lanes, zeros, 0, 0, one, one, C, start, row, n, c.n_out
        )
        if not is_direct:
            for p in range(p0, p1):
                transpose_block(
                    T, t + p * lanes * lanes, lanes,
                    D, c.in_ + p * c.in_panel + r * c.in_row, c.in_row,
                )  # fmt: skip


@kernel
def gradient_product(c, A, D, p, q0, q1, rows, source, keep, gain, target):
    """target = keep source + gain A^T dZ for the weights from panels q0 to q1 of inputs to panel p
    of units.

    ``source`` and ``target`` have the layout of the parameters, or ``source`` is one vector.
    """
    lanes = VECTOR_BYTES // A.itemsize
    from_vector = source.size == lanes
    s_row = 0 if from_vector else lanes
    whole = min(q1, c.n_in // lanes)
    for q in range(q0, whole):
        w = c.w + (p * c.n_in + q * lanes) * lanes
        multiply_panel(
            A, c.in_ + q * c.in_panel, c.in_row, 0, D, c.out + p * c.out_panel, c.out_row,
            source, 0 if from_vector else w, s_row, keep, gain, target, w, lanes, lanes, rows,
        )  # fmt: skip
    if whole < q1:
        w = c.w + (p * c.n_in + whole * lanes) * lanes
        multiply_columns(
            A, c.in_ + whole * c.in_panel, c.in_row, 0, D, c.out + p * c.out_panel, c.out_row,
            source, 0 if from_vector else w, s_row, keep, gain, target, w, lanes,
            c.n_in - whole * lanes, rows,
        )  # fmt: skip


@kernel
def bias_gradient(c, D, p0, p1, rows, grads, overwrite):
    """db = sum_i dZ_i for some panels of units. Accumulates or overwrites.

    Four panels at a time, because each addition to a sum waits for the one before.
    """
    lanes = VECTOR_BYTES // D.itemsize
    for p in range(p0, p1, SPARSE_PANELS):
        d, db = c.out + p * c.out_panel, c.b + p * lanes
        sum_rows(
            SumOfRows(D, d, c.out_row, c.out_panel, rows, grads, db, overwrite),
            min(SPARSE_PANELS, p1 - p),
        )
