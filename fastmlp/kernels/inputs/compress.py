"""Rows of numbers, most of them zero, written as lists of those that are not."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..buffers import PARTS
from ..machine.jit import kernel
from ..machine.view import emit_element, row_view
from .gather import typed_row

# Columns are looked at so many at a time; where a row is cut into parts is a multiple of it.
GRAIN = 16

_BYTES, _SINGLES, _DOUBLES = np.empty(0, np.uint8), np.empty(0, np.float32), np.empty(0)


@intrinsic
def _find_nonzero(typingctx, row, start):
    """Return a number whose bit j says whether row[start + j] is not zero, for j < GRAIN."""

    def codegen(context, builder, signature, args):
        kind = signature.args[0]
        vector = ir.VectorType(context.get_value_type(kind.dtype), GRAIN)
        first = emit_element(context, builder, kind, args[0], args[1], GRAIN)
        numbers = builder.load(builder.bitcast(first, vector.as_pointer()))
        numbers.align = 1
        zeros = ir.Constant(vector, None)
        if isinstance(kind.dtype, types.Float):
            found = builder.fcmp_unordered("!=", numbers, zeros)
        else:
            found = builder.icmp_unsigned("!=", numbers, zeros)
        return builder.zext(builder.bitcast(found, ir.IntType(GRAIN)), ir.IntType(64))

    return types.int64(row, types.intp), codegen


@intrinsic
def _lowest_bit(typingctx, number):
    """Return the place of the lowest bit that is set; there must be one."""

    def codegen(context, builder, signature, args):
        word = ir.IntType(64)
        kind = ir.FunctionType(word, [word, ir.IntType(1)])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.cttz.i64")
        return builder.call(function, [args[0], ir.Constant(ir.IntType(1), 1)])

    return types.int64(types.int64), codegen


@kernel
def _compress_part(x, first, last, factor, place, columns, values):
    """Write columns ``first`` to ``last`` of a row from ``place`` on; return the place behind."""
    start = first
    while start < last:
        if start + GRAIN <= last:
            found = _find_nonzero(x, start)
        else:
            found = 0
            for j in range(last - start):
                found |= np.int64(x[start + j] != 0) << j
        while found != 0:
            k = start + _lowest_bit(found)
            found &= found - 1
            columns[place] = k
            scaled = np.float64(x[k]) * factor[0 if factor.size == 1 else k]
            values[place] = values.dtype.type(scaled)
            place += 1
        start += GRAIN
    return place


@kernel
def _compress_rows(X, like, order, first, last, factor, cuts, starts, s, columns, values):
    """Write x factor of all non-zero x of rows order[first : last] of X, row by row.

    ``starts[s]`` says where to begin; behind it come where the next part of a row starts, and at
    last what lies behind the last row. Computed in float64, as dense rows are.
    """
    place = starts[s]
    for i in range(first, last):
        x = typed_row(X, order[i], 0, cuts[PARTS], like)
        for part in range(PARTS):
            place = _compress_part(x, cuts[part], cuts[part + 1], factor, place, columns, values)
            s += 1
            starts[s] = place


@kernel(cached=True)
def compress_uint8(X, order, first, last, factor, cuts, starts, s, columns, values):
    """Make lists of rows of bytes."""
    _compress_rows(X, _BYTES, order, first, last, factor, cuts, starts, s, columns, values)


@kernel(cached=True)
def compress_float32(X, order, first, last, factor, cuts, starts, s, columns, values):
    """Make lists of rows of float32, of which X holds the bytes."""
    _compress_rows(X, _SINGLES, order, first, last, factor, cuts, starts, s, columns, values)


@kernel(cached=True)
def compress_float64(X, order, first, last, factor, cuts, starts, s, columns, values):
    """Make lists of rows of float64, of which X holds the bytes."""
    _compress_rows(X, _DOUBLES, order, first, last, factor, cuts, starts, s, columns, values)


@kernel(cached=True)
def count_columns(X, counts):
    """Overwrite ``counts``, int64 (F,), with the non-zero numbers of each column."""
    for k in range(counts.size):
        counts[k] = 0
    for r in range(X.shape[0]):
        x = row_view(X, r, 0, counts.size)
        for k in range(counts.size):
            counts[k] += x[k] != 0
