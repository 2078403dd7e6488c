"""Tables of other libraries as arrays: pandas frames and series, SciPy sparse matrices.

Told by their methods, so that neither library is imported or needed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .csr import is_sparse
from .errors import DataError

# Training makes a copy of its own, so a machine needs a multiple of this.
MAX_DENSE_BYTES = 2 << 30


def as_plain(value: Any, name: str) -> tuple[Any, tuple[str, ...] | None]:
    """Return a frame as an array, and anything else as it is, a sparse matrix too.

    Parameters
    ----------
    value : object
    name : str
        What the error messages call it.

    Returns
    -------
    value : object
    names : tuple of str or None
        Of a frame's columns.

    Raises
    ------
    DataError
        If a frame's column holds no numbers.
    """
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        return _numbers(value, name), tuple(str(column) for column in value.columns)
    return value, None


def target_as_plain(value: Any, name: str) -> Any:
    """Return a target that is a frame or sparse as an array; a frame's single column is (n,).

    Parameters as for :func:`as_plain`; a frame may hold texts.

    Raises
    ------
    DataError
        If a sparse matrix is too large for a dense one.
    """
    if is_sparse(value):
        return as_dense(value, name)
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        y = value.to_numpy()
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    return value


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
    dense: np.ndarray = value.toarray()
    return dense


def _numbers(frame: Any, name: str) -> np.ndarray:
    """Return a frame's values, if its columns are numeric: in pandas, by their dtype's kind."""
    bad = {
        str(column): str(dtype)
        for column, dtype in zip(frame.columns, frame.dtypes, strict=True)
        if getattr(dtype, "kind", "f") not in "biuf"
    }
    if bad:
        shown = ", ".join(f"{column!r} ({dtype})" for column, dtype in list(bad.items())[:10])
        more = f", ... ({len(bad)} in all)" if len(bad) > 10 else ""
        raise DataError(
            f"{name} must hold numbers, got columns {shown}{more}; encode categories with "
            f"pandas.get_dummies({name}, columns=[{', '.join(map(repr, list(bad)[:10]))}]), "
            f"convert numbers with astype(float), or drop such columns"
        )
    values: np.ndarray = frame.to_numpy()
    if values.dtype.kind == "O":
        # Booleans beside numbers, or pandas' own dtypes, whose missing value is no float.
        values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    return values
