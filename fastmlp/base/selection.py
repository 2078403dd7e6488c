"""Selected rows of a matrix, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np


class Selection:
    """Rows of a dense matrix, by their indices; NumPy sees a matrix of these rows.

    Parameters
    ----------
    X : ndarray, shape (n_all, n_features)
    rows : ndarray of int64, shape (n,)
    """

    def __init__(self, X: np.ndarray, rows: np.ndarray):
        self.X, self.rows = X, rows

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.X.shape[1]

    @property
    def dtype(self) -> np.dtype:
        return self.X.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, indices: slice | np.ndarray) -> np.ndarray:
        """Return a copy of some of the selected rows."""
        found: np.ndarray = self.X[self.rows[indices]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a selection of rows must be copied to be an array, got copy=False")
        found = self[:]
        return found if dtype is None else found.astype(dtype, copy=False)
