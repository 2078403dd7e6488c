"""Rows of numbers, most of them zero, written as lists of those that are not."""

import numpy as np

from .buffers import PARTS
from .jit import kernel
from .view import row_view


@kernel(cached=True)
def count_columns(X, counts):
    """Overwrite ``counts``, int64 (F,), with the non-zero numbers of each column."""
    for k in range(counts.size):
        counts[k] = 0
    for r in range(X.shape[0]):
        x = row_view(X, r, 0, counts.size)
        for k in range(counts.size):
            counts[k] += x[k] != 0


@kernel(cached=True)
def compress_rows(X, factor, cuts, starts, columns, values):
    """Write x factor of all non-zero x of X, row by row, and where each part of a row starts.

    ``starts[0]`` is where to begin. Computed in float64, as dense rows are.
    """
    place = starts[0]
    for r in range(X.shape[0]):
        for part in range(PARTS):
            n = cuts[part + 1] - cuts[part]
            x = row_view(X, r, cuts[part], n)
            for j in range(n):
                if x[j] != 0:
                    k = cuts[part] + j
                    columns[place] = k
                    scaled = np.float64(x[j]) * factor[0 if factor.size == 1 else k]
                    values[place] = values.dtype.type(scaled)
                    place += 1
            starts[r * PARTS + part + 1] = place
