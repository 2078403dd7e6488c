from __future__ import annotations

import datetime
import re
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from fastmlp.base.conversion import (
    MAX_DENSE_BYTES,
    as_dense,
    as_plain,
    target_as_plain,
    target_names,
)
from fastmlp.base.errors import DataError
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


def test_plain_text_is_not_changed() -> None:
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


# --- frames of every library ---


class Library:
    """How a library makes frames and series."""

    def __init__(self, name: str):
        self.name = name
        self.module: Any = pytest.importorskip(name)

    def frame(self, **columns: Any) -> Any:
        if self.name == "pyarrow":
            return self.module.table(columns)
        return self.module.DataFrame(columns)

    def series(self, values: Any, name: str = "target") -> Any:
        if self.name == "pyarrow":
            return self.module.chunked_array([self.module.array(values)])
        return self.module.Series(values, name=name) if self.name == "pandas" else (
            self.module.Series(name, values)
        )  # fmt: skip

    def rows(self, frame: Any, n: int) -> Any:
        return frame.slice(0, n) if self.name == "pyarrow" else frame[:n]

    def categories(self, texts: list[str | None]) -> Any:
        if self.name == "pyarrow":
            return self.module.array(texts).dictionary_encode()
        if self.name == "polars":
            return self.module.Series(texts, dtype=self.module.Categorical)
        return self.module.Categorical(texts)

    def nullable(self, values: list[Any]) -> Any:
        return self.module.array(values, dtype="Int64") if self.name == "pandas" else values

    def decimals(self, texts: list[str | None]) -> Any:
        pa = pytest.importorskip("pyarrow")
        values = [None if text is None else Decimal(text) for text in texts]
        if self.name == "pandas":
            return self.module.array(values, dtype=self.module.ArrowDtype(pa.decimal128(9, 2)))
        return pa.array(values, pa.decimal128(9, 2)) if self.name == "pyarrow" else values


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def library(request: pytest.FixtureRequest) -> Library:
    return Library(request.param)


def test_frames_of_any_library_are_numbers_with_names(library: Library) -> None:
    frame = library.frame(a=X[:, 0], b=X[:, 1])
    found, names = as_plain(frame, "X")
    assert type(found) is np.ndarray and names == ("a", "b")
    np.testing.assert_array_equal(found, X)
    data = dataset(frame, library.series(Y), X_test=library.rows(frame, 2), y_test=Y[:2])
    np.testing.assert_array_equal(data.X_test, X[:2])
    assert data.feature_names == ("a", "b") and data.y.tolist() == Y.tolist()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
def test_frames_of_one_dtype_keep_it(library: Library, dtype: str) -> None:
    if (library.name, dtype) == ("polars", "float16"):
        pytest.skip("polars makes float32 of it")
    columns = X.astype(dtype)
    found, _ = as_plain(library.frame(a=columns[:, 0], b=columns[:, 1]), "X")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, columns)


def test_columns_of_several_dtypes_find_a_common_one(library: Library) -> None:
    frame = library.frame(
        byte=np.arange(3, dtype=np.uint8), flag=[True, False, True], number=[0.5, 1.5, 2.5],
        whole=library.nullable([7, 8, 9]), price=library.decimals(["1.25", "2.50", "-3.00"]),
    )  # fmt: skip
    found, names = as_plain(frame, "X")
    assert found.dtype == np.float64
    assert names == ("byte", "flag", "number", "whole", "price")
    np.testing.assert_array_equal(
        found, [[0, 1, 0.5, 7, 1.25], [1, 0, 1.5, 8, 2.5], [2, 1, 2.5, 9, -3]]
    )


@pytest.mark.parametrize("kind", ["whole", "number", "flag", "price", "nothing"])
def test_gaps_are_kept_in_columns_of_every_type(library: Library, kind: str) -> None:
    column = {
        "whole": library.nullable([1, None, 3]),
        "number": [1.0, None, 3.0],
        "flag": library.module.array([True, None, False], dtype="boolean")
        if library.name == "pandas" else [True, None, False],
        "price": library.decimals(["1.25", None, "2.5"]),
        "nothing": library.module.nulls(3) if library.name == "pyarrow" else [None] * 3,
    }[kind]  # fmt: skip
    frame = library.frame(a=[1, 2, 3], age=column)
    data = Dataset(frame, [0, 1, 0])
    if kind == "nothing":
        assert data.X.names == ("a",)
        assert data.column_facts[1][:2] == ("age", "constant")
    else:
        assert data.X.column(1).missing().tolist() == [False, True, False]
        np.testing.assert_array_equal(
            data.X.column(1).numbers()[[0, 2]] > 0, [True, kind != "flag"]
        )


