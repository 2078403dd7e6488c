from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from fastmlp.base.errors import DataError
from fastmlp.base.foreign import MAX_DENSE_BYTES, as_dense, as_plain, target_as_plain
from fastmlp.data import Dataset

X = np.arange(12.0).reshape(6, 2)
Y = np.array([3, 5, 3, 7, 5, 7])
SPARSE = [
    getattr(scipy.sparse, f"{form}_{kind}")
    for form in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
    for kind in ("array", "matrix")
]


def dataset(X: Any, y: Any = Y, **other: Any) -> Dataset:
    return Dataset(X, y, **other)


def refusal(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(DataError) as caught:
        dataset(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_plain_is_left_alone() -> None:
    for value in (X, X.tolist(), 3, None):
        assert as_plain(value, "X") == (value, None) if value is not X else True
        assert target_as_plain(value, "y") is value
    assert as_plain(X, "X")[0] is X


# --- SciPy's sparse matrices ---


@pytest.mark.parametrize("form", SPARSE, ids=lambda form: form.__name__)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_sparse_matrices_stay_sparse(form: Any, dtype: Any) -> None:
    data = dataset(form(X.astype(dtype)), X_test=form(X[:2].astype(dtype)), y_test=Y[:2])
    for found, rows in ((data.X, X), (data.X_test, X[:2])):
        assert type(found) is scipy.sparse.csr_array
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.toarray(), rows)
    assert data.feature_names is None


def test_sparse_targets_are_labels_of_which_each_row_has_several() -> None:
    several = (X.astype(int) % 3 == 0).astype(int)
    several[0] = 1
    data = dataset(X, scipy.sparse.csr_array(several))
    assert data.task == "multilabel"
    np.testing.assert_array_equal(data.y, several)


def test_sparse_matrices_become_dense_arrays_up_to_a_limit() -> None:
    np.testing.assert_array_equal(as_dense(scipy.sparse.coo_array(X), "X"), X)
    rows = MAX_DENSE_BYTES // 8 // 1000
    huge = scipy.sparse.csr_array((rows + 1, 1000))
    with pytest.raises(DataError) as caught:
        as_dense(huge, "X", "input_dropout", "set it to 0")
    message = str(caught.value)
    assert (
        "X must have at most 2 GB as a dense array, which input_dropout needs, got a sparse "
        f"matrix of shape ({rows + 1}, 1000), 2.0 GB of float64; set it to 0, select columns"
    ) in message
    assert "TruncatedSVD" in message and "X.astype('float32')" in message
    with pytest.raises(DataError, match=r"a dense array, got .*of float64; select columns"):
        target_as_plain(huge, "y")


# --- pandas ---


def test_frames_keep_their_names() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b"], index=range(10, 16))
    data = dataset(frame, pd.Series(Y, index=range(10, 16)), X_test=frame[:2], y_test=Y[:2])
    assert type(data.X) is type(data.y) is type(data.X_test) is np.ndarray
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, Y)
    assert data.feature_names == ("a", "b")
    assert data.keep_classes([3, 7]).feature_names == ("a", "b")
    assert dataset(pd.DataFrame(X)).feature_names == ("0", "1")
    assert dataset(frame, feature_names=("c", "d")).feature_names == ("c", "d")


def test_frames_of_one_dtype_keep_it_and_others_find_a_common_one() -> None:
    pd = pytest.importorskip("pandas")
    assert dataset(pd.DataFrame(X.astype(np.uint8))).X.dtype == np.uint8
    mixed = pd.DataFrame(
        {
            "byte": np.arange(6, dtype=np.uint8),
            "flag": Y > 4,
            "float": X[:, 0],
            "nullable": pd.array([1, 2, 3, 4, 5, 6], dtype="Int64"),
            "sparse": pd.arrays.SparseArray([0.0, 0, 1, 0, 0, 2]),
        }
    )
    data = dataset(mixed)
    assert data.X.dtype == np.float64
    np.testing.assert_array_equal(data.X[2], [2, 0, 4, 3, 1])


