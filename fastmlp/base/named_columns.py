"""Columns of a table found by the names that a model knows, in any order."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .errors import DataError, close_match

_MOST_SHOWN = 10


class Match(NamedTuple):
    """Which columns of a table are the features of a model.

    Attributes
    ----------
    positions : list of int
        Of each feature's column in the table.
    further : list of str
        Columns that are neither features nor targets.
    """

    positions: list[int]
    further: list[str]


def match_columns(
    names: Sequence[str], features: Sequence[str], targets: Sequence[str], where: str
) -> Match:
    """Find the columns of a model's features in a table.

    Parameters
    ----------
    names : sequence of str
        The columns of the table.
    features, targets : sequence of str
        What the model was trained on, and on which targets.
    where : str
        What the error messages call the table.

    Raises
    ------
    DataError
        If a feature has no column, or a name stands more than once.
    """
    index = {name: position for position, name in enumerate(names)}
    missing = [name for name in features if name not in index]
    if missing:
        raise DataError(
            f"{where} must have every column that the model was trained on, got none for "
            f"{quoted(missing)}{_hint(missing[0], names, features)}"
        )
    repeated = [name for name in features if names.count(name) > 1]
    if repeated:
        raise DataError(
            f"{where} must have each column once, got {quoted(repeated)} more than once; rename or "
            "drop one of them"
        )
    known = {*features, *targets}
    return Match([index[name] for name in features], [n for n in names if n not in known])


def frame_columns(
    features: Sequence[str] | None,
    targets: Sequence[str] | None,
    where: str,
    stacklevel: int,
) -> Callable[[list[str]], list[int] | None]:
    """Return a function that finds the columns of features in a frame, from the frame's names.

    It returns their positions, and warns of further columns; or None where position decides: where
    no names are known, and for the numbers by which pandas counts columns without names.

    Parameters
    ----------
    features, targets : sequence of str or None
        As for :func:`match_columns`.
    where : str
        What messages call the frame.
    stacklevel : int
        Of the warning.
    """

    def positions(names: list[str]) -> list[int] | None:
        unnamed = names == [str(i) for i in range(len(names))]
        if features is None or (unnamed and not set(names) & set(features)):
            return None
        match = match_columns(names, features, targets or (), where)
        if match.further:
            warnings.warn(further_note(match.further, where), stacklevel=stacklevel)
        return match.positions

    return positions


def further_note(further: Sequence[str], where: str) -> str:
    """Say that columns are left out."""
    return f"{where}: left out {quoted(further)}, which the model was not trained on"


def quoted(names: Sequence[str]) -> str:
    """Return names in quotes, at most ten of them."""
    shown = ", ".join(repr(name) for name in names[:_MOST_SHOWN])
    return shown if len(names) <= _MOST_SHOWN else f"{shown}, ... ({len(names)} in all)"


def _hint(missing: str, names: Sequence[str], features: Sequence[str]) -> str:
    others = [name for name in names if name not in features]
    return close_match(missing, others) if others else "; add it"
