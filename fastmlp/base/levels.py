"""Texts of values, such that equal values have one text: 3, 3.0 and "3" are the level 3."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

# Texts that mean a missing value, in lower case.
MISSING = frozenset(("", "?", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "+nan", "null", "none"))
_PLAIN = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?")  # not 007, which is a name
_TRUTH = {"true": "True", "false": "False"}
_LARGEST = 2.0**53  # from here on float64 has no longer all whole numbers


def canonical(text: str) -> str:
    """Return the level of a text: of a number that of its value, else the text itself."""
    text = text.strip()
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if not _PLAIN.fullmatch(text):
        return text
    number = float(text)
    return number_text(number) if abs(number) < _LARGEST else text


def number_text(value: Any) -> str:
    """Return the level of a number: whole ones without a point."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if float(value).is_integer() and abs(float(value)) < _LARGEST:
        return str(int(value))
    return str(value)  # of a float32 the shortest text


def as_number(text: str) -> float:
    """Return the number in a text, 1 and 0 for true and false, NaN for any other text."""
    text = text.strip()
    if text.lower() in _TRUTH:
        return float(text.lower() == "true")
    if "_" in text:  # which float() accepts
        return math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


def distinct_numbers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different numbers, ascending, and the index of each; -1 for NaN."""
    distinct, codes = np.unique(values, return_inverse=True)
    codes = codes.astype(np.int32)
    if distinct.dtype.kind == "f" and len(distinct) and np.isnan(distinct[-1]):
        codes[codes == len(distinct) - 1] = -1
        distinct = distinct[:-1]
    return distinct, codes


def level_order(level: str) -> tuple[int, float, str]:
    """Return the key that sorts levels: numbers by value, then texts."""
    number = float(level) if _PLAIN.fullmatch(level) else math.nan
    return (1, 0.0, level) if math.isnan(number) else (0, number, level)
