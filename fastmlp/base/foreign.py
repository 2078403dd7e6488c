"""Tables of other libraries as arrays: frames and series of any maker, and SciPy's matrices.

Frames are read with narwhals, which knows pandas, polars, pyarrow and others; it is imported only
for a value that looks like a frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .csr import canonical, is_sparse
from .errors import DataError

# Training makes a copy of its own, so a machine needs a multiple of this.
MAX_DENSE_BYTES = 2 << 30
_MOST_SHOWN = 10
_TO_MEMORY = {"dask": "compute()", "duckdb": "arrow()", "pyspark": "toPandas()"}


def as_plain(
    value: Any,
    name: str,
    select: Callable[[list[str]], list[int] | None] | None = None,
) -> tuple[Any, tuple[str, ...] | None]:
    """Return a frame as an array, and anything else as it is, a sparse matrix too.

    Parameters
    ----------
    value : object
    name : str
        What the error messages call it.
    select : callable, optional
        Returns the positions of the columns of a frame to take, from their names; None: all.

    Returns
    -------
    value : object
        Of a frame, an array of numbers; booleans beside numbers are 0 and 1, and a missing value is
        NaN.
    names : tuple of str or None
        Of a frame's columns.

    Raises
    ------
    DataError
        If a frame's column holds no numbers or it is not in memory, or an array has masked values.
    """
    refuse_masked(value, name)
    frame = _frame(value, name)
    if frame is None:
        return value, None
    positions = None if select is None else select(list(map(str, frame.columns)))
    if positions is not None:
        import narwhals.stable.v2 as nw

        # Columns of pandas may be named by numbers, too.
        frame = frame.select([nw.col(frame.columns[position]) for position in positions])
    return _numbers(frame, name), tuple(map(str, frame.columns))


def target_as_plain(value: Any, name: str) -> Any:
    """Return a target that is a frame, a series or sparse as an array.

    Parameters as for :func:`as_plain`; columns may hold texts. A frame's single column is (n,).

    Raises
    ------
    DataError
        If a sparse matrix is too large for a dense one, a frame is not in memory, or an array has
        masked values.
    """
    refuse_masked(value, name)
    if is_sparse(value):
        return as_dense(value, name)
    frame = _frame(value, name)
    if frame is None:
        series = _series(value)
        return value if series is None else _target(series, name)
    columns = [_target(column, name) for column in frame.iter_columns()]
    return columns[0] if len(columns) == 1 else _side_by_side(columns, len(frame))


def target_names(value: Any) -> tuple[str, ...] | None:
    """Return the name of a series, or of each column of a frame, used as a target.

    None for anything else, and for a series without a name.
    """
    frame = _frame(value, "y")
    if frame is not None:
        return tuple(map(str, frame.columns))
    series = _series(value)
    named = series is not None and series.name is not None and str(series.name) != ""
    return (str(series.name),) if named else None


def as_dense(value: Any, name: str, why: str = "", remedy: str = "") -> np.ndarray:
    """Return a sparse matrix as a dense array, for what cannot take it otherwise; others as is.

    Parameters
    ----------
    value : sparse matrix or ndarray
    name : str
        What the error message calls it.
    why, remedy : str, optional
        What needs it dense, and what to change there, where it is too large.

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


def refuse_masked(value: Any, name: str) -> None:
    """Raise DataError for a masked array, or a list of such, of which some value is masked.

    NumPy would take what lies behind the mask for values.
    """
    arrays = value if isinstance(value, (list, tuple)) else [value]
    # numpy.ma is imported with the first masked array.
    arrays = [a for a in arrays if isinstance(a, np.ndarray) and type(a) is not np.ndarray]
    n_masked = sum(
        int(np.ma.getmaskarray(array).sum())
        for array in arrays
        if isinstance(array, np.ma.MaskedArray) and array.dtype.names is None
    )
    if n_masked:
        raise DataError(
            f"{name} must have no masked values, got {n_masked}; fill them, for example with "
            f"{name}.filled({name}.mean()), or drop those rows"
        )


def refuse_dates(value: Any, name: str) -> None:
    """Raise DataError for dates, times and durations, which NumPy would cast to numbers."""
    dtype = getattr(value, "dtype", None)
    if isinstance(value, np.ndarray):
        if dtype is not None and dtype.kind in "mM":
            raise DataError(
                f"{name} must hold numbers, got dtype {dtype}; subtract the first date and divide "
                "by numpy.timedelta64(1, 'D'), say"
            )
        return
    frame = _frame(value, name)
    if frame is None:
        return
    bad = {
        str(column): frame.get_column(column)
        for column, kind in frame.schema.items()
        if kind.is_temporal()
    }
    if bad:
        raise _no_numbers(frame, bad, name)


