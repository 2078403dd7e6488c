"""Statistics of columns for scalers: extremes, means and deviations, dense or sparse.

For a sparse matrix only the stored elements are read; the zeros are only counted. Sums
are in row order, as in NumPy for dense columns, so that they are the same to the bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..base.csr import Features, is_sparse

ROWS_AT_ONCE = 4096
_ELEMENTS_AT_ONCE = 1 << 20

Pair = tuple[np.ndarray, np.ndarray]


def extremes(X: Features) -> Pair:
    """Return the minimum and maximum of each column, shape (n_features,), in X's dtype."""
    if not is_sparse(X):
        X = np.asarray(X)
        return X.min(axis=0), X.max(axis=0)
    has_zeros = column_counts(X) < X.shape[0]
    least, most = _limits(X.dtype)
    low = np.where(has_zeros, X.dtype.type(0), most)
    high = np.where(has_zeros, X.dtype.type(0), least)
    np.minimum.at(low, X.indices, X.data)
    np.maximum.at(high, X.indices, X.data)
    return low, high


def means(X: Features) -> np.ndarray:
    """Return the mean of each column, float64 of shape (n_features,)."""
    if not is_sparse(X):
        return np.asarray(np.asarray(X).mean(axis=0, dtype=np.float64))
    return np.asarray(_sums(X, X.data) / X.shape[0])


def mean_of_all(X: Features) -> float:
    """Return the mean of all elements."""
    if not is_sparse(X):
        return float(np.asarray(X).mean(dtype=np.float64))
    return float(X.data.sum(dtype=np.float64) / math.prod(X.shape))


def quartiles(X: Features) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the quartiles of each column, float64 of shape (n_features,).

    Between two values they are interpolated linearly, as by default in ``numpy.quantile``.
    """
    found = np.empty((3, X.shape[1]))
    by_column: Any = X.tocsc() if is_sparse(X) else np.asarray(X)
    for j in range(X.shape[1]):
        if is_sparse(X):
            column = np.zeros(X.shape[0])
            stored = by_column.data[by_column.indptr[j] : by_column.indptr[j + 1]]
            column[: len(stored)] = stored
        else:
            column = by_column[:, j].astype(np.float64)
        found[:, j] = np.quantile(column, (0.25, 0.5, 0.75))
    return found[0], found[1], found[2]


def squared_deviations(X: Features, mean: np.ndarray) -> np.ndarray:
    """Return sum_i (x_i - mean)^2 of each column, float64 of shape (n_features,).

    ``mean`` has shape (n_features,) or (1,). Computed by the definition, because
    sum_i x_i^2 - n mean^2 loses all digits if the deviation is small.
    """
    if is_sparse(X):
        mean = np.broadcast_to(mean, X.shape[1])
        zeros = X.shape[0] - column_counts(X)
        sums = _sums(X, np.square(X.data - mean[X.indices]))
        return np.asarray(sums + zeros * np.square(mean))
    total = np.zeros(X.shape[1])
    for start in range(0, len(X), ROWS_AT_ONCE):
        total += np.square(X[start : start + ROWS_AT_ONCE] - mean).sum(axis=0)
    return total


def column_counts(X: Features) -> np.ndarray:
    """Return the number of stored elements of each column of a CSR."""
    counts = np.zeros(X.shape[1], np.int64)
    for start in range(0, X.nnz, _ELEMENTS_AT_ONCE):  # bincount copies indices to 64 bits
        part = X.indices[start : start + _ELEMENTS_AT_ONCE]
        counts += np.bincount(part, minlength=X.shape[1])
    return counts


def _sums(X: Features, values: np.ndarray) -> np.ndarray:
    """Return the sum of each column of ``values``, which replace the elements that X stores."""
    return np.bincount(X.indices, weights=values.astype(np.float64), minlength=X.shape[1])


def _limits(dtype: np.dtype) -> tuple[Any, Any]:
    """Return the smallest and the largest value of a dtype, as scalars."""
    if dtype.kind == "f":
        return dtype.type(-np.inf), dtype.type(np.inf)
    if dtype.kind == "b":
        return dtype.type(False), dtype.type(True)
    limits = np.iinfo(dtype)
    return dtype.type(limits.min), dtype.type(limits.max)
