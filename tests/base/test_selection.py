from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from fastmlp.base.csr import density, take
from fastmlp.base.selection import Selection

X = np.arange(24).reshape(8, 3) % 5
ROWS = np.array([6, 1, 1, 4])


def test_a_selection_is_a_matrix_of_its_rows() -> None:
    selection = Selection(X, ROWS)
    assert (selection.shape, len(selection), selection.dtype) == ((4, 3), 4, X.dtype)
    np.testing.assert_array_equal(selection, X[ROWS])
    np.testing.assert_array_equal(selection[1:3], X[[1, 1]])
    np.testing.assert_array_equal(selection[np.array([3, 0])], X[[4, 6]])
    assert np.asarray(selection, np.float32).dtype == np.float32
    assert density(selection) == np.count_nonzero(X[ROWS]) / 12


def test_a_selection_is_never_an_array_without_a_copy() -> None:
    assert not np.shares_memory(np.asarray(Selection(X, np.arange(8))), X)
    with pytest.raises(ValueError, match="must be copied"):
        Selection(X, ROWS).__array__(copy=False)


def test_rows_of_a_selection_are_rows_of_its_matrix() -> None:
    once = take(X, ROWS)
    twice = take(once, np.array([3, 0]))
    assert once.X is twice.X is X
    np.testing.assert_array_equal(twice, X[[4, 6]])


def test_sparse_rows_are_taken_as_sparse_rows() -> None:
    taken = take(scipy.sparse.csr_array(X), ROWS)
    np.testing.assert_array_equal(taken.toarray(), X[ROWS])


@pytest.mark.parametrize("n", [0, 1, 511, 512, 513, 2000])
def test_the_share_of_zeros_is_taken_of_all_rows(n: int) -> None:
    rows = np.random.default_rng(0).integers(0, 2, (n, 3))
    assert density(rows) == np.count_nonzero(rows) / max(1, rows.size)
