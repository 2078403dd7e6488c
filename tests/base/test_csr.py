"""Sparse matrices of every format become canonical CSR, and the caller's stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.base.conversion import as_dense
from fastmlp.base.csr import MAX_COLUMNS, canonical, density, is_sparse, stack
from fastmlp.base.errors import DataError

DENSE = np.array([[0, 3, 0, 1], [0, 0, 0, 0], [2, 0, 0, 5]])
FORMS = ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")


def csr(data: Any, indices: Any, indptr: Any, columns: int = 4, index: Any = np.int32) -> Any:
    arrays = (np.array(data), np.array(indices, index), np.array(indptr, index))
    return scipy.sparse.csr_array(arrays, shape=(len(indptr) - 1, columns))


def assert_canonical(found: Any, dense: np.ndarray) -> None:
    assert type(found) is scipy.sparse.csr_array
    np.testing.assert_array_equal(found.toarray(), dense)
    assert found.data.size == found.indices.size == found.nnz == np.count_nonzero(dense)
    assert (found.data != 0).all()
    for row in range(found.shape[0]):
        assert (np.diff(found.indices[found.indptr[row] : found.indptr[row + 1]]) > 0).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
def test_every_format_becomes_canonical(form: str, kind: str, dtype: str) -> None:
    dense = DENSE.astype(dtype)
    value = getattr(scipy.sparse, f"{form}_{kind}")(dense)
    found = canonical(value, "X")
    assert_canonical(found, dense)
    assert found.dtype == dtype
    np.testing.assert_array_equal(value.toarray(), dense)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_what_is_canonical_shares_its_memory(index: Any) -> None:
    value = csr([3.0, 1, 2, 5], [1, 3, 0, 3], [0, 2, 2, 4], index=index)
    found = canonical(value, "X")
    assert_canonical(found, DENSE)
    assert np.shares_memory(found.data, value.data)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_duplicates_are_summed_columns_sorted_and_zeros_dropped(index: Any) -> None:
    data, indices, indptr = [1.0, 4, -1, 0, -0.0, 5, 2], [3, 1, 1, 0, 2, 3, 0], [0, 4, 5, 7]
    value = csr(data, indices, indptr, index=index)
    assert_canonical(canonical(value, "X"), DENSE)
    assert value.data.tolist() == data and value.indices.tolist() == indices
    # Numbers that cancel are zeros, too.
    assert_canonical(canonical(csr([1.0, -1], [2, 2], [0, 2]), "X"), np.zeros((1, 4)))


SUMS = [
    ("uint8", [150, 150], "float64"),
    ("uint8", [128, 128], "float64"),
    ("uint8", [100, 100], "uint8"),
    ("int8", [100, 100], "float64"),
    ("int8", [-100, -100], "float64"),
    ("int8", [-100, 100], "int8"),
    ("uint16", [60000, 60000], "float64"),
    ("int32", [2**31 - 1, 1], "float64"),
    ("int64", [2**62, 2**62], "float64"),
    ("int64", [2, 3], "int64"),
    ("uint64", [2**63, 2**63], "float64"),
    ("float32", [3e38, 3e38], "float64"),
    ("float32", [1.5, 2], "float32"),
    ("float64", [1.5, 2], "float64"),
]


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr"])
@pytest.mark.parametrize(("dtype", "entries", "becomes"), SUMS)
def test_sums_of_duplicates_never_overflow(
    form: str, dtype: str, entries: list[Any], becomes: str
) -> None:
    data = np.array(entries, dtype)
    if form == "coo":
        value = scipy.sparse.coo_array((data, ([0, 0], [1, 1])), shape=(2, 3))
    else:
        index = ([1, 1], [0, 2, 2]) if form != "csc" else ([0, 0], [0, 0, 2, 2])
        blocks = data[:, None, None] if form == "bsr" else data
        make = getattr(scipy.sparse, f"{form}_array")
        value = make((blocks, *index), shape=(2, 3))
    found = canonical(value, "X")
    total = float(data[0]) + float(data[1])
    assert found.dtype == becomes
    assert_canonical(found, np.array([[0, total, 0], [0, 0, 0]]))
    assert as_dense(value, "y")[0, 1] == total


@given(
    st.sampled_from(["uint8", "int8", "int16", "uint32", "float32"]),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 127)), max_size=12),
)
def test_canonical_is_the_sum_of_all_entries(dtype: str, entries: list[Any]) -> None:
    dense = np.zeros((3, 4))
    for row, column, number in entries:
        dense[row, column] += number
    rows, columns, numbers = np.array(entries or np.empty((0, 3)), np.int64).T
    coo = scipy.sparse.coo_array((numbers.astype(dtype), (rows, columns)), shape=(3, 4))
    order = np.argsort(rows, kind="stable")
    by_row = csr(
        numbers[order].astype(dtype), columns[order], np.searchsorted(rows[order], range(4))
    )
    for value in (coo, by_row):
        assert_canonical(canonical(value, "X"), dense)


def test_memory_behind_the_last_number_is_left_out() -> None:
    value = csr([3, 1, 2, 5], [1, 3, 0, 3], [0, 2, 2, 4])
    value.data, value.indices = np.append(value.data, [7, 7]), np.append(value.indices, [0, 1])
    assert_canonical(canonical(value, "X"), DENSE)


@pytest.mark.parametrize(
    ("name", "place", "number"), [("indices", 1, 4), ("indices", 0, -1), ("indptr", 1, 3)]
)
def test_indices_that_contradict_the_shape_are_refused(name: str, place: int, number: int) -> None:
    value = csr([3, 1, 2, 5], [1, 3, 0, 3], [0, 2, 2, 4])
    getattr(value, name)[place] = number
    with pytest.raises(DataError, match=r"X must be a sparse matrix whose indices fit .*build it"):
        canonical(value, "X")


def test_more_columns_than_lists_can_number_are_refused() -> None:
    wide = scipy.sparse.coo_array((2, MAX_COLUMNS))
    with pytest.raises(DataError, match=r"fewer than 2\*\*31 features, got 2147483648; select"):
        canonical(wide, "X")
    assert canonical(scipy.sparse.coo_array((2, MAX_COLUMNS - 1)), "X").nnz == 0


def test_parts_are_stacked_as_they_are() -> None:
    np.testing.assert_array_equal(stack([DENSE, DENSE[:1]]), np.vstack([DENSE, DENSE[:1]]))
    found = stack([canonical(scipy.sparse.csr_array(DENSE[a:b]), "X") for a, b in ((0, 2), (1, 3))])
    assert_canonical(found, np.vstack([DENSE[0:2], DENSE[1:3]]))


def test_densities() -> None:
    assert density(DENSE) == density(scipy.sparse.csr_array(DENSE)) == 4 / 12
    assert density(np.empty((0, 3))) == 0.0


def test_only_sparse_matrices_are_sparse() -> None:
    assert is_sparse(scipy.sparse.coo_array(DENSE))
    assert not any(is_sparse(value) for value in (DENSE, DENSE.tolist(), None, "csr"))
