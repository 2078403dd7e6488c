"""What a CSV file's target column holds: classes or quantities, and the array of them."""

from __future__ import annotations

from enum import Enum

import numpy as np

from ..base.errors import DataError
from .csv_layout import is_missing, is_number

MOST_WHOLE_CLASSES = 20
# Texts are stored as wide as the longest of them.
LONGEST_LABEL = 100


class TargetKind(Enum):
    """How the cells of a target column are read."""

    WHOLE_LABELS = "classes that are whole numbers"
    TEXT_LABELS = "classes that are texts"
    NUMBERS = "numbers"

    @property
    def task(self) -> str:
        """The task that such targets mean."""
        return "regression" if self is TargetKind.NUMBERS else "classification"


def target_kind(cells: list[str], task: str) -> TargetKind:
    """Return how to read a target column.

    With task "auto", texts are classes. Numbers are classes if all are whole, written 3 or 3.0,
    at most 20 different ones, and each occurs twice on average; else they are quantities. Texts
    among more than 20 different numbers are taken for mistakes in a column of numbers.

    Parameters
    ----------
    cells : list of str
        Without white space around them.
    task : {"auto", "classification", "regression"}
        classification: whole numbers, of whatever count, are classes, and otherwise the texts, even
        of numbers.
    """
    if task == "regression":
        return TargetKind.NUMBERS
    distinct = {cell for cell in set(cells) if not is_missing(cell)}
    numbers = {float(cell) for cell in distinct if is_number(cell)}
    n_texts = sum(not is_number(cell) for cell in distinct)
    # From 2**53 on, floats cannot tell neighbours apart: such labels are compared as texts.
    whole = not n_texts and all(value.is_integer() and abs(value) < 2.0**53 for value in numbers)
    if task == "classification":
        return TargetKind.WHOLE_LABELS if whole else TargetKind.TEXT_LABELS
    if n_texts:
        many = len(numbers) > MOST_WHOLE_CLASSES
        return TargetKind.NUMBERS if many else TargetKind.TEXT_LABELS
    few = len(numbers) <= MOST_WHOLE_CLASSES and 2 * len(numbers) <= len(cells)
    return TargetKind.WHOLE_LABELS if whole and few else TargetKind.NUMBERS


def target_values(cells: list[str], kind: TargetKind, column: str) -> np.ndarray:
    """Return the targets as int64, str or float64.

    Parameters
    ----------
    cells : list of str
        Without missing values; all numbers, where the kind says so.
    kind : TargetKind
    column : str
        What messages call it, with the file.

    Raises
    ------
    DataError
        If texts are too long to be labels.
    """
    if kind is not TargetKind.TEXT_LABELS:
        numbers = np.array(list(map(float, cells)))
        return numbers if kind is TargetKind.NUMBERS else numbers.astype(np.int64)
    longest = max(cells, key=len)
    if len(longest) > LONGEST_LABEL:
        raise DataError(
            f"{column} must hold labels of at most {LONGEST_LABEL} characters, got "
            f"one of {len(longest)}, {longest[:20] + '...'!r}; name another column as target, or "
            "shorten them"
        )
    return np.array(cells)


def check_classes(cells: list[str], kind: TargetKind, task: str, column: str) -> None:
    """Refuse texts of which most occur but once: names or remarks, not classes.

    Raises
    ------
    DataError
    """
    n_classes = len(set(cells)) if kind is TargetKind.TEXT_LABELS and task == "auto" else 0
    if n_classes > MOST_WHOLE_CLASSES and 2 * n_classes > len(cells):
        raise DataError(
            f"{column} must hold numbers or classes that recur, got {n_classes} "
            f"different texts in {len(cells)} rows, such as {cells[0][:40]!r}; name another column "
            "as target, or say task='classification'"
        )
