"""Every kind of call by address, and the types of its arguments.

A kernel's address is taken with ``machine.calls.address(call_loss, kernel, dtype)``; compiled code
calls it with ``call_loss(address, arguments)``.
"""

from .buffers import Columns, Data, Layer, Net, Objective, SparseRows, Work
from .machine.calls import call_type
from .machine.records import ByteRows, Floats, Int32s, IntRows, Ints, Keys, Real, Reals
from .machine.team import Member

_RECTANGLE = (int, int, int, int)  # panels (first, last), rows (first, last)

# --- rules: activations, losses, optimizers ---

# z, a, parameter
call_activation = call_type("an activation", Reals, Reals, Real)
# Z, A, start, stride, n, first, last
call_activation_of_rows = call_type("an activation of rows", Reals, Reals, *[int] * 5)
# z, a, d, parameter
call_activation_backward = call_type("an activation's derivative", Reals, Reals, Reals, Real)
# net, work, data, objective, first_row, first, last, scale
call_loss = call_type("a loss", Net, Work, Data, Objective, int, int, int, Real)
# w, g, state, size, parameters, rate, step, is_weight
call_update = call_type("an optimizer", Reals, Reals, Reals, int, Floats, float, int, bool)

# --- inputs: rows of the data ---

# X, order, first, last, offset, factor, A, start, row, panel
call_gather = call_type(
    "a gathering of rows", ByteRows, Ints, int, int, Floats, Floats, Reals, int, int, int
)
# X, order, first, last, factor, cuts, starts, s, columns, values
call_compress = call_type(
    "a compression of rows", ByteRows, Ints, int, int, Floats, Ints, Ints, int, Int32s, Reals
)
# sparse, order, first, last
call_prefetch = call_type("a prefetch of rows", SparseRows, Ints, int, int)
# member, team, sparse, columns, order, first_row, rows
call_to_columns = call_type(
    "a transposition of rows", int, int, SparseRows, Columns, Ints, int, int
)
# sparse, order, params, Z, c, first_row, p0, p1, r0, r1
call_sparse_forward = call_type(
    "a sparse first layer", SparseRows, Ints, Reals, Reals, Layer, int, *_RECTANGLE
)
# sparse, columns, A, D, c, p0, p1, k0, k1, rows, source, keep, gain, target
call_weight_gradient = call_type(
    "a gradient of weights",
    *(SparseRows, Columns, Reals, Reals, Layer, *_RECTANGLE, int, Reals, Real, Real, Reals),
)

# --- layers ---

# net, work, sparse, order, key, first_row, layer, (p0, p1, r0, r1)
call_forward = call_type(
    "a layer's forward pass", Net, Work, SparseRows, Ints, Keys, int, int, _RECTANGLE
)
# net, work, key, first_row, layer, (p0, p1, r0, r1)
call_layer_backward = call_type("a layer's backward pass", Net, Work, Keys, int, int, _RECTANGLE)
# me, net, work, layer, rows, overwrite
call_gradient = call_type("a gradient of filters", Member, Net, Work, int, int, bool)

# --- steps ---

# me, net, work, objective, key, first_row, rows
call_backward = call_type("a backward pass", Member, Net, Work, Objective, Keys, int, int)
# me, net, work, sparse, columns, objective, rows, overwrite, rate, step
call_update_pass = call_type(
    "gradients and update",
    *(Member, Net, Work, SparseRows, Columns, Objective, int, bool, float, int),
)
# member, team, layers, params, group_penalties, l1, l2
call_penalties = call_type("penalties", int, int, IntRows, Reals, Floats, float, float)

# --- blocks of samples ---

# sparse, order, params, zeros, Z, c, begin, end, p0, p1
call_block_forward = call_type(
    "the first layer on a block of samples",
    *(SparseRows, Ints, Reals, Reals, Reals, Layer, int, int, int, int),
)
# sparse, order, products, begin, end
call_row_products = call_type("products of rows", SparseRows, Ints, Reals, int, int)
