"""Checks of targets, in a first fit, in later ones, and of validation rows."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import unique_labels

from ..base.conversion import as_dense, target_as_plain, target_names
from ..base.csr import canonical, is_sparse
from ..base.errors import DataError
from ..base.wording import listed

_REMEDIES = {
    "M": "subtract the first date and divide by for example numpy.timedelta64(1, 'D')",
    "m": "divide by for example numpy.timedelta64(1, 'D')",
    "U": "convert numbers with astype(float), or use MLPClassifier for labels",
    "T": "convert numbers with astype(float), or use MLPClassifier for labels",
    "S": "convert numbers with astype(float), or use MLPClassifier for labels",
    "c": "pass the real and the imaginary part as two columns",
    "V": "select a field",
}


def real_numbers(y: Any, name: str) -> Any:
    """Return the targets of a regression unchanged, except objects, which become float64.

    NumPy would also convert dates and texts to numbers.

    Raises
    ------
    DataError
        If they are no numbers, or some object is missing.
    """
    if y is None or (type(y) is np.ndarray and y.dtype.kind in "biuf"):
        return y
    if is_sparse(y):
        return as_dense(y, name)
    try:
        array = np.asarray(target_as_plain(y, name))
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        return y  # ragged rows are refused by scikit-learn
    kind = array.dtype.kind
    if kind in "biuf":
        return y
    if kind == "O":
        return _from_objects(array, name)
    unsupported = "Complex data not supported: " if kind == "c" else ""
    raise DataError(
        f"{unsupported}{name} must hold numbers, got dtype {array.dtype}; {_REMEDIES.get(kind, '')}"
    )


def _from_objects(y: np.ndarray, name: str) -> np.ndarray:
    types = {type(entry) for entry in y.flat}
    wrong = [kind for kind in types if not _is_number(kind)]
    if wrong:
        names = ", ".join(sorted(kind.__name__ for kind in wrong))
        raise DataError(
            f"{name} must hold numbers, got dtype object with values of type {names}; convert them "
            f"with {name}.astype(float), drop the rows without a value, or use MLPClassifier for "
            "labels"
        )
    try:
        numbers = y.astype(np.float64)
    except OverflowError:
        raise DataError(
            f"{name} must hold numbers in the range of float64, got larger integers; divide them "
            "by a constant"
        ) from None
    if not np.isfinite(numbers).all():
        raise DataError(f"Input {name} contains NaN or infinity; drop the rows without a value")
    return numbers


def _is_number(kind: type) -> bool:
    return issubclass(kind, (Real, Decimal, np.bool_, type(None)))


def flat(y: Any) -> Any:
    """Return a single column as scikit-learn wants it, with its warning."""
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def indicators(y: Any, name: str) -> np.ndarray:
    """Return the labels of rows, shape (n, n_labels), as 0 and 1; any other value becomes 1.

    Raises
    ------
    DataError
        If there are several values besides 0.
    """
    numbers = canonical(y, name) if is_sparse(y) else y
    values = numbers.data if is_sparse(numbers) else numbers[numbers != 0]
    others = values[values != values[0]] if values.size else values
    if others.size:
        raise DataError(
            f"{name} must hold 0 and one other value for several labels per row, got {values[0]} "
            f"and {others[0]}; pass for example ({name} > 0).astype(int)"
        )
    is_set = numbers != 0
    return (is_set.toarray() if is_sparse(is_set) else is_set).astype(np.uint8)


def check_outputs(y: Any, name: str, n_outputs: int) -> None:
    """Refuse targets with another number of outputs than the network."""
    found = 1 if y.ndim == 1 else y.shape[1]
    if found != n_outputs:
        raise DataError(
            f"{name} must have {n_outputs} output(s) per row as y in the fit before, got "
            f"{found} (shape {y.shape}); pass as many columns, or use a new estimator"
        )


def check_form(y: Any, name: str, n_labels: int | None) -> None:
    """Refuse several labels per row if the fit before had one class per row, and the reverse.

    Parameters
    ----------
    y : array or sparse matrix
        Without a single column.
    name : str
        What the error messages call it.
    n_labels : int or None
        Number of labels of a row in the fit before; None: each row has one class.
    """
    if n_labels is None and y.ndim == 2:
        raise DataError(
            f"The object was not fitted with multilabel input. {name} must hold one class per row, "
            f"got shape {y.shape}; pass {name}.argmax(axis=1) if it is one-hot"
        )
    if n_labels is not None and y.ndim == 1:
        raise DataError(
            f"The object was fitted with multilabel input. {name} must have a column of 0 and 1 "
            f"for each of {n_labels} labels, got shape {y.shape}; use a new estimator for one "
            "class per row"
        )
    if n_labels is not None and y.shape[1] != n_labels:
        raise DataError(
            f"classes {np.arange(n_labels)} mismatch with the labels {np.arange(y.shape[1])} found "
            f"in the data: {name} must have {n_labels} columns, got shape {y.shape}"
        )


def check_same_classes(y: Any, classes: np.ndarray) -> None:
    """Refuse classes that differ from those of the previous fit, as scikit-learn does."""
    found = unique_labels(y)
    if set(found) != set(classes):
        raise ValueError(
            "warm_start can only be used where `y` has the same "
            "classes as in the previous call to fit. Previously "
            f"got {classes}, `y` has {found}"
        )


def check_no_new_classes(y: Any, classes: np.ndarray) -> None:
    """Refuse classes that are not among those of the first call, as scikit-learn does."""
    found = unique_labels(y)
    if set(found) - set(classes):
        raise ValueError(
            "`y` has classes not in `self.classes_`. "
            f"`self.classes_` has {classes}. 'y' has {found}."
        )


def known_labels(y: Any, name: str, classes: np.ndarray) -> np.ndarray:
    """Return the labels of rows for validation, in the dtype of the classes.

    Raises
    ------
    DataError
        For a label that is none of the classes.
    """
    unknown = sorted(set(unique_labels(y).tolist()) - set(classes.tolist()), key=str)
    if unknown:
        raise DataError(
            f"{name} must hold the labels known from training ({listed(classes)}), got "
            f"{unknown[0]!r}; drop such rows, or train on them, too"
        )
    return like(y, classes)


def like(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return known labels in the dtype of the classes."""
    return y if y.dtype == classes.dtype else y.astype(classes.dtype)


def check_target_names(y: Any, y_val: Any) -> None:
    """Raise ValueError if both are frames whose columns have names, but not the same in order."""
    if y_val is None:
        return
    names, names_val = (target_names(value) or () for value in (y, y_val))
    if len(names) < 2 or names == names_val:
        return
    counted = tuple(map(str, range(len(names))))
    if len(names_val) == len(names) and counted not in (names, names_val):
        raise ValueError(
            f"y_val must have the columns of y in the same order, {', '.join(map(repr, names))}, "
            f"got {', '.join(map(repr, names_val))}; select y_val[list(y.columns)]."
        )
