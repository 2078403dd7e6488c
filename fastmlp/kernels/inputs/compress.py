"""Rows of the data, most elements zero, written as lists of their non-zero elements."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..buffers import QUARTERS
from ..machine.jit import kernel
from ..machine.view import emit_element, row_view
from .gather import typed_row

# Columns compared at a time. Parts of a row start at multiples of it.
GRAIN = 16

_BYTES, _SINGLES, _DOUBLES = np.empty(0, np.uint8), np.empty(0, np.float32), np.empty(0)


@intrinsic
def _find_nonzero(typingctx, row, start):
    """Return an integer whose bit j is 1 if row[start + j] is not zero, for j < GRAIN."""

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
    """Return the index of the lowest bit that is set; at least one must be."""

    def codegen(context, builder, signature, args):
        word = ir.IntType(64)
        kind = ir.FunctionType(word, [word, ir.IntType(1)])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.cttz.i64")
        return builder.call(function, [args[0], ir.Constant(ir.IntType(1), 1)])

    return types.int64(types.int64), codegen


@kernel
def _compress_part(x, first, last, factor, index, columns, values):
    """Append columns ``first`` to ``last`` of a row at ``index``; return the index after them."""
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
            columns[index] = k
            scaled = np.float64(x[k]) * factor[0 if factor.size == 1 else k]
            values[index] = values.dtype.type(scaled)
            index += 1
        start += GRAIN
    return index


@kernel
def _compress_rows(X, like, order, first, last, factor, cuts, starts, s, columns, values):
    """Write x factor for all non-zero x of rows order[first : last] of X, row by row.

    ``starts[s]`` is the index of the first element. The starts of the following parts of rows are
    written after it, and last the end of the last row. Computed in float64, as for dense rows.
    """
    index = starts[s]
    for i in range(first, last):
        x = typed_row(X, order[i], 0, cuts[QUARTERS], like)
        for part in range(QUARTERS):
            index = _compress_part(x, cuts[part], cuts[part + 1], factor, index, columns, values)
            s += 1
            starts[s] = index


@kernel(cached=True)
def compress_uint8(X, order, first, last, factor, cuts, starts, s, columns, values):
    """Make lists of rows of bytes."""
    _compress_rows(X, _BYTES, order, first, last, factor, cuts, starts, s, columns, values)


@kernel(cached=True)
def compress_float32(X, order, first, last, factor, cuts, starts, s, columns, values):
    """Make lists of rows of float32; X holds their bytes."""
    _compress_rows(X, _SINGLES, order, first, last, factor, cuts, starts, s, columns, values)


@kernel(cached=True)
def compress_float64(X, order, first, last, factor, cuts, starts, s, columns, values):
    """Make lists of rows of float64; X holds their bytes."""
    _compress_rows(X, _DOUBLES, order, first, last, factor, cuts, starts, s, columns, values)


@kernel(cached=True)
def count_columns(X, counts):
    """Overwrite ``counts``, int64 (F,), with the number of non-zero elements of each column."""
    for k in range(counts.size):
        counts[k] = 0
    for r in range(X.shape[0]):
        x = row_view(X, r, 0, counts.size)
        for k in range(counts.size):
            counts[k] += x[k] != 0