def _frame(value: Any, name: str) -> Any:
    """Return a frame as one of narwhals; None for anything that is no frame.

    Told by its type: polars warns when a lazy frame is asked for its columns.
    """
    if isinstance(value, np.ndarray) or not hasattr(type(value), "columns"):
        return None
    import narwhals.stable.v2 as nw

    try:
        frame: Any = nw.from_native(value, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        raise DataError(
            f"{name} must have different column names, got some that stand several times "
            f"({' '.join(str(error).split())}); rename or drop such columns"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        library = frame.implementation.value
        call = _TO_MEMORY.get(library, "collect()")
        raise DataError(
            f"{name} must be in memory, got a lazy frame of {library}; pass {name}.{call}"
        )
    return frame if isinstance(frame, nw.DataFrame) else _from_arrow(value, name)


def _series(value: Any) -> Any:
    """Return a series as one of narwhals; None for anything that is no series."""
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
    """Return a frame that speaks Arrow's protocol, such as a record batch, as one of narwhals."""
    import narwhals.stable.v2 as nw

    if hasattr(type(value), "__arrow_c_stream__"):
        for library in ("pyarrow", "polars", "pandas"):
            try:
                return nw.from_arrow(value, backend=library)
            except ImportError:
                continue
    raise DataError(
        f"{name} must be an array, a sparse matrix, or a frame that narwhals can read (pandas, "
        f"polars, pyarrow and others), got {type(value).__module__}.{type(value).__qualname__}; "
        f"pass {name}.to_numpy(), say"
    )


def _numbers(frame: Any, name: str) -> np.ndarray:
    """Return a frame's values in a common dtype.

    Raises
    ------
    DataError
        If a column holds anything but numbers and booleans.
    """
    columns = list(frame.iter_columns())
    bad = {str(column.name): column for column in columns if not _holds_numbers(column)}
    if bad:
        raise _no_numbers(frame, bad, name)
    arrays = [_values(column) for column in columns]
    if len({column.dtype for column in columns}) == 1 == len({array.dtype for array in arrays}):
        values: np.ndarray = frame.to_numpy()  # without a copy where the library can
        if values.dtype == arrays[0].dtype:
            return values
    return _side_by_side(arrays, len(frame))


def _holds_numbers(column: Any) -> bool:
    import narwhals.stable.v2 as nw

    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        return True
    if len(column) and column.null_count() == len(column):
        return True  # nothing but missing values, of which the caller says where they are
    # Of pandas' sparse columns, for example.
    return bool(column.dtype == nw.Unknown and column.to_numpy().dtype.kind in "biuf")


def _values(column: Any) -> np.ndarray:
    """Return a column of numbers or booleans as NumPy has them: as floats where some are missing,
    and where NumPy has no such type (decimals, 128 bits).
    """
    import narwhals.stable.v2 as nw

    dtype = column.dtype
    is_unknown_to_numpy = dtype.is_decimal() or dtype in (nw.Int128, nw.UInt128)
    holds_nan = dtype.is_float() or dtype == nw.Unknown
    if is_unknown_to_numpy or (not holds_nan and column.null_count()):
        column = column.cast(nw.Float64)
    values: np.ndarray = column.to_numpy()
    return values if values.dtype.kind in "biuf" else values.astype(np.float64)


def _target(column: Any, name: str) -> np.ndarray:
    """Return a column of numbers, or of anything that may be a label, as an array."""
    import narwhals.stable.v2 as nw

    dtype = column.dtype
    if dtype.is_numeric():
        return _values(column)
    if dtype.is_nested():
        raise DataError(
            f"{name} must hold one label or number per row and column, got {_dtype(column)} in "
            f"{column.name!r}; split it into columns"
        )
    if column.implementation.is_pyarrow() and dtype == nw.Categorical:
        # Its own conversion gives a missing value the last category.
        native = column.to_native()
        column = nw.from_native(native.cast(native.type.value_type), series_only=True)
    values: np.ndarray = column.to_numpy()
    return values


def _side_by_side(columns: list[np.ndarray], n_rows: int) -> np.ndarray:
    """Return columns as a matrix of their common dtype."""
    dtype = np.result_type(*columns) if columns else np.dtype(np.float64)
    matrix = np.empty((n_rows, len(columns)), dtype)
    for number, column in enumerate(columns):
        matrix[:, number] = column
    return matrix


def _no_numbers(frame: Any, bad: dict[str, Any], name: str) -> DataError:
    """Return the error that names the columns without numbers, with the remedy of the library."""
    some = list(bad.items())[:_MOST_SHOWN]
    shown = ", ".join(f"{column!r} ({_dtype(values)})" for column, values in some)
    more = f", ... ({len(bad)} in all)" if len(bad) > _MOST_SHOWN else ""
    columns = f"[{', '.join(repr(column) for column, _ in some)}]"
    library = frame.implementation
    if library.is_pandas_like():
        encode, convert = f"pandas.get_dummies({name}, columns={columns})", "astype(float)"
    elif library.is_polars():
        encode, convert = f"{name}.to_dummies({columns})", "cast(polars.Float64)"
    else:
        encode, convert = "sklearn.preprocessing.OneHotEncoder", "pyarrow.compute.cast"
    return DataError(
        f"{name} must hold numbers, got columns {shown}{more}; encode categories with {encode}, "
        f"convert numbers with {convert} and dates to numbers such as days, or drop such columns"
    )


def _dtype(column: Any) -> str:
    """Return the name that the column's own library has for its type."""
    native = column.to_native()
    return str(getattr(native, "dtype", None) or getattr(native, "type", column.dtype))
