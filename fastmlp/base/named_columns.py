"""Columns of a table found by the names that a model knows, in any order."""

from __future__ import annotations

import difflib
import warnings
from collections import Counter
from collections.abc import Callable, Container, Sequence

from .errors import DataError
from .wording import MOST_SHOWN, quoted


def match_columns(names: Sequence[str], features: Sequence[str], where: str) -> list[int]:
    """Return the index of each feature's column in a table.

    Parameters
    ----------
    names : sequence of str
        The columns of the table.
    features : sequence of str
        The columns that the model was trained on.
    where : str
        What the error messages call the table.

    Raises
    ------
    DataError
        If a feature has no column, or several of its name.
    """
    index = {name: position for position, name in enumerate(names)}
    missing = [name for name in features if name not in index]
    if missing:
        raise DataError(
            f"{where} must have every column that was trained on, got none for "
            f"{quoted(missing)}{_hint(missing, names, features)}; rename or add columns"
        )
    counts = Counter(names)
    repeated = [name for name in features if counts[name] > 1]
    if repeated:
        raise DataError(
            f"{where} must have each column once, got {quoted(repeated)} more than once; rename or "
            "drop one of them"
        )
    return [index[name] for name in features]


def further_columns(names: Sequence[str], taken: Container[int]) -> list[str]:
    """Return the columns that are not taken; ``taken`` holds indices."""
    return [
        name or f"column {i}, which has no name" for i, name in enumerate(names) if i not in taken
    ]


def further_note(further: Sequence[str], where: str) -> str:
    """Say that columns are left out."""
    return f"{where}: left out {quoted(further)}, which training did not use"


def frame_columns(
    features: Sequence[str] | None,
    targets: Sequence[str] | None,
    where: str,
    stacklevel: int,
) -> Callable[[list[str]], list[int] | None]:
    """Return a function that finds the columns of features in a frame, from the frame's names.

    It returns their indices, and warns of further columns. It returns None where columns are taken
    by position: if no names are known, or if the frame's names are the numbers that pandas gives to
    columns without names.

    Parameters
    ----------
    features, targets : sequence of str or None
        Names of the columns in training.
    where : str
        What messages call the frame.
    stacklevel : int
        Of the warning.
    """

    def find(names: list[str]) -> list[int] | None:
        unnamed = names == [str(i) for i in range(len(names))]
        if features is None or (unnamed and not set(names) & set(features)):
            return None
        found = match_columns(names, features, where)
        known = {i for i, name in enumerate(names) if name in (targets or ())}
        if further := further_columns(names, known.union(found)):
            warnings.warn(further_note(further, where), stacklevel=stacklevel)
        return found

    return find


def _hint(missing: Sequence[str], names: Sequence[str], features: Sequence[str]) -> str:
    """Return the columns that may be meant by those that are missing, else all columns."""
    known = set(features)
    others = {name.lower(): name for name in names if name and name not in known}
    hints = []
    for name in missing[:MOST_SHOWN]:
        near = difflib.get_close_matches(name.lower(), others, 1)
        hints += [f"{others[found]!r} for {name!r}" for found in near]
    if hints:
        return f" (perhaps {', '.join(hints)})"
    return f" (it has {quoted(names) or 'no column'})"
