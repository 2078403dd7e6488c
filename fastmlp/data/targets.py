"""Targets of a dataset: labels or numbers, one-hot columns among them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..base.conversion import Select, target_as_plain
from ..base.errors import DataError
from .input_checks import target_array


class Targets(NamedTuple):
    """Checked targets.

    Attributes
    ----------
    y : ndarray, shape (n,) or (n, n_outputs)
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
    """Return targets checked as :func:`~fastmlp.data.input_checks.target_array` does.

    Several columns of only 0 and 1 are labels, whatever their dtype. If each row holds a single 1,
    task "classification" takes its index as the label, and "auto" is an error.

    Parameters
    ----------
    value : array_like, frame, series or sparse matrix
    name : str
        What the error messages call it.
    task : {"auto", "classification", "multilabel", "regression"}
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
        return Targets(*target_array(plain, name, task))
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
    return Targets(*target_array(labels, name, task))


def one_hot_labels(y: Any) -> np.ndarray | None:
    """Return the indices of the 1 in each row; None unless each holds a single 1 beside zeros."""
    flags = _flags(y)
    if flags is None or not np.all(np.count_nonzero(flags, axis=1) == 1):
        return None
    return np.asarray(flags.argmax(axis=1))


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
    return y if ((y == 0) | (y == 1)).all() else None
