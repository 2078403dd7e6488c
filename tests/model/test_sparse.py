"""The lists of a CSR are those of the same rows, dense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

from fastmlp import DataError
from fastmlp.base.csr import canonical
from fastmlp.base.selection import Selection
from fastmlp.kernels.buffers import QUARTERS
from fastmlp.model.encoding import encode
from fastmlp.model.sparse import compress
from fastmlp.ops.scalers import NO_SCALING, SCALERS

each_dtype = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")])


def draw(kind: str, rows: int = 23, features: int = 90, share: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.integers(1, 200, (rows, features)) * (rng.random((rows, features)) < share)
    return (X / 7 if kind.startswith("float") else X).astype(kind)


def assert_same_lists(X: Any, dense: np.ndarray, scale: str, dtype: np.dtype) -> None:
    scaling = SCALERS.parse(scale).fit(dense, (0.0, 200.0))
    found, wanted = compress(X, scaling, dtype), compress(dense, scaling, dtype)
    for name, one, other in zip(found._fields, found, wanted, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.flags.writeable) == (other.dtype, other.flags.writeable), name


@each_dtype
@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize("scale", SCALERS.names())
def test_lists_are_those_of_the_dense_rows(kind: str, scale: str, dtype: np.dtype) -> None:
    dense = draw(kind)
    assert_same_lists(canonical(scipy.sparse.coo_array(dense), "X"), dense, scale, dtype)


@pytest.mark.parametrize("kind", ["uint8", "int64", "float32"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n", [0, 20, 600])
def test_lists_of_a_selection_are_those_of_its_rows(kind: str, order: Any, n: int) -> None:
    X, rows = draw(kind), np.random.default_rng(0).integers(0, 23, n)
    selection = Selection(np.asarray(X, order=order), rows)
    scaling, dtype = SCALERS.parse("unit").fit(X, (0.0, 200.0)), np.dtype("float32")
    found, wanted = compress(selection, scaling, dtype), compress(X[rows], scaling, dtype)
    for name, one, other in zip(found._fields, found, wanted, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_lists_are_the_same_whatever_the_format(form: str, kind: str) -> None:
    dense = draw("float64")
    X = canonical(getattr(scipy.sparse, f"{form}_{kind}")(dense), "X")
    assert_same_lists(X, dense, "maxabs", np.dtype("float32"))


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (23, 1), (23, 3), (2, 1000)])
@pytest.mark.parametrize("share", [0.0, 0.02, 1.0])
def test_lists_of_every_shape(shape: tuple[int, int], share: float) -> None:
    dense = draw("float64", *shape, share=share)
    X = canonical(scipy.sparse.csr_array(dense), "X")
    assert_same_lists(X, dense, "standard", np.dtype("float64"))
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    assert_same_lists(X, dense, "none", np.dtype("float32"))


@each_dtype
def test_sparse_rows_are_encoded_as_lists_whatever_is_asked_for(dtype: np.dtype) -> None:
    X = canonical(scipy.sparse.csr_array(draw("uint8")), "X")
    for inputs in ("dense", "lists", "shifted lists"):
        data = encode(X, NO_SCALING, dtype, n_outputs=3, inputs=inputs)
        assert data.X.shape == (23, 0) and data.sparse.forward != 0
        assert data.sparse.values.size == X.nnz and data.sparse.starts.size == 24 * QUARTERS + 1
        np.testing.assert_array_equal(data.order, np.arange(23))


@pytest.mark.parametrize("kind", ["bool", "float16", "longdouble", ">f8", ">i4"])
def test_dense_rows_of_types_that_kernels_do_not_know_are_converted(kind: str) -> None:
    dense = draw("bool").astype(kind)
    for X in (dense, np.asfortranarray(dense), dense[:, ::-1][:, ::-1]):
        found = compress(X, NO_SCALING, np.dtype("float32"))
        wanted = compress(dense.astype("float32"), NO_SCALING, np.dtype("float32"))
        for name, one, other in zip(found._fields, found, wanted, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


@pytest.mark.parametrize("number", [1e300, -1e300, np.nan, np.inf])
def test_numbers_beyond_the_dtype_are_refused(number: float) -> None:
    dense = draw("float64")
    dense[3, 5] = number
    X = canonical(scipy.sparse.csr_array(dense), "X")
    with pytest.raises(DataError, match="finite and in the range of float32"):
        encode(X, NO_SCALING, np.dtype("float32"), n_outputs=3)
