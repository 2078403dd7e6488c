"""Conversion of frames, series and sparse matrices of other libraries to arrays.

They are recognised by type, so that only libraries that the caller uses are imported.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .csr import canonical, is_sparse
from .errors import DataError
from .frames import (
    column_labels,
    frame_columns_at,
    frame_numbers,
    no_numbers,
    read_frame,
    read_series,
    side_by_side,
)

# Finds the columns of a frame to take, from the names of all; None for all of them.
Select = Callable[[list[str]], list[int] | None]
# Training makes a copy, so a machine needs a multiple of this.
MAX_DENSE_BYTES = 2 << 30


def unmasked(value: Any, name: str) -> Any:
    """Return a masked array, whose mask NumPy would drop, as a plain one; others as they are.

    Parameters
    ----------
    value : object
    name : str
        What the error message calls it.

    Raises
    ------
    DataError
        If a value is masked: a plain array would hold an arbitrary value there.
    """
    parts = value if isinstance(value, (list, tuple)) else (value,)
    masks = [np.ma.getmaskarray(part) for part in parts if np.ma.isMaskedArray(part)]
    n_masked = sum(map(np.count_nonzero, masks))
    if n_masked:
        raise DataError(
            f"{name} must have no masked values, got {n_masked}; fill them with "
            f"{name}.filled(value), or drop such rows with np.ma.compress_rows({name})"
        )
    return np.ma.getdata(value) if np.ma.isMaskedArray(value) else value


def as_plain(
    value: Any, name: str, select: Select | None = None
) -> tuple[Any, tuple[str, ...] | None]:
    """Return a frame as an array; anything else unchanged, including sparse matrices.

    Parameters
    ----------
    value : object
    name : str
        What the error messages call it.
    select : callable, optional
        Returns the indices of the columns to take from the names of a frame; None: all.

    Returns
    -------
    value : object
        A frame becomes an array of numbers: booleans beside numbers are 0 and 1, gaps NaN.
    names : tuple of str or None
        Of a frame's columns.

    Raises
    ------
    DataError
        If a column holds no numbers, a frame is not in memory, or an array has masked values.
    """
    value = unmasked(value, name)
    frame = read_frame(value, name)
    if frame is None:
        return value, None
    positions = None if select is None else select(list(map(str, frame.columns)))
    frame = frame if positions is None else frame_columns_at(frame, positions)
    return frame_numbers(frame, name), tuple(map(str, frame.columns))


def target_as_plain(value: Any, name: str, select: Select | None = None) -> Any:
    """Return a target that is a frame, a series or sparse as an array.

    Parameters as for :func:`as_plain`; columns may hold texts. A frame's single column is (n,).

    Raises
    ------
    DataError
        If a sparse matrix is too large for a dense one, a frame is not in memory, or an array has
        masked values.
    """
    value = unmasked(value, name)
    if is_sparse(value):
        return as_dense(value, name)
    frame = read_frame(value, name)
    if frame is None:
        series = read_series(value)
        return value if series is None else column_labels(series, name)
    positions = None if select is None else select(list(map(str, frame.columns)))
    frame = frame if positions is None else frame_columns_at(frame, positions)
    columns = [column_labels(column, name) for column in frame.iter_columns()]
    if len(columns) == 1:
        return columns[0]
    try:
        return side_by_side(columns, len(frame))
    except TypeError:  # of NumPy, for dates beside numbers
        kinds = ", ".join(
            f"{label!r} ({column.dtype})"
            for label, column in zip(frame.columns, columns, strict=True)
        )
        raise DataError(
            f"{name} must hold columns of one kind, got {kinds}; convert them to numbers, or drop "
            "those that are not targets"
        ) from None


def target_names(value: Any) -> tuple[str, ...] | None:
    """Return the name of a series, or of each column of a frame, used as a target.

    None for anything else, and for a series without a name.
    """
    frame = read_frame(value, "y")
    if frame is not None:
        return tuple(map(str, frame.columns))
    series = read_series(value)
    named = series is not None and series.name is not None and str(series.name) != ""
    return (str(series.name),) if named else None


def as_dense(value: Any, name: str, why: str = "", remedy: str = "") -> np.ndarray:
    """Return a sparse matrix as a dense array; other arrays unchanged.

    Parameters
    ----------
    value : sparse matrix or ndarray
    name : str
        What the error message calls it.
    why, remedy : str, optional
        Why it must be dense, and what to change, for the error if it is too large.

    Raises
    ------
    DataError
        If it would be larger than ``MAX_DENSE_BYTES``.
    """
    if not is_sparse(value):
        return np.asarray(value)
    n_bytes = math.prod(value.shape) * value.dtype.itemsize
    if n_bytes > MAX_DENSE_BYTES:
        needed = f", which {why} needs" if why else ""
        raise DataError(
            f"{name} must have at most {MAX_DENSE_BYTES >> 30} GB as a dense array{needed}, got a "
            f"sparse matrix of shape {value.shape}, {n_bytes / 2**30:.1f} GB of {value.dtype}; "
            f"{remedy}{', ' if remedy else ''}select columns (sklearn.feature_selection), reduce "
            f"them (sklearn.decomposition.TruncatedSVD), or pass {name}.astype('float32')"
        )
    dense: np.ndarray = (canonical(value, name) if value.ndim == 2 else value).toarray()
    return dense


def refuse_dates(value: Any, name: str) -> None:
    """Raise DataError for dates, times and durations, which NumPy would convert to numbers."""
    dtype = getattr(value, "dtype", None)
    if isinstance(value, np.ndarray):
        if dtype is not None and dtype.kind in "mM":
            raise DataError(
                f"{name} must hold numbers, got dtype {dtype}; subtract the first date and divide "
                "by numpy.timedelta64(1, 'D'), for example"
            )
        return
    frame = read_frame(value, name)
    if frame is None:
        return
    bad = {
        str(column): frame.get_column(column)
        for column, kind in frame.schema.items()
        if kind.is_temporal()
    }
    if bad:
        raise no_numbers(frame, bad, name)