def test_columns_of_every_type_have_a_kind(library: Library) -> None:
    frame = library.frame(
        a=[1, 2, 3], city=["Rome", "Bern", "Rome"], size=library.categories(["s", None, "l"]),
        day=[datetime.datetime(2020, 1, day, 12) for day in (1, 2, 3)],
        pause=[datetime.timedelta(days) for days in (1, 2, 3)],
    )  # fmt: skip
    X = Dataset(frame, [0, 1, 0]).X
    assert X.kinds == ("number", "category", "category", "date", "number")
    assert X.column(1).shown() == ["Rome", "Bern", "Rome"]
    assert X.column(2).shown() == ["s", "", "l"]
    assert X.column(3).shown()[0] == "2020-01-01T12:00:00"
    assert X.column(4).numbers().tolist() == [86400, 172800, 259200]


def test_columns_without_numbers_are_named_with_the_librarys_remedy(library: Library) -> None:
    training = library.frame(city=[1, 2, 3], size=[4, 5, 6], day=[7, 8, 9], pause=[1, 2, 3])
    frame = library.frame(
        city=["Rome", "Bern", "Rome"], size=library.categories(["s", None, "l"]),
        day=[datetime.datetime(2020, 1, day) for day in (1, 2, 3)],
        pause=[datetime.timedelta(days) for days in (1, 2, 3)],
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        Dataset(training, [0, 1, 0], frame, [0, 1, 0])
    message = str(caught.value)
    assert "X_test must hold numbers, got columns 'city' (" in message and "'a'" not in message
    for column in ("'size' (", "'day' (", "'pause' ("):
        assert column in message
    remedy = {
        "pandas": "pandas.get_dummies(X_test, columns=['city', 'size', 'day', 'pause'])",
        "polars": "X_test.to_dummies(['city', 'size', 'day', 'pause'])",
        "pyarrow": "sklearn.preprocessing.OneHotEncoder",
    }[library.name]
    assert remedy in message


@pytest.mark.parametrize("form", ["series", "frame"])
def test_targets_of_any_library_are_labels_or_numbers(library: Library, form: str) -> None:
    for values, expected, task in (
        (["a", "b", "a"], ["a", "b", "a"], "classification"),
        (library.categories(["a", "b", "a"]), ["a", "b", "a"], "classification"),
        ([3, 4, 3], [3, 4, 3], "classification"),
        ([True, False, True], [True, False, True], "classification"),
        ([0.5, 1.5, 2.5], [0.5, 1.5, 2.5], "regression"),
        (library.decimals(["0.25", "1.5", "2"]), [0.25, 1.5, 2], "regression"),
    ):
        frame = library.frame(target=values)
        y = frame if form == "frame" else frame["target"]
        data = Dataset(X[:3], y)
        assert (data.y.tolist(), data.task, data.y.ndim) == (expected, task, 1)


def test_missing_and_odd_targets_are_refused(library: Library) -> None:
    for values, message in (
        (["a", None, "b"], "drop the rows without a value"),
        (library.categories(["a", None, "b"]), "drop the rows without a value|strings|finite"),
        (library.nullable([1, None, 3]), "in row 1|drop the rows without a value"),
        ([1.0, None, 2.0], "in row 1"),
        ([datetime.datetime(2020, 1, day) for day in (1, 2, 3)], "got dtype datetime64"),
        ([datetime.timedelta(day) for day in (1, 2, 3)], "got dtype timedelta64"),
    ):
        for y in (library.frame(y=values), library.frame(y=values)["y"]):
            with pytest.raises(DataError, match=message):
                Dataset(X[:3], y)


def test_the_names_of_targets(library: Library) -> None:
    frame = library.frame(price=[1.0, 2.0], rooms=[1.0, 2.0])
    assert target_names(frame) == ("price", "rooms")
    # pyarrow's columns have no names of their own.
    assert target_names(frame["price"]) == (None if library.name == "pyarrow" else ("price",))
    assert target_names(library.series([1, 2], "")) is None
    for value in (Y, Y.tolist(), scipy.sparse.csr_array(X), None, 3):
        assert target_names(value) is None


def test_lazy_frames_are_refused_with_advice() -> None:
    pl = pytest.importorskip("polars")
    lazy = pl.LazyFrame({"a": [1.0], "b": [2.0]})
    message = r"X must be in memory, got a lazy frame of polars; pass X.collect\(\)"
    with pytest.raises(DataError, match=message):
        as_plain(lazy, "X")
    with pytest.raises(DataError, match=r"y must be in memory, .* y.collect\(\)"):
        target_as_plain(lazy, "y")


def test_record_batches_and_arrow_arrays_are_read() -> None:
    pa = pytest.importorskip("pyarrow")
    batch = pa.RecordBatch.from_pydict({"a": [1, 2], "b": [0.5, 1.5]})
    found, names = as_plain(batch, "X")
    assert names == ("a", "b") and found.tolist() == [[1, 0.5], [2, 1.5]]
    assert target_as_plain(pa.array(["x", "y"]), "y").tolist() == ["x", "y"]


def test_an_unknown_frame_is_named() -> None:
    class Mine:
        columns = ("a",)

    with pytest.raises(
        DataError, match=r"frame that narwhals can read .*Mine; pass for example X.to_numpy"
    ):
        as_plain(Mine(), "X")

    class Readable(Mine):
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return X

    np.testing.assert_array_equal(dataset(Readable()).X, X)


def test_arrays_and_sparse_matrices_import_no_library() -> None:
    code = (
        "import sys, numpy as np, scipy.sparse as sp\n"
        "from fastmlp import Dataset\n"
        "Dataset(np.eye(3), np.arange(3)), Dataset(sp.eye_array(3).tocsr(), [0, 1, 1])\n"
        "print([name for name in ('narwhals', 'pandas', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


# --- masked arrays ---


@pytest.mark.parametrize("door", ["X", "y", "X_test", "y_test"])
@pytest.mark.parametrize("as_list", [False, True])
def test_masked_values_are_refused(door: str, as_list: bool) -> None:
    parts: dict[str, Any] = {"X": X, "y": np.c_[X[:, 0]], "X_test": X, "y_test": np.c_[X[:, 0]]}
    parts[door] = np.ma.masked_equal(parts[door], 4.0)
    if as_list:
        parts[door] = list(parts[door])
    with pytest.raises(DataError, match=rf"{door} must have no masked values, got 1; .*filled"):
        Dataset(**parts)


def test_masks_that_hide_nothing_are_no_matter() -> None:
    np.testing.assert_array_equal(dataset(np.ma.masked_equal(X, 99.0)).X, X)
    assert dataset(X, np.ma.masked_equal(Y, 99)).y.tolist() == Y.tolist()


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


def test_columns_of_pandas_have_kinds() -> None:
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
    assert dataset(frame).X.kinds == ("number", "category", "category", "date", "number")
    assert dataset(frame).X.column(2).shown()[:2] == ["1", "2"]
    assert "X_test must hold numbers, got columns 'a'" in refusal(
        frame[["a"]], X_test=frame[["city"]].rename(columns={"city": "a"}), y_test=Y
    )
    encoded = pd.get_dummies(frame[["a", "city"]], columns=["city"])
    assert dataset(encoded).feature_names == ("a", "city_Bern", "city_Rome")


def test_gaps_of_pandas_are_kept() -> None:
    pd = pytest.importorskip("pandas")
    for missing in (np.nan, None, pd.NA):
        frame = pd.DataFrame({"a": X[:, 0], "age": pd.array([1, 2, missing, 4, 5, 6], "Float64")})
        assert np.flatnonzero(dataset(frame).X.has_gaps()).tolist() == [2]
    frame["age"] = [1, 2, np.inf, np.nan, 5, 6]
    assert "got infinity in column 'age', row 2" in refusal(frame)
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


@pytest.mark.parametrize("part", ["test", "validation"])
def test_parts_must_have_the_same_columns_in_any_order(part: str) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b"])

    def given(value: Any) -> dict[str, Any]:
        return {f"X_{part}": value, f"y_{part}": Y}

    data = dataset(frame, **given(frame[["b", "a"]]))
    np.testing.assert_array_equal(getattr(data, f"X_{part}"), X)
    message = refusal(frame, **given(frame[["a"]]))
    assert f"X_{part} must have every column" in message and "got none for 'b'" in message
    with pytest.warns(UserWarning, match=f"X_{part}: left out 'Id', 'Name'") as caught:
        data = Dataset(frame, Y, **given(frame.assign(Id=1, Name="x")))
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(getattr(data, f"X_{part}"), X)


def test_names_of_targets_are_kept() -> None:
    pd = pytest.importorskip("pandas")
    y = pd.DataFrame({"u": X[:, 0], "v": X[:, 1]})
    assert dataset(X, y).target_names == ("u", "v")
    assert dataset(X, y["u"]).target_names == ("u",)
    assert dataset(X, y["u"], target_names=("w",)).target_names == ("w",)
    assert dataset(X, pd.Series(Y)).target_names is None
    one_hot = pd.get_dummies(pd.Series(Y))
    assert dataset(X, one_hot, task="classification").target_names is None
    frame = pd.DataFrame(X, columns=["a", "b"])
    data = dataset(frame, y["u"], X_test=frame.assign(u=1.0), y_test=y["u"])
    assert data.feature_names == ("a", "b")


def test_columns_of_one_name_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "a"])
    message = refusal(frame)
    assert "X must have different column names" in message and "'a' 2 times" in message
