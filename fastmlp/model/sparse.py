"""Rows of features of which only the numbers that are not zero are kept."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import typeof, types
from numba.np.numpy_support import from_dtype

from ..kernels import sparse
from ..kernels.buffers import PARTS, Columns, Layer, Sparse
from ..kernels.compress import compress_rows, count_columns
from ..kernels.pointers import address
from ..ops.scalers import Scaling
from .memory import aligned_zeros

_SIZE = types.intp


def no_columns(dtype: np.dtype) -> Columns:
    """Return the buffers of a network whose inputs are dense."""
    return new_columns(0, 0, 0, dtype)


def new_columns(n_features: int, block_rows: int, n_units: int, dtype: np.dtype) -> Columns:
    """Return buffers for a block of so many rows."""
    # Columns a power of two apart would share few sets of the cache: 137 us in place of 91 for the
    # gradient of 128 rows.
    capacity = block_rows + 1 + block_rows % 2
    values = aligned_zeros(2 * n_features * capacity, dtype)
    return Columns(
        capacity=capacity,
        next=np.arange(n_features, dtype=np.int64) * capacity,
        touched=np.zeros(n_features + PARTS, np.int32),
        n_touched=np.zeros(PARTS, np.int64),
        values=values,
        rows=values.view(f"i{dtype.itemsize}"),
        sums=aligned_zeros(n_units, dtype),
    )


def no_sparse(dtype: np.dtype) -> Sparse:
    """Return what stands for the lists of dense rows."""
    return _lists(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, dtype),
                  np.zeros(PARTS + 1, np.int64), np.empty(0, dtype), 0, 0, 0, 0)  # fmt: skip


def compress(X: np.ndarray, scaling: Scaling, dtype: np.dtype) -> Sparse:
    """Return the rows of a matrix, scaled, with the addresses of the kernels that take them.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
    scaling : Scaling
        Its offset is kept apart, as one more row.
    dtype : dtype
        Of the network.
    """
    X = np.ascontiguousarray(X)
    n, n_features = X.shape
    counts = np.empty(n_features, np.int64)
    count_columns(X, counts)
    shift = np.broadcast_to(-scaling.offset * scaling.factor, n_features).astype(dtype)
    n_shift = int(np.count_nonzero(shift))
    numbers = int(counts.sum())
    starts = np.zeros((n + 1) * PARTS + 1, np.int64)
    columns = np.empty(numbers + n_shift, np.int32)
    values = np.empty(numbers + n_shift, dtype)
    cuts = _cuts(counts)
    compress_rows(X, scaling.factor.astype(float), cuts, starts, columns, values)
    compress_rows(shift[np.newaxis], np.ones(1), cuts, starts[n * PARTS :], columns, values)
    return _lists(
        starts, columns, values, cuts, shift if n_shift else shift[:0], *_addresses(np.dtype(dtype))
    )


def _lists(*parts: Any) -> Sparse:
    lists = Sparse(*parts)
    for array in lists[:4]:
        array.flags.writeable = False
    return lists


def _cuts(counts: np.ndarray) -> np.ndarray:
    """Return the first column of each part, and behind the last: parts of about as many numbers."""
    wanted = np.arange(1, PARTS) * counts.sum() / PARTS
    inner = np.searchsorted(np.cumsum(counts), wanted) + 1
    return np.concatenate([[0], inner, [counts.size]]).astype(np.int64)


@cache
def _addresses(dtype: np.dtype) -> tuple[int, int, int, int]:
    """Return the addresses of the kernels for sparse rows, in the order of Sparse's fields."""
    lists, columns = typeof(no_sparse(dtype)), typeof(no_columns(dtype))
    real = from_dtype(dtype)
    array = types.Array(real, 1, "C")
    order = types.Array(types.int64, 1, "C")
    layer = types.NamedUniTuple(types.int64, len(Layer._fields), Layer)
    four = (_SIZE,) * 4
    return (
        address(sparse.prefetch_numbers, (lists, order, _SIZE, _SIZE)),
        address(sparse.index_columns, (_SIZE, _SIZE, lists, columns, order, _SIZE, _SIZE)),
        address(sparse.sparse_forward, (lists, order, array, array, layer, _SIZE, *four)),
        address(
            sparse.sparse_gradient,
            (lists, columns, array, layer, *four, _SIZE, array, real, real, array),
        ),
    )
