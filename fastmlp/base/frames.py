"""Frames and series of other libraries, read with narwhals: pandas, polars, pyarrow and others.

narwhals is imported only for a value that looks like a frame or a series.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import DataError
from .wording import MOST_SHOWN, listed

_TO_MEMORY = {"dask": "compute()", "duckdb": "arrow()", "pyspark": "toPandas()"}


def read_frame(value: Any, name: str) -> Any:
    """Return a frame as a narwhals frame, or None if it is no frame.

    None also for frames that narwhals does not know but NumPy can read. The type is checked, since
    polars warns when a lazy frame is asked for its columns.
    """
    if isinstance(value, np.ndarray) or not hasattr(type(value), "columns"):
        return None
    import narwhals.stable.v2 as nw

    try:
        frame: Any = nw.from_native(value, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        raise DataError(
            f"{name} must have different column names, got repeated ones "
            f"({' '.join(str(error).split())}); rename or drop such columns"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        library = frame.implementation.value
        call = _TO_MEMORY.get(library, "collect()")
        raise DataError(
            f"{name} must be in memory, got a lazy frame of {library}; pass {name}.{call}"
        )
    if isinstance(frame, nw.DataFrame):
        return frame
    has_array = hasattr(type(value), "__array__")
    return None if has_array and not _speaks_arrow(value) else _from_arrow(value, name)


def _speaks_arrow(value: Any) -> bool:
    return hasattr(type(value), "__arrow_c_stream__")


def read_series(value: Any) -> Any:
    """Return a series as a narwhals series, or None if it is no series."""
    kind = type(value)
    likely = any(hasattr(kind, a) for a in ("to_frame", "__arrow_c_stream__", "__arrow_c_array__"))
    if isinstance(value, np.ndarray) or not likely:
        return None
    import narwhals.stable.v2 as nw

    if hasattr(kind, "__arrow_c_array__") and not hasattr(kind, "to_frame"):
        import pyarrow as pa

        value = pa.chunked_array([pa.array(value)])
    series = nw.from_native(value, series_only=True, pass_through=True)
    return series if isinstance(series, nw.Series) else None


def _from_arrow(value: Any, name: str) -> Any:
    """Return a frame with Arrow's protocol, such as a record batch, as a narwhals frame."""
    import narwhals.stable.v2 as nw

    if _speaks_arrow(value):
        for library in ("pyarrow", "polars", "pandas"):
            try:
                return nw.from_arrow(value, backend=library)
            except ImportError:
                continue
    raise DataError(
        f"{name} must be an array, a sparse matrix, or a frame that narwhals can read (pandas, "
        f"polars, pyarrow and others), got {type(value).__module__}.{type(value).__qualname__}; "
        f"pass for example {name}.to_numpy()"
    )


def frame_columns_at(frame: Any, positions: Sequence[int]) -> Any:
    """Return some columns of a narwhals frame."""
    import narwhals.stable.v2 as nw

    # Columns of pandas may be named by numbers, too.
    return frame.select([nw.col(frame.columns[position]) for position in positions])


def frame_numbers(frame: Any, name: str) -> np.ndarray:
    """Return a frame's values in a common dtype.

    Raises
    ------
    DataError
        If a column holds anything but numbers and booleans.
    """
    columns = list(frame.iter_columns())
    bad = {str(column.name): column for column in columns if not holds_numbers(column)}
    if bad:
        raise no_numbers(frame, bad, name)
    arrays = [column_numbers(column) for column in columns]
    if len({column.dtype for column in columns}) == 1 == len({array.dtype for array in arrays}):
        values: np.ndarray = frame.to_numpy()  # without a copy where the library can
        if values.dtype == arrays[0].dtype:
            return values
    return side_by_side(arrays, len(frame))


def holds_numbers(column: Any) -> bool:
    """Whether a column of a frame holds numbers or booleans, or nothing at all."""
    import narwhals.stable.v2 as nw

    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        return True
    if len(column) and column.null_count() == len(column):
        return True  # all are missing; the caller reports where
    # For example pandas' sparse columns.
    return bool(column.dtype == nw.Unknown and column.to_numpy().dtype.kind in "biuf")


def column_numbers(column: Any) -> np.ndarray:
    """Return a column of numbers or booleans as an array.

    It is float64 where values are missing or NumPy has no such type (decimals, 128 bits).
    """
    import narwhals.stable.v2 as nw

    dtype = column.dtype
    is_unknown_to_numpy = dtype.is_decimal() or dtype in (nw.Int128, nw.UInt128)
    holds_nan = dtype.is_float() or dtype == nw.Unknown
    if is_unknown_to_numpy or (not holds_nan and column.null_count()):
        column = column.cast(nw.Float64)
    values: np.ndarray = column.to_numpy()
    return values if values.dtype.kind in "biuf" else values.astype(np.float64)


def column_labels(column: Any, name: str) -> np.ndarray:
    """Return a column of numbers or labels as an array."""
    import narwhals.stable.v2 as nw

    dtype = column.dtype
    if dtype.is_numeric():
        return column_numbers(column)
    if dtype.is_nested():
        raise DataError(
            f"{name} must hold one label or number per row and column, got {dtype_name(column)} in "
            f"{column.name!r}; split it into columns"
        )
    if column.implementation.is_pyarrow() and dtype == nw.Categorical:
        # Its own conversion gives a missing value the last category.
        native = column.to_native()
        column = nw.from_native(native.cast(native.type.value_type), series_only=True)
    values: np.ndarray = column.to_numpy()
    return values


def side_by_side(columns: list[np.ndarray], n_rows: int) -> np.ndarray:
    """Return columns as a matrix of their common dtype."""
    dtype = np.result_type(*columns) if columns else np.dtype(np.float64)
    matrix = np.empty((n_rows, len(columns)), dtype)
    for number, column in enumerate(columns):
        matrix[:, number] = column
    return matrix


def no_numbers(frame: Any, bad: dict[str, Any], name: str) -> DataError:
    """Return the error for columns without numbers, with a remedy in the frame's library."""
    shown = listed([f"{column!r} ({dtype_name(values)})" for column, values in bad.items()])
    columns = str(list(bad)[:MOST_SHOWN])
    library = frame.implementation
    if library.is_pandas_like():
        encode, convert = f"pandas.get_dummies({name}, columns={columns})", "astype(float)"
    elif library.is_polars():
        encode, convert = f"{name}.to_dummies({columns})", "cast(polars.Float64)"
    else:
        encode, convert = "sklearn.preprocessing.OneHotEncoder", "pyarrow.compute.cast"
    return DataError(
        f"{name} must hold numbers, got columns {shown}; encode categories with {encode}, "
        f"convert numbers with {convert} and dates to numbers such as days, or drop such columns"
    )


def dtype_name(column: Any) -> str:
    """Return the name of a column's type in its own library."""
    native = column.to_native()
    return str(getattr(native, "dtype", None) or getattr(native, "type", column.dtype))
