"""Names and values as parts of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST_SHOWN = 10


def listed(values: Sequence[object] | Any, most: int = MOST_SHOWN) -> str:
    """Return values separated by commas, at most ``most`` of them, then how many there are.

    Parameters
    ----------
    values : sequence or ndarray
    most : int, default 10
    """
    shown = ", ".join(str(value) for value in values[:most])
    return f"{shown}, ... ({len(values)} in all)" if len(values) > most else shown


def quoted(values: Sequence[object]) -> str:
    """Return values in quotes as :func:`listed` does."""
    return listed([repr(value) for value in values])
