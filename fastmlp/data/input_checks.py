"""Checks of feature matrices, and of any array, passed by users."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from ..base.csr import Features, canonical, is_sparse
from ..base.errors import DataError


def feature_matrix(value: Any, name: str, columns: tuple[str, ...] | None = None) -> Features:
    """Return ``value`` as a finite real array of shape (n >= 1, n_features >= 1), without a copy.

    A sparse matrix stays one: a csr_array, see :func:`~fastmlp.base.csr.canonical`.

    Parameters
    ----------
    value : array_like or sparse matrix
    name : str
        What the error messages call it.
    columns : tuple of str, optional
        What they call its columns.

    Raises
    ------
    DataError
    """
    X = value if is_sparse(value) else as_array(value, name)
    if X.dtype.kind not in "biuf":
        raise DataError(
            f"{name} must hold real numbers, got dtype {X.dtype}; convert numbers with "
            f"{name}.astype(float), pass categories in a frame, such as pandas.DataFrame({name})"
        )
    if X.ndim != 2:
        remedy = f"{name}.reshape(-1, 1)" if X.ndim < 2 else f"{name}.reshape(len({name}), -1)"
        if X.ndim == 4:
            remedy += f", or image_shape={X.shape[1:]} to a Dataset"
        raise DataError(f"{name} must be 2-D (rows, features), got shape {X.shape}; pass {remedy}")
    if 0 in X.shape:
        raise DataError(
            f"{name} must have at least one row and one feature, got shape {X.shape}; "
            "check how the data was selected"
        )
    if is_sparse(X):
        X = canonical(X, name)
    check_finite(X, name, columns)
    return X


def as_array(value: Any, name: str) -> np.ndarray:
    """Return ``value`` as an array of one or more dimensions, of any dtype."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} must be an array or a list of equally long rows, got a "
            f"{type(value).__name__} that is neither; give every row the same length"
        ) from error
    if array.ndim == 0:
        raise DataError(
            f"{name} must be an array or a list with one entry per row, got a single "
            f"{type(value).__name__}; pass the rows themselves"
        )
    return array


def check_finite(array: Features, name: str, columns: tuple[str, ...] | None = None) -> None:
    """Raise DataError for a value that is not finite, with its row and column."""
    if array.dtype.kind != "f":
        return
    values = array.data if is_sparse(array) else array
    finite = np.isfinite(values)
    if finite.all():
        return
    worst = int(np.argmin(finite))
    first: tuple[Any, ...]
    if is_sparse(array):
        first = (np.searchsorted(array.indptr, worst, "right") - 1, array.indices[worst])
    else:
        first = np.unravel_index(worst, array.shape)
    where = f"row {first[0]}"
    if array.ndim > 1:
        named = columns is not None and len(columns) == array.shape[1]
        where += f", column {repr(columns[first[1]]) if columns and named else first[1]}"
    raise DataError(
        f"{name} must be finite, got {finite.size - np.count_nonzero(finite)} NaN (missing) or "
        f"infinite value(s), the first ({values.flat[worst]}) in {where} counting from 0; drop "
        "those rows or fill the gaps"
    )


def checked_shape(shape: Any) -> tuple[int, ...] | None:
    """Return the shape of an image as a tuple of two or three sizes."""
    if shape is None:
        return None
    sizes = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if len(sizes) not in (2, 3) or not all(isinstance(n, Integral) and int(n) > 0 for n in sizes):
        raise DataError(
            "image_shape must be (height, width) or (height, width, channels), whole numbers of "
            f"at least 1, got {shape!r}; leave it out if rows are not images"
        )
    return tuple(map(int, sizes))
