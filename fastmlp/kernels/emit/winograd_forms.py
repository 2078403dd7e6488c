"""The linear maps of Winograd's F(2x2, 3x3), on vectors in emitted code.

A tile of 2x2 outputs needs 4x4 inputs. In 16 *places* a product of transformed weights and inputs,
summed over channels, replaces the 36 products of the direct form:

    y = A^T [sum over channels of (G w G^T) * (B^T x B)] A         (Lavin & Gray 2016, section 4.1)

The backward forms are the adjoints of these maps: with m = A dz A^T,

    dx = B [sum over filters of (G w G^T) * m] B^T,   dw = G^T [sum over tiles of (B^T x B) * m] G

so that all three have 16 products for each tile.
"""

from llvmlite import ir

PLACES = 16


def _half(builder, value):
    return builder.fmul(value, ir.Constant(value.type, [0.5] * value.type.count))


def _negative(builder, value):
    return builder.fsub(ir.Constant(value.type, [-0.0] * value.type.count), value)


def inputs(b, x):
    """B^T x."""
    return [b.fsub(x[0], x[2]), b.fadd(x[1], x[2]), b.fsub(x[2], x[1]), b.fsub(x[1], x[3])]


def inputs_adjoint(b, m):
    """B m."""
    inner = b.fadd(b.fsub(m[1], m[2]), m[3])
    return [m[0], inner, b.fsub(b.fadd(m[1], m[2]), m[0]), _negative(b, m[3])]


def outputs(b, m):
    """A^T m."""
    return [b.fadd(b.fadd(m[0], m[1]), m[2]), b.fsub(b.fsub(m[1], m[2]), m[3])]


def outputs_adjoint(b, y):
    """A y."""
    return [y[0], b.fadd(y[0], y[1]), b.fsub(y[0], y[1]), _negative(b, y[1])]


def weights(b, w):
    """G w."""
    even = b.fadd(w[0], w[2])
    return [w[0], _half(b, b.fadd(even, w[1])), _half(b, b.fsub(even, w[1])), w[2]]


def weights_adjoint(b, m):
    """G^T m."""
    even = _half(b, b.fadd(m[1], m[2]))
    return [b.fadd(m[0], even), _half(b, b.fsub(m[1], m[2])), b.fadd(even, m[3])]


def both_ways(builder, transform, block):
    """Apply a transform along x, then along y, to a list of rows."""
    rows = [transform(builder, row) for row in block]
    columns = [transform(builder, list(column)) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]
