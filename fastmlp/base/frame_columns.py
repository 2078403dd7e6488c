"""Columns of frames, read with narwhals, and of arrays, as the columns of a table."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from .dates import microseconds_as_seconds
from .errors import DataError
from .frames import column_numbers, dtype_name
from .levels import MISSING, number_text
from .table_rows import GAP, Column, Numbers, TableRows, Texts, Times

_TIMES = (datetime.date, datetime.time, np.datetime64)
_EPOCH = datetime.datetime(1970, 1, 1)


def frame_rows(frame: Any, name: str) -> TableRows:
    """Return the rows of a narwhals frame, column by column; numbers without a copy if possible.

    Parameters
    ----------
    frame : narwhals DataFrame
    name : str
        What the error messages call it.

    Raises
    ------
    DataError
        If a column holds lists, bytes or other values that are neither numbers, texts nor times.
    """
    columns = tuple(frame_column(column, name) for column in frame.iter_columns())
    return TableRows(columns, (), tuple(map(str, frame.columns)))


def array_rows(X: np.ndarray, name: str) -> TableRows:
    """Return the rows of a two-dimensional array, column by column."""
    if X.dtype.kind in "biuf":
        return TableRows(tuple(Numbers(X[:, j]) for j in range(X.shape[1])))
    if X.dtype.kind in "mM":
        return TableRows(tuple(Times(microseconds_as_seconds(X[:, j])) for j in range(X.shape[1])))
    columns = (X[:, j].tolist() for j in range(X.shape[1]))
    return TableRows(
        tuple(_of_values(values, f"column {j} of {name}") for j, values in enumerate(columns))
    )


def category_columns(frame: Any) -> list[int]:
    """Return the indices of columns whose type says that they are categories."""
    import narwhals.stable.v2 as nw

    types = (column.dtype for column in frame.iter_columns())
    return [j for j, dtype in enumerate(types) if dtype in (nw.Categorical, nw.Enum)]


def frame_column(column: Any, name: str) -> Column:
    """Return a narwhals series as a column; errors as for :func:`frame_rows`."""
    import narwhals.stable.v2 as nw

    dtype, where = column.dtype, f"column {column.name!r} of {name}"
    if dtype.is_numeric() or dtype == nw.Boolean:
        return Numbers(column_numbers(column))
    if dtype in (nw.Datetime, nw.Date):
        if dtype == nw.Datetime and getattr(dtype, "time_zone", None) is not None:
            column = column.dt.replace_time_zone(None)  # the time on the wall
        return Times(column_numbers(column.dt.timestamp("us")) / 1e6)
    if dtype == nw.Duration:
        return Numbers(column_numbers(column.dt.total_microseconds()) / 1e6)
    if dtype.is_nested() or dtype == nw.Binary:
        raise DataError(
            f"{where} must hold numbers, texts, dates or booleans, got {dtype_name(column)}; split "
            "it into columns of single values, or drop it"
        )
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        if column.implementation.is_pandas_like():
            codes, levels = column.to_native().factorize()
            return _coded(codes.astype(np.int32), levels.tolist())
        if dtype != nw.String:
            column = column.cast(nw.String)
        return _coded(*_factorized(column.to_list()))
    if dtype == nw.Unknown and column.to_numpy().dtype.kind in "biuf":
        return Numbers(column.to_numpy())  # pandas' sparse columns
    return _of_values(column.to_list(), where)


def _of_values(values: list[Any], where: str) -> Column:
    """Return a column of Python's values of any types."""
    values = [None if is_missing_value(value) else value for value in values]
    types = {type(value) for value in values if value is not None}
    if types and all(issubclass(kind, _TIMES) for kind in types):
        return Times(np.array([_seconds(value) for value in values], np.float64))
    if all(issubclass(kind, (Real, Decimal, np.bool_)) for kind in types):
        numbers = [np.nan if value is None else float(value) for value in values]
        if types == {bool} and None not in values:
            return Numbers(np.array(values, bool))
        return Numbers(np.array(numbers, np.float64))
    known = (str, Real, Decimal, np.bool_, *_TIMES)
    if wrong := [kind for kind in types if not issubclass(kind, known)]:
        raise DataError(
            f"{where} must hold numbers, texts, dates or booleans, got values of type "
            f"{wrong[0].__name__}; convert or drop it"
        )
    return _coded(*_factorized(values))


def _factorized(values: Iterable[Any]) -> tuple[np.ndarray, list[Any]]:
    """Return the codes of values, -1 for None, and the different values."""
    index: dict[Any, int] = {}
    codes = [GAP if value is None else index.setdefault(value, len(index)) for value in values]
    return np.array(codes, np.int32), list(index)


def _coded(codes: np.ndarray, levels: list[Any]) -> Texts:
    texts = [level if isinstance(level, str) else _text(level) for level in levels]
    named = [None if is_missing_text(text) else text.strip() for text in texts]
    return Texts(codes, tuple(range(len(named)))).mapped(named)  # type: ignore[arg-type]


def is_missing_text(text: str) -> bool:
    """Whether a text means a missing value, such as NA or an empty one."""
    return text.strip().lower() in MISSING


def _text(value: Any) -> str:
    return number_text(value) if isinstance(value, (Real, np.bool_)) else str(value)


def is_missing_value(value: Any) -> bool:
    """Whether a value of Python or pandas is none: None, NaN, NaT or NA."""
    # pandas' NA is equal to nothing, and has no truth value.
    is_none = value is None or type(value).__name__ in ("NAType", "NaTType")
    return is_none or (isinstance(value, (float, np.floating)) and bool(value != value))


def _seconds(value: Any) -> float:
    if value is None:
        return np.nan
    if isinstance(value, datetime.datetime):
        return (value.replace(tzinfo=None) - _EPOCH).total_seconds()
    if isinstance(value, datetime.date):
        return (datetime.datetime(value.year, value.month, value.day) - _EPOCH).total_seconds()
    if isinstance(value, datetime.time):
        return 3600 * value.hour + 60 * value.minute + value.second + value.microsecond / 1e6
    return float(microseconds_as_seconds(np.array([value]))[0])
