"""Target columns of a table: classes or quantities, and their arrays."""

from __future__ import annotations

from enum import Enum

import numpy as np

from ...base.errors import DataError
from .fields import BOOLEANS, CellFormat, is_boolean
from .values import Target

MOST_WHOLE_CLASSES = 20
# An array of texts takes the width of the longest for each.
LONGEST_LABEL = 100


class TargetKind(Enum):
    """The kind of values in a target column."""

    WHOLE_LABELS = "whole numbers"
    TEXT_LABELS = "texts"
    NUMBERS = "numbers"

    @property
    def task(self) -> str:
        """The task for such targets."""
        return "regression" if self is TargetKind.NUMBERS else "classification"


_KINDS_OF_TASKS = {"regression": TargetKind.NUMBERS, "texts": TargetKind.TEXT_LABELS}


def kind_of_numbers(numbers: np.ndarray, task: str) -> TargetKind:
    """Return the kind of a target column that holds only numbers.

    With task "auto" they are classes if all are whole (3 or 3.0), at most 20 are different, and
    each occurs twice on average; else they are quantities.

    Parameters
    ----------
    numbers : ndarray of float64
    task : {"auto", "classification", "regression", "texts"}
        classification: any whole numbers are classes; other numbers are labels by their texts.
        texts: labels are texts in any case.
    """
    if task in _KINDS_OF_TASKS:
        return _KINDS_OF_TASKS[task]
    # From 2**53 on, float64 cannot represent all integers: such labels are compared as texts.
    whole = bool(np.all((numbers == np.floor(numbers)) & (np.abs(numbers) < 2.0**53)))
    if task == "classification":
        return TargetKind.WHOLE_LABELS if whole else TargetKind.TEXT_LABELS
    if not whole:
        return TargetKind.NUMBERS
    n_different = len(np.unique(numbers))
    few = n_different <= MOST_WHOLE_CLASSES and 2 * n_different <= len(numbers)
    return TargetKind.WHOLE_LABELS if few else TargetKind.NUMBERS


def kind_of_texts(cells: list[str], task: str, format_: CellFormat) -> TargetKind:
    """Return the kind of a target column that holds texts, or texts among numbers.

    Texts are classes. With task "auto", texts among more than 20 different numbers are taken for
    mistakes in a column of numbers.

    Parameters
    ----------
    cells : list of str
        Without white space around them.
    task : {"auto", "classification", "regression", "texts"}
    format_ : CellFormat
    """
    if task in _KINDS_OF_TASKS:
        return _KINDS_OF_TASKS[task]
    distinct = {cell for cell in set(cells) if not format_.is_missing(cell)}
    numbers = {format_.number(cell) for cell in distinct if format_.is_number(cell)}
    if all(map(format_.is_number, distinct)):
        known = [
            float(number or 0) for cell in cells if (number := format_.number(cell)) is not None
        ]
        return kind_of_numbers(np.array(known), task)
    many = task == "auto" and len(numbers) > MOST_WHOLE_CLASSES
    return TargetKind.NUMBERS if many else TargetKind.TEXT_LABELS


def is_complete(target: Target, kind: TargetKind, format_: CellFormat) -> bool:
    """Whether no target is missing, and all are finite if they must be numbers."""
    if not isinstance(target, list):
        return bool(np.isfinite(target).all()) and not np.isin(target, format_.na_numbers).any()
    distinct = set(target)
    if any(map(format_.is_missing, distinct)):
        return False
    if kind is TargetKind.TEXT_LABELS:
        return True
    numbers = map(format_.number, distinct)
    return all(number is not None and np.isfinite(number) for number in numbers)


def target_gaps(target: Target) -> np.ndarray:
    """Return which targets are missing, bool of shape (n,): NaN, or an empty text."""
    if isinstance(target, list):
        return np.fromiter((not cell for cell in target), bool, len(target))
    gaps: np.ndarray = np.isnan(target)
    return gaps


def without_gaps(target: Target, gaps: np.ndarray) -> Target:
    """Return the targets that are not missing."""
    if isinstance(target, list):
        return [cell for cell, is_gap in zip(target, gaps.tolist(), strict=True) if not is_gap]
    kept: np.ndarray = target[~gaps]
    return kept


def target_values(
    target: Target, kind: TargetKind, column: str, format_: CellFormat | None = None
) -> np.ndarray:
    """Return the targets as int64, str or float64.

    Parameters
    ----------
    target : ndarray of float64 or list of str
        Without missing values; only numbers if the kind requires them.
    kind : TargetKind
    column : str
        What messages call it, with the file.
    format_ : CellFormat, optional

    Raises
    ------
    DataError
        If texts are too long to be labels.
    """
    if kind is not TargetKind.TEXT_LABELS:
        format_ = format_ or CellFormat()
        numbers = np.array([format_.number(cell) for cell in target] if isinstance(target, list)
                           else target, dtype=np.float64)  # fmt: skip
        return numbers if kind is TargetKind.NUMBERS else numbers.astype(np.int64)
    longest = max(target, key=len)
    if len(longest) > LONGEST_LABEL:
        raise DataError(
            f"{column} must hold labels of at most {LONGEST_LABEL} characters, got "
            f"one of {len(longest)}, {longest[:20] + '...'!r}; name another column as target "
            "(--target), or shorten them"
        )
    return np.array(target)


def check_classes(target: Target, kind: TargetKind, task: str, column: str) -> None:
    """Refuse texts that mostly occur once: names or remarks, not classes.

    Raises
    ------
    DataError
    """
    if kind is not TargetKind.TEXT_LABELS or task != "auto":
        return
    n_classes = len(set(target))
    if n_classes > MOST_WHOLE_CLASSES and 2 * n_classes > len(target):
        raise DataError(
            f"{column} must hold numbers or classes that recur, got {n_classes} "
            f"different texts in {len(target)} rows, such as {target[0][:40]!r}; name another "
            "column with --target, or use --task classification"
        )


def as_flags(target: Target) -> Target:
    """Return one of several targets, True and False as 1 and 0."""
    if isinstance(target, list) and all(map(is_boolean, set(target))):
        return np.array([BOOLEANS[cell.lower()] for cell in target])
    return target


def several_targets(targets: list[np.ndarray], task: str, columns: str) -> tuple[np.ndarray, str]:
    """Return several columns of numbers as one array, and their task.

    Parameters
    ----------
    targets : list of ndarray of float64
    task : {"auto", "classification", "multilabel", "regression"}
    columns : str
        What messages call them, with the file.

    Returns
    -------
    y : ndarray, shape (n, n_targets)
        float64, or uint8 for a label each.
    task : {"multilabel", "regression"}

    Raises
    ------
    DataError
        If they are one-hot, or hold other values than 0 and 1 with task "multilabel".
    """
    y = np.stack(targets, axis=1)
    flags = bool(((y == 0) | (y == 1)).all())
    one_hot = flags and bool((y.sum(axis=1) == 1).all())
    if task == "classification" or (task == "auto" and one_hot):
        got = "a single 1 in every row" if one_hot else "several numbers in a row"
        raise DataError(
            f"{columns} must be a single column of labels for classification, got {got}; merge "
            "them into one, for example with pandas' frame[names].idxmax(axis=1), or use --task "
            f"{'multilabel' if flags else 'regression'}"
        )
    if task == "multilabel" and not flags:
        raise DataError(
            f"{columns} must hold only 0 and 1 for task 'multilabel', got "
            f"{y[(y != 0) & (y != 1)][0]}; use --task regression"
        )
    if flags and task != "regression":
        return y.astype(np.uint8), "multilabel"
    return y, "regression"
