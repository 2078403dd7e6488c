"""Rows of features in the form that kernels read."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np

from ..base.conversion import as_dense
from ..base.csr import Features, density, is_sparse
from ..base.errors import DataError
from ..base.selection import Selection
from ..base.table_rows import TableRows
from ..kernels.buffers import Data, SparseRows
from ..kernels.call_types import call_gather
from ..kernels.inputs import gather
from ..kernels.machine.calls import address
from ..ops.scalers import NO_SCALING, Scaling
from ..ops.table_encoding import TableEncoding
from .sparse import (
    LEAST_BYTES,
    as_bytes,
    compress,
    compress_address,
    empty_lists,
    listable,
    no_bytes,
    no_bytes_scaled,
    no_sparse_rows,
)

# Largest share of non-zero elements for which skipping zeros is faster: forward pass and update of
# 784 x 128 weights by 32 rows take 72 us at 19 % as lists, 57 us as bytes, 145 us dense at any
# share.
LISTS_DENSITY = 0.35
LISTS_FEATURES = LEAST_BYTES
# Largest offset that is stored separately. It is subtracted after rounding, in float32 at the size
# of the offset: at 400 the loss of a run was wrong in its second digit, at 10 in none.
LISTS_SHIFT = 10.0
_SAMPLED = (
    256  # rows for the share of non-zeros: counting all rows would take as long as using them
)

_MOST_CACHED = 1 << 14  # features for which empty rows are cached

_NOTHING = np.empty(0)

# Kernels that copy rows to a block.
GATHERS = ("gather_same", "gather_bytes")


def gather_address(name: str, dtype: np.dtype) -> int:
    """Return the address of a kernel that copies rows to a block of ``dtype``."""
    return address(call_gather, getattr(gather, name), dtype)


def encode(
    X: Features,
    scaling: Scaling,
    dtype: np.dtype,
    labels: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    n_outputs: int = 0,
    inputs: str = "dense",
    is_owned: bool = False,
) -> Data:
    """Return rows in their order; without labels and targets, for outputs only.

    Bytes stay bytes, and kernels scale them. Other features are scaled here, into a copy unless
    they already have the values and the dtype of the network.

    Parameters
    ----------
    X : ndarray, Selection or csr_array, shape (n, n_features)
    scaling : Scaling
    dtype : dtype
        Of the network.
    labels : ndarray of int32, shape (n,), optional
    targets : ndarray, shape (n, n_outputs), optional
    n_outputs : int
        Of the network; required without targets.
    inputs : {"dense", "bytes", "lists", "shifted lists"}, default "dense"
        How rows are stored. bytes: uint8 rows stay unchanged, and kernels find the non-zeros; rows
        of other types become shifted lists. lists: the non-zeros after scaling. shifted lists: the
        non-zeros after scaling without its offset. A CSR always becomes shifted lists.
    is_owned : bool, default False
        Whether nobody else changes a CSR, so that its arrays need no copy.

    Raises
    ------
    DataError
        If a feature, scaled, is not finite in ``dtype``.
    """
    if inputs == "dense" and not is_sparse(X):
        return _data(labels, targets, n_outputs, dtype, **_dense(X, scaling, dtype))
    if inputs == "bytes" and X.dtype == np.uint8 and not is_sparse(X):
        rows = _bytes(X, scaling, dtype)
        return _data(labels, targets, n_outputs, dtype, X=no_bytes(X.shape[0]), sparse=rows)
    if inputs == "lists" and scaling.offset.any() and not is_sparse(X):
        X, scaling = scaling.apply(X, dtype), NO_SCALING
    lists = compress(X, scaling, dtype, is_owned)
    check_finite(lists.values, scaling, dtype)
    return _data(labels, targets, n_outputs, dtype, X=no_bytes(X.shape[0]), sparse=lists)


def clipped_rows(X: Features, scaling: Scaling, dtype: np.dtype) -> np.ndarray:
    """Return scaled rows where scaling clips them: then it is not left to the kernels.

    DataError for a sparse matrix that is too large to be dense.
    """
    X = as_dense(X, "X", f"scale {scaling.kind}, which shifts features,", "scale by maxabs")
    with np.errstate(over="ignore", invalid="ignore"):
        return scaling.apply(X, dtype)


def encoded_table(encoding: TableEncoding, rows: TableRows, dtype: np.dtype) -> Features:
    """Return the features of a table: a csr_array where skipping its zeros is faster."""
    is_long = encoding.n_features >= LISTS_FEATURES
    if is_long and encoding.density <= LISTS_DENSITY:
        return encoding.sparse(rows, dtype)
    return encoding.dense(rows, dtype)


def encode_for_outputs(
    X: Features,
    scaling: Scaling,
    dtype: np.dtype,
    labels: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    n_outputs: int = 0,
    needs_dense: bool = False,
) -> Data:
    """Return rows for a single evaluation, which makes lists of them where that is faster.

    Parameters and errors as for :func:`encode`; but where lists are made, the evaluation finds
    values that are not finite, in ``Workspace.list_scratch.is_infinite``. With ``needs_dense``, a
    sparse matrix is made dense.
    """
    if scaling.clip:
        X, scaling = clipped_rows(X, scaling, dtype), NO_SCALING
    if needs_dense:
        X = as_dense(X, "X", "the first layer", "predict fewer rows at once")
        return encode(X, scaling, dtype, labels, targets, n_outputs)
    shift = largest_shift(scaling)
    if is_sparse(X):
        if shift <= LISTS_SHIFT:
            return encode(X, scaling, dtype, labels, targets, n_outputs, "shifted lists")
        X = as_dense(X, "X", *shift_advice(scaling))
    is_short = X.shape[1] < LISTS_FEATURES
    if is_short or shift > LISTS_SHIFT or density(X[:_SAMPLED]) > LISTS_DENSITY:
        return encode(X, scaling, dtype, labels, targets, n_outputs)
    if X.dtype == np.uint8:
        return encode(X, scaling, dtype, labels, targets, n_outputs, "bytes")
    X = listable(X)
    return _data(
        labels, targets, n_outputs, dtype,
        X=as_bytes(X),
        compress=compress_address(X.dtype, dtype),
        factor=scaling.factor.astype(float),
        sparse=_no_rows(empty_lists, X.shape[1], scaling, dtype),
    )  # fmt: skip


def _bytes(X: np.ndarray | Selection, scaling: Scaling, dtype: np.dtype) -> SparseRows:
    """Return rows of bytes as they are, with their scaling."""
    rows = _no_rows(no_bytes_scaled, X.shape[1], scaling, dtype)
    X = np.asarray(X)
    if not 255.0 * float(rows.factor.max()) <= float(np.finfo(dtype).max) and len(X):
        with np.errstate(over="ignore", invalid="ignore"):
            check_finite(rows.factor * X.max(axis=0).astype(dtype), scaling, dtype)
    return rows._replace(X=as_bytes(X))


def _no_rows(
    make: Callable[[int, Scaling, np.dtype], SparseRows],
    n_features: int,
    scaling: Scaling,
    dtype: np.dtype,
) -> SparseRows:
    """Return ``make(n_features, scaling, dtype)``, which takes longer than a row's prediction."""
    offset, factor = scaling.offset, scaling.factor
    is_usual = offset.dtype == factor.dtype == np.float64
    if max(n_features, offset.size, factor.size) > _MOST_CACHED or not is_usual:
        return make(n_features, scaling, dtype)
    return _kept_no_rows(make, n_features, offset.tobytes(), factor.tobytes(), dtype)


