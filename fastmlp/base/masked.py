"""Masked arrays, whose mask NumPy would drop silently."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DataError


def unmasked(value: Any, name: str) -> Any:
    """Return a masked array as a plain one, and anything else as it is.

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
