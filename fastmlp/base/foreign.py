"""Tables of other libraries as arrays: pandas frames and series, SciPy sparse matrices.

Told by their methods, so that neither library is imported or needed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import DataError

# Training makes a copy of its own, so a machine needs a multiple of this.
MAX_DENSE_BYTES = 2 << 30


def as_plain(value: Any, name: str) -> tuple[Any, tuple[str, ...] | None]:
    """Return a frame or sparse matrix as an array, and anything else as it is.

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
        If a frame's column holds no numbers, or a sparse matrix is too large for a dense one.
    """
    if is_sparse(value):
        return _dense(value, name), None
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        return _numbers(value, name), tuple(str(column) for column in value.columns)
    return value, None


def is_sparse(value: Any) -> bool:
    """Whether it is a SciPy sparse matrix or array."""
    return hasattr(value, "tocsr")


def target_as_plain(value: Any, name: str) -> Any:
    """Return a target that is a frame or sparse as an array; a frame's single column is (n,).

    Parameters and errors as for :func:`as_plain`, but a frame may hold texts.
    """
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        y = value.to_numpy()
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    return as_plain(value, name)[0]


def _dense(value: Any, name: str) -> np.ndarray:
    n_bytes = math.prod(value.shape) * value.dtype.itemsize
    if n_bytes > MAX_DENSE_BYTES:
        raise DataError(
            f"{name} must have at most {MAX_DENSE_BYTES >> 30} GB as a dense array, got a sparse "
            f"matrix of shape {value.shape}, {n_bytes / 2**30:.1f} GB of {value.dtype}; select "
            f"columns (sklearn.feature_selection), reduce them (sklearn.decomposition.TruncatedSVD)"
            f", or pass {name}.astype('float32')"
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
