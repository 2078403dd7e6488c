"""Rows of features as kernels take them."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from ..base.errors import DataError
from ..kernels import rows
from ..kernels.buffers import Data
from ..kernels.pointers import address
from ..ops.scalers import Scaling

# By which kernels rows are brought into a block.
GATHERS = ("gather_same", "gather_bytes")


@cache
def gather_address(name: str, dtype: np.dtype) -> int:
    """Return the address of a kernel that brings rows into a block of ``dtype``."""
    X = types.Array(types.uint8, 2, "C", readonly=True)
    order, block = types.Array(types.int64, 1, "C"), types.Array(from_dtype(dtype), 1, "C")
    size, scale = types.intp, types.Array(types.float64, 1, "C")
    signature = (X, order, size, size, scale, scale, block, size, size, size)
    return int(address(getattr(rows, name), signature))


def encode(
    X: np.ndarray,
    scaling: Scaling,
    dtype: np.dtype,
    labels: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    n_outputs: int = 0,
) -> Data:
    """Return rows in their own order; without labels and targets, for outputs alone.

    Bytes stay what they are, and are scaled when kernels use them. Other features are scaled here,
    into a copy, unless they are what the network takes.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
    scaling : Scaling
    dtype : dtype
        Of the network.
    labels : ndarray of int32, shape (n,), optional
    targets : ndarray, shape (n, n_outputs), optional
    n_outputs : int
        Of the network; needed without targets.

    Raises
    ------
    DataError
        If a feature, scaled, is not finite in ``dtype``.
    """
    offset = factor = np.empty(0)
    if X.dtype == np.uint8:
        offset, factor = scaling.offset, scaling.factor
    else:
        if scaling.kind != "none" or X.dtype != dtype:
            with np.errstate(over="ignore", invalid="ignore"):
                X = scaling.apply(X, dtype)
        if not _all_finite(X):
            raise DataError(
                f"X must be finite and in the range of {dtype}, got NaN, infinity or more after "
                f"scaling by {scaling.kind}; replace or drop such rows, scale by standard or "
                "minmax, or use dtype float64"
            )
    width = X.shape[1] * X.itemsize
    bytes_of_rows = np.ascontiguousarray(X).view(np.uint8).reshape(len(X), width)
    bytes_of_rows.flags.writeable = False
    return Data(
        X=bytes_of_rows,
        gather=gather_address("gather_bytes" if offset.size else "gather_same", np.dtype(dtype)),
        offset=np.array(offset, np.float64),
        factor=np.array(factor, np.float64),
        labels=np.empty(0, np.int32) if labels is None else labels,
        targets=np.empty((0, n_outputs), dtype) if targets is None else targets,
        weights=np.empty(0),
        order=np.arange(len(X)),
    )


def _all_finite(X: np.ndarray) -> bool:
    """Whether no number is NaN or infinite; mostly by one sum, which is four times as fast."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(X.sum())) or bool(np.isfinite(X).all())
