"""The digits, read from scikit-learn's file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from fastmlp.data import digits


@pytest.mark.parametrize("is_there", [True, False])
def test_they_are_scikit_learns(is_there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_there:
        monkeypatch.setattr(Path, "is_file", lambda path: False)
    found, (X, y) = digits.load(), load_digits(return_X_y=True)
    np.testing.assert_array_equal(found.X, X)
    np.testing.assert_array_equal(found.y, y)
    assert (found.X.dtype, found.y.dtype) == (np.uint8, np.int64)
