"""Rows of features stored by their non-zero elements, for kernels."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..base.csr import Features, blocks, is_sparse
from ..base.selection import Selection
from ..kernels.buffers import QUARTERS, Columns, ListScratch, SparseRows
from ..kernels.call_types import (
    call_compress,
    call_prefetch,
    call_sparse_forward,
    call_to_columns,
    call_weight_gradient,
)
from ..kernels.emit.bits import HALF_WORD, WORD
from ..kernels.inputs import compress as compression
from ..kernels.inputs import rows_as_bytes, rows_as_lists
from ..kernels.inputs.compress import GRAIN, count_columns
from ..kernels.machine.calls import address
from ..ops.columns import column_counts
from ..ops.scalers import NO_SCALING, Scaling
from .guards import guarded
from .memory import aligned_zeros

# Rows of bytes have at least this number of features: kernels compare as many at a time.
LEAST_BYTES = WORD
_ROWS_AT_ONCE = 1 << 16
_LISTABLE = (np.uint8, np.float32, np.float64)


def new_columns(
    sparse: SparseRows | None, block_rows: int, n_units: int, dtype: np.dtype
) -> Columns:
    """Return buffers for a block of ``block_rows`` rows of ``sparse``; empty for dense rows."""
    if sparse is None or not sparse.to_columns:
        return _columns(0, 0, 0, dtype, 0)
    n_features = int(sparse.cuts[-1])
    if sparse.X.shape[1]:
        capacity = HALF_WORD if block_rows <= HALF_WORD else -(-block_rows // WORD) * WORD
        return _columns(0, capacity, n_units, dtype, n_features * capacity + WORD)
    # Columns a power of two apart would share few sets of the cache: the gradient of 128 rows would
    # take 137 us instead of 91.
    return _columns(n_features, block_rows + 1 + block_rows % 2, n_units, dtype, 0)


def _columns(
    n_features: int, capacity: int, n_units: int, dtype: np.dtype, n_bytes: int
) -> Columns:
    values = aligned_zeros(2 * n_features * capacity, dtype)
    return Columns(
        capacity=capacity,
        bytes=aligned_zeros(n_bytes, np.dtype(np.uint8)),
        next=np.arange(n_features, dtype=np.int64) * capacity,
        touched=np.zeros(n_features + QUARTERS, np.int32),
        n_touched=np.zeros(QUARTERS, np.int64),
        values=values,
        rows=values.view(f"i{dtype.itemsize}"),
        sums=aligned_zeros(n_units, dtype),
    )


@cache
def no_sparse_rows(dtype: np.dtype) -> SparseRows:
    """Return the empty value for dense rows."""
    return SparseRows(
        starts=np.zeros(QUARTERS + 1, np.int64),
        columns=np.empty(0, np.int32),
        values=np.empty(0, dtype),
        cuts=np.zeros(QUARTERS + 1, np.int64),
        shift=np.empty(0, dtype),
        X=no_bytes(0),
        factor=np.empty(0, dtype),
        prefetch=0,
        to_columns=0,
        forward=0,
        gradient=0,
    )


def new_list_scratch(n_features: int, block_rows: int, dtype: np.dtype) -> ListScratch:
    """Return buffers for the lists of a block, and for a copy of the shift for each member."""
    size = 2 * block_rows * n_features
    return ListScratch(
        starts=np.zeros(2 * block_rows * (QUARTERS + 1), np.int64),
        columns=np.zeros(size, np.int32),
        values=np.zeros(size, dtype),
        order=np.arange(block_rows),
        is_infinite=np.zeros(1, np.int64),
    )


def as_bytes(X: np.ndarray) -> np.ndarray:
    """Return rows as read-only bytes, for kernels."""
    rows = np.ascontiguousarray(X)
    rows = rows.view(np.uint8).reshape(len(X), X.shape[1] * X.itemsize)
    rows.flags.writeable = False
    return rows


def no_bytes(n: int) -> np.ndarray:
    """Return the empty value for n rows that are lists. (A slice would keep its matrix alive.)"""
    rows = np.empty((n, 0), np.uint8)
    rows.flags.writeable = False
    return rows


def compile_sparse(dtype: np.dtype) -> None:
    """Compile, or load from disk, all kernels for sparse rows."""
    no_bytes_scaled(LEAST_BYTES, NO_SCALING, dtype)
    for kind in _LISTABLE:
        compress(np.zeros((1, 1), kind), NO_SCALING, dtype)
        if kind != np.uint8:  # lists of bytes are made only for the per-sample step
            compress_address(np.dtype(kind), dtype)


def listable(X: np.ndarray) -> np.ndarray:
    """Return a matrix of a type that kernels make lists from: bytes, float32 or float64."""
    return X if X.dtype in _LISTABLE else X.astype(np.float64)


def compress(X: Features, scaling: Scaling, dtype: np.dtype, is_owned: bool = False) -> SparseRows:
    """Return the scaled rows of a matrix as lists, with the addresses of their kernels.

    Parameters
    ----------
    X : ndarray, Selection or csr_array, shape (n, n_features)
        A CSR gives the same lists as the dense matrix, to the bit.
    scaling : Scaling
        Its offset is stored separately, as one more row.
    dtype : dtype
        Of the network.
    is_owned : bool, default False
        Whether nobody else changes a CSR: its arrays are then used without a copy, if possible.
    """
    return _lists(X, scaling, dtype, is_owned)._replace(**_addresses_of_lists(np.dtype(dtype)))


def empty_lists(n_features: int, scaling: Scaling, dtype: np.dtype) -> SparseRows:
    """Return lists without rows, but with the shift."""
    return compress(np.empty((0, n_features), dtype), scaling, dtype)


def no_bytes_scaled(n_features: int, scaling: Scaling, dtype: np.dtype) -> SparseRows:
    """Return sparse rows of bytes without rows: their scaling, and the addresses of kernels.

    Parameters
    ----------
    n_features : int
        At least ``LEAST_BYTES``.
    scaling : Scaling
        Its offset is stored separately, as one row of lists.
    dtype : dtype
        Of the network.
    """
    with np.errstate(over="ignore"):  # the caller checks, since it has the rows
        factor = np.full(n_features, scaling.factor, dtype)
    shift = _lists(np.empty((0, n_features), dtype), scaling, dtype)
    return shift._replace(factor=factor, **_addresses_of_bytes(np.dtype(dtype)))


def _lists(X: Features, scaling: Scaling, dtype: np.dtype, is_owned: bool = False) -> SparseRows:
    """Return the lists of :func:`compress`, without addresses."""
    n = X.shape[0]
    if is_sparse(X):
        counts = column_counts(X)
    else:
        X = _selected(X)
        counts = _column_counts(X)
    shift = (-scaling.offset * scaling.factor).astype(dtype)
    shift = np.array(np.broadcast_to(shift, counts.size))
    n_shift, size = int(np.count_nonzero(shift)), int(counts.sum())
    starts = np.zeros((n + 1) * QUARTERS + 1, np.int64)
    if is_owned and not n_shift and _are_values(X, scaling, dtype):
        columns, values = X.indices, X.data
    else:
        columns, values = np.empty(size + n_shift, np.int32), np.empty(size + n_shift, dtype)
    cuts = _cuts(counts if size else np.ones_like(counts))
    rest = starts, columns, values
    make = _list_rows if is_sparse(X) else _compress_rows
    make(X, scaling.factor.astype(float), cuts, 0, *rest)
    _compress_rows(_selected(shift[np.newaxis]), np.ones(1), cuts, n * QUARTERS, *rest)
    return no_sparse_rows(dtype)._replace(
        starts=starts,
        columns=columns,
        values=values,
        cuts=cuts,
        shift=shift if n_shift else shift[:0],
    )


def _are_values(X: Features, scaling: Scaling, dtype: np.dtype) -> bool:
    """Whether the arrays of a CSR are those of its lists."""
    is_plain = is_sparse(X) and scaling.kind == NO_SCALING.kind
    return is_plain and bool(X.dtype == dtype and X.indices.dtype == np.int32)


def _selected(X: np.ndarray | Selection) -> Selection:
    """Return rows of a type that kernels make lists from, without a copy if possible."""
    if isinstance(X, Selection) and X.dtype in _LISTABLE and X.X.flags.c_contiguous:
        return X
    return Selection(np.ascontiguousarray(listable(np.asarray(X))), np.arange(len(X)))


def _column_counts(X: Selection) -> np.ndarray:
    """Return the number of non-zero elements of each column."""
    counts = np.zeros(X.shape[1], np.int64)
    for block in blocks(X):
        found = np.empty_like(counts)
        with guarded((block, found)) as given:
            count_columns(*given)
        counts += found
    return counts


def _compress_rows(X: Selection, factor: np.ndarray, cuts: np.ndarray, *rest: Any) -> None:
    kernel = getattr(compression, f"compress_{X.dtype}")
    s, starts, columns, values = rest
    arguments = as_bytes(X.X), X.rows, 0, len(X), factor, cuts, starts, s, columns, values
    with guarded(arguments) as given:
        kernel(*given)


def _list_rows(X: Features, factor: np.ndarray, cuts: np.ndarray, *rest: Any) -> None:
    """Write the lists of a CSR, as :func:`_compress_rows` does for a dense matrix."""
    s, starts, columns, values = rest
    columns[: X.nnz] = X.indices
    for begin in range(0, X.shape[0], _ROWS_AT_ONCE):  # whose temporary arrays would be large
        offsets = X.indptr[begin : begin + _ROWS_AT_ONCE + 1]
        low, high = int(offsets[0]), int(offsets[-1])
        indices = X.indices[low:high]
        first, last = offsets[:-1] - low, offsets[1:] - low
        at = s + begin * QUARTERS
        end = at + len(first) * QUARTERS + 1
        for part in range(1, QUARTERS + 1):
            # For each element: how many elements up to it are left of the end of the part. In a
            # row, these come first.
            left = np.concatenate([[0], np.cumsum(indices < cuts[part])])
            starts[at + part : end : QUARTERS] = offsets[:-1] + left[last] - left[first]
        with np.errstate(over="ignore", invalid="ignore"):  # checked by the caller
            scaled = X.data[low:high].astype(float)
            values[low:high] = scaled * (factor if factor.size == 1 else factor[indices])


def compress_address(kind: np.dtype, dtype: np.dtype) -> int:
    """Return the address of the kernel that makes lists of ``dtype`` from rows of ``kind``."""
    return address(call_compress, getattr(compression, f"compress_{kind}"), dtype)


def _cuts(counts: np.ndarray) -> np.ndarray:
    """Return the first column of each part and the end: parts have about equal sizes."""
    wanted = np.arange(1, QUARTERS) * counts.sum() / QUARTERS
    inner = np.searchsorted(np.cumsum(counts), wanted) + 1
    inner = np.minimum(-(-inner // GRAIN) * GRAIN, counts.size)
    return np.concatenate([[0], inner, [counts.size]]).astype(np.int64)


def _addresses_of_lists(dtype: np.dtype) -> dict[str, int]:
    """Return the addresses of the kernels for lists, by the fields of SparseRows."""
    return {
        "prefetch": address(call_prefetch, rows_as_lists.prefetch_numbers, dtype),
        "to_columns": address(call_to_columns, rows_as_lists.index_columns, dtype),
        "forward": address(call_sparse_forward, rows_as_lists.sparse_forward, dtype),
        "gradient": address(call_weight_gradient, rows_as_lists.sparse_gradient, dtype),
    }


def _addresses_of_bytes(dtype: np.dtype) -> dict[str, int]:
    """Return the addresses of the kernels for rows of bytes."""
    return {
        "prefetch": address(call_prefetch, rows_as_bytes.prefetch_bytes, dtype),
        "to_columns": address(call_to_columns, rows_as_bytes.bytes_by_columns, dtype),
        "forward": address(call_sparse_forward, rows_as_bytes.forward_of_bytes, dtype),
        "gradient": address(call_weight_gradient, rows_as_bytes.gradient_of_bytes, dtype),
    }
