"""Checks of rows before scikit-learn's, for values that those would misread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..base.conversion import as_plain, refuse_dates, unmasked
from ..base.csr import canonical, is_sparse
from ..base.errors import DataError


def plain_rows(value: Any, name: str) -> Any:
    """Return rows of features or labels; in a sparse matrix duplicate entries are summed.

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
    """Refuse dates, which scikit-learn would convert, and name columns without numbers.

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
