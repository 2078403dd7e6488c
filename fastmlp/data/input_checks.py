"""Checks of feature matrices and targets passed by users."""

from __future__ import annotations

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
    X = value if is_sparse(value) else _as_array(value, name)
    if X.dtype.kind not in "biuf":
        raise DataError(
            f"{name} must hold real numbers, got dtype {X.dtype}; convert numbers with "
            f"{name}.astype(float), encode categories with sklearn.preprocessing.OneHotEncoder"
        )
    if X.ndim != 2:
        remedy = f"{name}.reshape(-1, 1)" if X.ndim < 2 else f"{name}.reshape(len({name}), -1)"
        raise DataError(f"{name} must be 2-D (rows, features), got shape {X.shape}; pass {remedy}")
    if 0 in X.shape:
        raise DataError(
            f"{name} must have at least one row and one feature, got shape {X.shape}; "
            "check how the data was selected"
        )
    if is_sparse(X):
        X = canonical(X, name)
    _check_finite(X, name, columns)
    return X


def target_array(value: Any, name: str, task: str) -> tuple[np.ndarray, str]:
    """Return the targets as an array that fits the task, and the task.

    Parameters
    ----------
    value : array_like of shape (n,) or (n, n_outputs)
    name : str
        What the error messages call it.
    task : {"auto", "classification", "multilabel", "regression"}
        auto: floating targets mean regression; several integer or boolean columns of only 0 and 1
        multilabel; all others classification.

    Returns
    -------
    y : ndarray
        Labels (n,) of an integer, boolean or string dtype; zeros and ones (n, n_labels) of an
        integer or boolean dtype; or finite floats. Kept as they are except that whole floating
        labels become int64 (of multilabel uint8), and integer targets of a regression float64.
    task : {"classification", "multilabel", "regression"}

    Raises
    ------
    DataError
    """
    y = _as_array(value, name)
    if y.dtype.kind == "O":
        y = _from_objects(y, name)
    if y.dtype.kind not in "biufU":
        raise DataError(
            f"{name} must hold integer, boolean or string labels, or real numbers, got dtype "
            f"{y.dtype}; convert labels with {name}.astype(str), numbers with {name}.astype(float)"
        )
    if y.dtype.kind == "f":
        _check_finite(y, name)
    if task == "auto":
        task = _task_of(y)
    convert = {"classification": _labels, "multilabel": _indicators, "regression": _numbers}
    return convert[task](y, name), task


def _task_of(y: np.ndarray) -> str:
    if y.dtype.kind == "f":
        return "regression"
    if y.dtype.kind == "U" or y.ndim != 2 or y.shape[1] < 2 or not _is_zero_or_one(y).all():
        return "classification"
    return "multilabel"


def _is_zero_or_one(y: np.ndarray) -> np.ndarray:
    zero_or_one: np.ndarray = (y == 0) | (y == 1)
    return zero_or_one


def _indicators(y: np.ndarray, name: str) -> np.ndarray:
    if y.dtype.kind == "U" or y.ndim != 2 or y.shape[1] == 0:
        raise DataError(
            f"{name} must have a column of 0 and 1 per label for task 'multilabel', got shape "
            f"{y.shape} of {y.dtype}; encode it with sklearn.preprocessing.MultiLabelBinarizer"
        )
    fits = _is_zero_or_one(y)
    if not fits.all():
        raise DataError(
            f"{name} must hold only 0 and 1 for task 'multilabel', got {y[~fits][0]}; use "
            "task='regression' for numeric targets"
        )
    return y.astype(np.uint8) if y.dtype.kind == "f" else y


def _labels(y: np.ndarray, name: str) -> np.ndarray:
    if y.ndim != 1:
        remedy = f"{name}.ravel()" if y.size == len(y) else f"{name}.argmax(axis=1) if one-hot"
        raise DataError(
            f"{name} must hold one label per row, got shape {y.shape}; pass {remedy}, "
            f"{name}.astype(float) for several numeric targets, or only 0 and 1 for several labels"
        )
    if y.dtype.kind == "f":
        whole = (y == np.floor(y)) & (np.abs(y) < 2.0**53)
        if not whole.all():
            raise DataError(
                f"{name} must hold labels for task 'classification', got {y[~whole][0]}, no whole "
                f"number; use task='regression' or pass {name}.astype(str)"
            )
        return y.astype(np.int64)
    return y


def _numbers(y: np.ndarray, name: str) -> np.ndarray:
    if y.dtype.kind == "U":
        raise DataError(
            f"{name} must hold numbers for task 'regression', got strings such as "
            f"{str(y.flat[0])!r}; use task='classification' or pass {name}.astype(float)"
        )
    if y.ndim not in (1, 2) or (y.ndim == 2 and y.shape[1] == 0):
        raise DataError(
            f"{name} must have shape (n,) or (n, n_outputs), got {y.shape}; "
            f"pass {name}.reshape(len({name}), -1)"
        )
    return y if y.dtype.kind == "f" else y.astype(np.float64)


def _as_array(value: Any, name: str) -> np.ndarray:
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


def _from_objects(y: np.ndarray, name: str) -> np.ndarray:
    """Convert targets of dtype object, such as pandas' strings, to the dtype of their values."""
    types = {type(entry) for entry in y.flat}
    strings = [kind for kind in types if issubclass(kind, str)]
    if len(strings) == len(types):
        return y.astype(str)
    # A mix with strings is refused, since NumPy would turn a missing value into the label "nan".
    converted = y if strings else _as_array(y.tolist(), name)
    if converted.dtype.kind == "O" or converted.shape != y.shape:
        names = ", ".join(sorted(kind.__name__ for kind in types))
        raise DataError(
            f"{name} must hold values of one type (integers, booleans, strings or floats), got "
            f"objects of type {names}; drop the rows without a value, or pass {name}.astype(str)"
        )
    return converted


def _check_finite(array: Features, name: str, columns: tuple[str, ...] | None = None) -> None:
    if array.dtype.kind != "f":
        return
    numbers = array.data if is_sparse(array) else array
    finite = np.isfinite(numbers)
    if finite.all():
        return
    worst = int(np.argmin(finite))
    first: tuple[Any, ...]
    if is_sparse(array):
        first = (np.searchsorted(array.indptr, worst, "right") - 1, array.indices[worst])
    else:
        first = np.unravel_index(worst, array.shape)
    place = f"row {first[0]}"
    if array.ndim > 1:
        named = columns is not None and len(columns) == array.shape[1]
        place += f", column {repr(columns[first[1]]) if columns and named else first[1]}"
    raise DataError(
        f"{name} must be finite, got {finite.size - np.count_nonzero(finite)} NaN (missing) or "
        f"infinite value(s), the first ({numbers.flat[worst]}) in {place} counting from 0; drop "
        "those rows or fill the gaps"
    )