def test_columns_that_hold_no_numbers_are_named_with_advice() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "a": X[:, 0],
            "city": ["Rome", "Bern"] * 3,
            "size": pd.Categorical([1, 2] * 3),
            "day": pd.date_range("2020-01-01", periods=6),
            "b": X[:, 1].astype(object),
        }
    )
    message = refusal(frame)
    for name in ("'city' (", "'size' (category)", "'day' (datetime64", "'b' (object)"):
        assert name in message
    assert "'a'" not in message
    assert "pandas.get_dummies(X, columns=['city', 'size', 'day', 'b'])" in message
    assert "X_test must hold numbers, got columns 'city'" in refusal(
        frame[["a"]], X_test=frame[["city"]], y_test=Y
    )
    encoded = pd.get_dummies(frame[["a", "city"]], columns=["city"])
    assert dataset(encoded).feature_names == ("a", "city_Bern", "city_Rome")


def test_missing_values_are_named_by_their_column() -> None:
    pd = pytest.importorskip("pandas")
    for missing in (np.nan, None, pd.NA):
        frame = pd.DataFrame({"a": X[:, 0], "age": pd.array([1, 2, missing, 4, 5, 6], "Float64")})
        assert "in row 2, column 'age' counting from 0" in refusal(frame)
    bad = X.copy()
    bad[3, 0] = np.inf
    assert "in row 3, column 'a'" in refusal(bad, feature_names=("a", "b"))


@pytest.mark.parametrize("dtype", ["category", "string", "object", "str"])
def test_series_of_texts_are_labels(dtype: str) -> None:
    pd = pytest.importorskip("pandas")
    labels = pd.Series(["a", "b", "a", "c", "b", "c"], dtype=dtype)
    for y in (labels, labels.to_frame()):
        data = dataset(X, y)
        assert data.y.dtype.kind == "U"
        assert (data.task, data.y.tolist()) == ("classification", ["a", "b", "a", "c", "b", "c"])
    labels[1] = None
    assert "drop the rows without a value" in refusal(X, labels)


@pytest.mark.parametrize("dtype", ["int32", "Int64", "boolean", "category", "float32", "Float64"])
def test_series_of_numbers_are_labels_or_targets(dtype: str) -> None:
    pd = pytest.importorskip("pandas")
    y = pd.Series([0, 1, 1, 0, 1, 0]).astype(dtype)
    data = dataset(X, y)
    assert data.task == ("regression" if "loat" in dtype else "classification")
    assert data.y.tolist() == [0, 1, 1, 0, 1, 0]
    np.testing.assert_array_equal(dataset(X, y.to_frame()).y, data.y)


def test_missing_targets_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    # pandas gives them as NA or, from version 3 on, as NaN.
    nullable = pd.Series([0, 1, None, 0, 1, 0], dtype="Int64")
    assert re.search("drop the rows without a value|drop those rows", refusal(X, nullable))
    assert "row 2" in refusal(X, pd.Series([0, 1, None, 0, 1, 0]))


def test_frames_as_targets() -> None:
    pd = pytest.importorskip("pandas")
    several = dataset(X, pd.DataFrame({"u": X[:, 0], "v": X[:, 1]}))
    assert (several.task, several.y.shape) == ("regression", (6, 2))
    labels = dataset(X, pd.DataFrame({"u": Y > 4, "v": Y > 2}))
    assert (labels.task, labels.y.shape) == ("multilabel", (6, 2))


def test_test_parts_must_have_the_same_columns_in_the_same_order() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b"])
    assert "got 'b' in the place of 'a'; pass X_test[X.columns]" in refusal(
        frame, X_test=frame[["b", "a"]], y_test=Y
    )
    assert "as many features as X, 2, got 1" in refusal(frame, X_test=frame[["a"]], y_test=Y)
    assert dataset(X, X_test=frame, y_test=Y).has_official_split


def test_columns_of_one_name_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "a"])
    assert "feature_names must be 2 different names, one per column" in refusal(frame)
