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
from ..ops.scalers import NO_SCALING, Scaling
from .sparse import compress, no_sparse

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
    inputs: str = "dense",
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
    inputs : {"dense", "lists", "shifted lists"}, default "dense"
        How rows are kept: lists hold only what is not zero, after scaling, or but for its offset.

    Raises
    ------
    DataError
        If a feature, scaled, is not finite in ``dtype``.
    """
    if inputs != "dense":
        if inputs == "lists" and scaling.offset.any():
            X, scaling = scaling.apply(X, dtype), NO_SCALING
        lists = compress(X, scaling, dtype)
        check_finite(lists.values, scaling, dtype)
        X = np.empty((len(X), 0), np.uint8)
        gather, offset, factor = 0, np.empty(0), np.empty(0)
    else:
        lists = no_sparse(dtype)
        X, gather, offset, factor = _dense(X, scaling, dtype)
    X.flags.writeable = False
    return Data(
        X=X,
        gather=gather,
        offset=offset,
        factor=factor,
        labels=np.empty(0, np.int32) if labels is None else labels,
        targets=np.empty((0, n_outputs), dtype) if targets is None else targets,
        weights=np.empty(0),
        sparse=lists,
        order=np.arange(len(X)),
    )


def _dense(
    X: np.ndarray, scaling: Scaling, dtype: np.dtype
) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
    """Return rows as bytes, the address of what gathers them, and how it scales them."""
    offset = factor = np.empty(0)
    if X.dtype == np.uint8:
        offset, factor = scaling.offset.astype(float), scaling.factor.astype(float)
    else:
        if scaling.kind != "none" or X.dtype != dtype:
            with np.errstate(over="ignore", invalid="ignore"):
                X = scaling.apply(X, dtype)
        check_finite(X, scaling, dtype)
    width = X.shape[1] * X.itemsize
    rows = np.ascontiguousarray(X).view(np.uint8).reshape(len(X), width)
    return (
        rows,
        gather_address("gather_bytes" if offset.size else "gather_same", dtype),
        offset,
        factor,
    )


def check_finite(numbers: np.ndarray, scaling: Scaling, dtype: np.dtype) -> None:
    """Refuse scaled features that are NaN or infinite.

    Mostly by one sum, which is four times as fast as looking at each.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(numbers.sum()) or np.isfinite(numbers).all():
            return
    raise DataError(
        f"X must be finite and in the range of {dtype}, got NaN, infinity or more after "
        f"scaling by {scaling.kind}; replace or drop such rows, scale by standard or "
        "minmax, or use dtype float64"
    )