@lru_cache(maxsize=8)
def _kept_no_rows(
    make: Callable[[int, Scaling, np.dtype], SparseRows],
    n_features: int,
    offset: bytes,
    factor: bytes,
    dtype: np.dtype,
) -> SparseRows:
    return make(n_features, Scaling("", np.frombuffer(offset), np.frombuffer(factor)), dtype)


def largest_shift(scaling: Scaling) -> float:
    """Return the largest absolute offset that scaling adds to a feature."""
    return float(np.abs(scaling.offset * scaling.factor).max())


def shift_advice(scaling: Scaling) -> tuple[str, str]:
    """Return, for an error message, why a large offset needs dense rows, and the remedy."""
    why = f"scale {scaling.kind}, which takes {largest_shift(scaling):.3g} off a feature,"
    return why, "train with scale maxabs"


def _data(
    labels: np.ndarray | None,
    targets: np.ndarray | None,
    n_outputs: int,
    dtype: np.dtype,
    **parts: Any,
) -> Data:
    """Return rows in their own order."""
    nothing = {"gather": 0, "compress": 0, "offset": _NOTHING, "factor": _NOTHING}
    return Data(
        **{**nothing, "sparse": no_sparse_rows(dtype), **parts},
        labels=np.empty(0, np.int32) if labels is None else labels,
        targets=np.empty((0, n_outputs), dtype) if targets is None else targets,
        weights=_NOTHING,
        order=np.arange(len(parts["X"])),
    )


def _dense(X: np.ndarray | Selection, scaling: Scaling, dtype: np.dtype) -> dict[str, Any]:
    """Return rows as bytes, the address of what gathers them, and how it scales them."""
    if X.dtype == np.uint8:
        scales = {"offset": scaling.offset.astype(float), "factor": scaling.factor.astype(float)}
        gather = gather_address("gather_bytes", dtype)
        return {"X": as_bytes(np.asarray(X)), "gather": gather, **scales}
    if scaling.kind != "none" or X.dtype != dtype:
        with np.errstate(over="ignore", invalid="ignore"):
            X = scaling.apply(X, dtype)
    X = np.asarray(X)
    check_finite(X, scaling, dtype)
    return {"X": as_bytes(X), "gather": gather_address("gather_same", dtype)}


def check_finite(values: np.ndarray, scaling: Scaling, dtype: np.dtype) -> None:
    """Raise DataError for scaled features that are NaN or infinite.

    A finite sum shows that all values are finite, four times as fast as a check of each value.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()) or np.isfinite(values).all():
            return
    refuse_infinite(scaling, dtype)


def refuse_infinite(scaling: Scaling, dtype: np.dtype) -> NoReturn:
    """Raise DataError for a scaled feature that is not finite."""
    raise DataError(
        f"X must be finite and in the range of {dtype}, got NaN, infinity, or features that exceed "
        f"{dtype} after scaling by {scaling.kind}; use dtype float64 (an estimator has that of X), "
        "scale by standard or minmax, or replace or drop such rows"
    )
