"""Rows as callers give them, before scikit-learn's checks: what these would misread is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..base.csr import canonical, is_sparse
from ..base.errors import DataError
from ..base.foreign import as_plain, refuse_dates
from ..base.masked import unmasked


def plain_rows(value: Any, name: str) -> Any:
    """Return rows of features or labels; of a sparse matrix with the entries of a cell added up.

    Raises
    ------
    DataError
        If values are masked.
    """
    value = unmasked(value, name)
    if is_sparse(value) and value.ndim == 2 and value.dtype.kind in "biuf":
        return canonical(value, name)
    return value


@contextmanager
def named_columns(X: Any, name: str) -> Iterator[None]:
    """Refuse dates, of which scikit-learn makes numbers, and say which columns hold no numbers.

    Raises
    ------
    DataError
    """
    refuse_dates(X, name)
    try:
        yield
    except (TypeError, ValueError) as error:
        try:
            as_plain(X, name)
        except DataError as better:
            raise better from error
        raise
