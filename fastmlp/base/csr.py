"""SciPy's sparse matrices, converted to canonical CSR.

They are recognised by their methods, so that SciPy is imported only if the caller uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .errors import DataError
from .selection import Selection
from .table_rows import is_table, stacked

# Rows of features: an ndarray, a Selection of rows of one, a scipy.sparse.csr_array as
# :func:`canonical` returns it, or the TableRows of a table with columns of several kinds.
Features = Any

MAX_COLUMNS = 2**31
_ROWS_AT_ONCE = 512


def is_sparse(value: Any) -> bool:
    """Whether it is a SciPy sparse matrix or array, of any format."""
    return hasattr(value, "tocsr")


def canonical(value: Any, name: str) -> Features:
    """Return a sparse matrix as a csr_array: columns ascending, no duplicates, no stored zeros.

    The result shares memory with a matrix of this form; the argument is never changed.

    Parameters
    ----------
    value : sparse matrix or array of any format, or ndarray, shape (n, n_features)
        Duplicate entries are summed; if the dtype cannot hold a sum, the result is float64.
    name : str
        What the error messages call it.

    Raises
    ------
    DataError
        If its index arrays contradict each other or its shape, or it has too many columns.
    """
    from scipy.sparse import csr_array

    if value.shape[1] >= MAX_COLUMNS:
        raise DataError(
            f"{name} must have fewer than 2**31 features, got {value.shape[1]}; select columns "
            "(sklearn.feature_selection) or hash them to fewer (sklearn.feature_extraction)"
        )
    try:
        X = csr_array(value)
        X.check_format(full_check=True)
    except ValueError as error:
        raise DataError(
            f"{name} must be a sparse matrix whose indices fit its shape {value.shape}, got one "
            f"that SciPy refuses ({error}); build it again from rows, columns and values"
        ) from error
    is_summed = getattr(value, "format", "") == "coo" and X.nnz < value.nnz
    if is_summed or not X.has_canonical_format:
        return _summed(value)
    if np.count_nonzero(X.data) < X.data.size:
        X = X.copy()
        X.eliminate_zeros()
    return X


def _summed(value: Any) -> Any:
    """Return a matrix with duplicate entries summed, in its dtype if it can hold the sums."""
    from scipy.sparse import csr_array

    dtype = value.dtype
    # SciPy sums in the dtype of the entries: bytes would overflow silently.
    is_narrow = dtype.kind in "iuf" and dtype != np.float64 and dtype.itemsize <= 8
    X = csr_array(value.astype(np.float64) if is_narrow else value, copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    return _narrow(X, dtype) if is_narrow else X


def _narrow(X: Any, dtype: np.dtype) -> Any:
    """Return X, in float64, converted to a dtype if that can hold its elements."""
    if dtype.kind == "f":
        most = float(np.finfo(dtype).max)
        fits = np.abs(X.data[np.isfinite(X.data)]).max(initial=0.0) <= most
    else:
        info = np.iinfo(dtype)
        # From 2**53 on float64 may have rounded the sum.
        least, most = max(info.min, -(2**53)), min(info.max, 2**53)
        fits = X.data.min(initial=0.0) >= least and X.data.max(initial=0.0) <= most
    return X.astype(dtype) if fits else X


def stack(parts: Sequence[Features]) -> Features:
    """Return the rows of all parts, which are of one type, one after the other."""
    if is_table(parts[0]):
        return stacked(parts)
    if not is_sparse(parts[0]):
        return np.concatenate(parts)
    from scipy.sparse import vstack

    return vstack(parts, format="csr")


def density(X: Features) -> float:
    """Return the fraction of non-zero elements."""
    n_rows, n_features = X.shape
    numbers = X.nnz if is_sparse(X) else sum(map(np.count_nonzero, blocks(X)))
    return int(numbers) / max(1, int(n_rows * n_features))


def blocks(X: Features) -> Iterator[np.ndarray]:
    """Yield blocks of rows of a dense matrix, so that a selection is never copied as a whole."""
    for start in range(0, len(X), _ROWS_AT_ONCE):
        yield X[start : start + _ROWS_AT_ONCE]


def take(X: Features, rows: np.ndarray) -> Features:
    """Return some rows; for a dense matrix and a table without a copy."""
    if is_sparse(X) or is_table(X):
        return X[rows]
    if isinstance(X, Selection):
        return Selection(X.X, X.rows[rows])
    return Selection(X, rows)
