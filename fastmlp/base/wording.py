"""Names and values as parts of a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST_SHOWN = 10


def listed(values: Sequence[object] | np.ndarray) -> str:
    """Return at most ten values, separated by commas; if there are more, also their number."""
    shown = ", ".join(str(value) for value in values[:MOST_SHOWN])
    return f"{shown}, ... ({len(values)} in all)" if len(values) > MOST_SHOWN else shown


def quoted(values: Sequence[object]) -> str:
    """Return values in quotes as :func:`listed` does."""
    return listed([repr(value) for value in values])
