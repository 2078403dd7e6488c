"""Targets of a dataset: labels, one-hot columns among them, or numbers; selection of classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..base.conversion import Select, target_as_plain
from ..base.csr import is_sparse
from ..base.errors import DataError
from ..base.frame_columns import is_missing_value
from ..base.wording import listed, quoted
from .input_checks import as_array, check_finite


class Targets(NamedTuple):
    """Checked targets.

    Attributes
    ----------
    y : ndarray
        Labels (n,) of an integer, boolean or string dtype; zeros and ones (n, n_labels) of an
        integer or boolean dtype; or finite floats (n,) or (n, n_outputs).
    task : {"classification", "multilabel", "regression"}
    one_hot : int
        Number of columns if the labels were given one-hot, else 0.
    """

    y: np.ndarray
    task: str
    one_hot: int = 0


def dataset_targets(
    value: Any,
    name: str,
    task: str,
    one_hot: int | None = None,
    select: Select | None = None,
) -> Targets:
    """Return targets as an array that fits the task, and the task.

    They are kept as they are except that whole floating labels become int64 (of multilabel uint8),
    and integer targets of a regression float64. Several columns of only 0 and 1 are labels,
    whatever their dtype. If each row holds a single 1, task "classification" takes its index as
    the label, and "auto" is an error.

    Parameters
    ----------
    value : array_like, frame, series or sparse matrix
    name : str
        What the error messages call it.
    task : {"auto", "classification", "multilabel", "regression"}
        auto: floating targets mean regression; several integer or boolean columns of only 0 and 1
        multilabel; all others classification.
    one_hot : int, optional
        Number of one-hot columns that are taken as labels; default: any number.
    select : callable, optional
        Which columns of a frame to take: see :func:`~fastmlp.base.conversion.as_plain`.

    Raises
    ------
    DataError
    """
    plain = target_as_plain(value, name, select)
    flags = _flags(plain) if task in ("auto", "classification") else None
    if flags is None:
        return _checked(plain, name, task)
    chosen = one_hot_labels(flags)
    if task == "auto" and chosen is not None:
        # Both readings train, with different results, so the user must choose.
        raise DataError(
            f"{name} must not be one-hot (a single 1 in every row) for task 'auto', got shape "
            f"{flags.shape}; pass {name}.argmax(axis=1) for classes that exclude each other "
            "or task='classification' (--task classification), else task='multilabel'"
        )
    if chosen is not None and one_hot in (None, flags.shape[1]):
        return Targets(chosen, task, flags.shape[1])
    labels = flags.astype(np.uint8) if flags.dtype.kind == "f" else plain
    return _checked(labels, name, task)


def targets_with_gaps(value: Any, name: str) -> tuple[Any, np.ndarray | None]:
    """Return targets as an array, and which of a single column are missing, or None."""
    if is_sparse(value):
        return value, None
    try:
        y = np.asarray(target_as_plain(value, name))
    except ValueError:  # of rows of different lengths, which are refused later
        return value, None
    if y.ndim != 1 or y.dtype.kind not in "fO":
        return y, None
    if y.dtype.kind == "f":
        return y, np.isnan(y)
    return y, np.fromiter(map(is_missing_value, y), bool, len(y))


def one_hot_labels(y: Any) -> np.ndarray | None:
    """Return the indices of the 1 in each row; None unless each holds a single 1 beside zeros."""
    flags = _flags(y)
    if flags is None or not np.all(np.count_nonzero(flags, axis=1) == 1):
        return None
    return np.asarray(flags.argmax(axis=1))


def matching_classes(classes: np.ndarray, labels: Iterable[object] | str) -> np.ndarray:
    """Return the classes with these labels, which are matched by their texts.

    Raises
    ------
    DataError
        For an unknown label, or fewer than two.
    """
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(",")]
    wanted = list(dict.fromkeys(str(label) for label in labels))
    index = {str(label): i for i, label in enumerate(classes.tolist())}
    unknown = [label for label in wanted if label not in index]
    if unknown:
        raise DataError(
            f"classes must be labels of the data, got {quoted(unknown)}; "
            f"known: {listed(list(index))}"
        )
    if len(wanted) < 2:
        raise DataError(
            f"classes must name at least two labels, got {listed(wanted) or 'none'}; "
            f"choose from: {listed(list(index))}"
        )
    return classes[[index[label] for label in wanted]]


def rows_of_classes(y: np.ndarray, kept: np.ndarray, name: str) -> np.ndarray:
    """Return a boolean for each label: whether it is kept. DataError if none is."""
    rows: np.ndarray = np.isin(y, kept)
    if not rows.any():
        raise DataError(
            f"classes must leave rows in {name}, got {listed(kept.tolist())}, which it lacks; "
            "choose other classes"
        )
    return rows


def _flags(value: Any) -> np.ndarray | None:
    """Return a matrix of two or more columns of only 0 and 1; None for anything else."""
    try:
        y = np.asarray(value)
        if y.dtype.kind == "O":
            y = np.asarray(y.tolist())
    except (TypeError, ValueError):
        return None
    if y.dtype.kind not in "biuf" or y.ndim != 2 or y.shape[1] < 2 or not len(y):
        return None
    return y if _is_zero_or_one(y).all() else None


def _checked(value: Any, name: str, task: str) -> Targets:
    y = as_array(value, name)
    if y.dtype.kind == "O":
        y = _from_objects(y, name)
    if y.dtype.kind not in "biufU":
        raise DataError(
            f"{name} must hold integer, boolean or string labels, or real numbers, got dtype "
            f"{y.dtype}; convert labels with {name}.astype(str), numbers with {name}.astype(float)"
        )
    if y.dtype.kind == "f":
        check_finite(y, name)
    if task == "auto":
        task = _task_of(y)
    convert = {"classification": _labels, "multilabel": _indicators, "regression": _numbers}
    return Targets(convert[task](y, name), task)


def _from_objects(y: np.ndarray, name: str) -> np.ndarray:
    """Convert targets of dtype object, such as pandas' strings, to the dtype of their values."""
    types = {type(entry) for entry in y.flat}
    strings = [kind for kind in types if issubclass(kind, str)]
    if len(strings) == len(types):
        return y.astype(str)
    # A mix with strings is refused, since NumPy would turn a missing value into the label "nan".
    converted = y if strings else as_array(y.tolist(), name)
    if converted.dtype.kind == "O" or converted.shape != y.shape:
        names = ", ".join(sorted(kind.__name__ for kind in types))
        raise DataError(
            f"{name} must hold values of one type (integers, booleans, strings or floats), got "
            f"objects of type {names}; drop the rows without a value, or pass {name}.astype(str)"
        )
    return converted


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
