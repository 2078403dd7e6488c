from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.data import Dataset

X = np.arange(12.0).reshape(6, 2)
LABELS = np.array([3, 5, 3, 7, 5, 7])


def dataset(X: Any = X, y: Any = LABELS, **other: Any) -> Dataset:
    """Build a dataset from anything array-like, which the annotations do not allow."""
    return Dataset(X, y, **other)


def refusal(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(DataError) as caught:
        dataset(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_arrays_are_kept_without_a_copy() -> None:
    images = np.zeros((6, 4), np.uint8)
    data = dataset(images, LABELS, X_test=images[:2], y_test=LABELS[:2])
    assert data.X is images
    assert data.y is LABELS
    assert data.X_test is not None and np.shares_memory(data.X_test, images)


def test_lists_are_accepted() -> None:
    data = dataset([[1, 2], [3, 4]], ["a", "b"], X_test=[[5, 6]], y_test=["b"])
    np.testing.assert_array_equal(data.X, [[1, 2], [3, 4]])
    assert data.n_features == 2
    assert data.classes is not None and data.classes.tolist() == ["a", "b"]
    assert data.has_official_split


def test_defaults() -> None:
    data = dataset()
    assert (data.name, data.feature_range, data.image_shape) == ("custom", None, None)
    assert not data.has_official_split


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (LABELS, "classification"),
        (LABELS.astype(np.uint8), "classification"),
        (LABELS > 4, "classification"),
        (LABELS.astype(str), "classification"),
        (LABELS.astype(object), "classification"),
        (LABELS.astype(str).astype(object), "classification"),
        (LABELS.astype(np.float32), "regression"),
        (LABELS.astype(float).astype(object), "regression"),
        (X, "regression"),
    ],
)
def test_task_follows_the_targets(y: np.ndarray, task: str) -> None:
    data = dataset(y=y)
    assert data.task == task
    assert (data.classes is None) == (task == "regression")
    assert data.y.dtype.kind != "O"
    np.testing.assert_array_equal(data.y, y)


def test_explicit_task_converts_whole_numbers() -> None:
    labels = dataset(y=LABELS.astype(float), task="classification")
    assert labels.y.dtype == np.int64
    np.testing.assert_array_equal(labels.y, LABELS)
    numbers = dataset(y=LABELS, task="regression")
    assert numbers.y.dtype == np.float64
    np.testing.assert_array_equal(numbers.y, LABELS)


SEVERAL = np.array([[1, 1], [0, 1], [0, 0], [1, 0], [1, 1], [0, 1]])


@pytest.mark.parametrize(
    "y", [SEVERAL, SEVERAL > 0, SEVERAL.astype(np.uint8), SEVERAL.astype(object), SEVERAL.tolist()]
)
def test_columns_of_0_and_1_are_several_labels(y: Any) -> None:
    data = dataset(y=y, X_test=X[:2], y_test=np.eye(2, dtype=int))
    assert (data.task, data.classes) == ("multilabel", None)
    assert data.y.dtype.kind in "biu"
    np.testing.assert_array_equal(data.y, SEVERAL)
    with pytest.raises(DataError, match="classes must be left out for task 'multilabel'"):
        data.keep_classes([0, 1])


@pytest.mark.parametrize(
    "y", [np.eye(6), np.eye(6, dtype=int), LABELS[:, None] > 4, SEVERAL.astype(np.float32)]
)
def test_explicit_multilabel_takes_what_auto_does_not(y: np.ndarray) -> None:
    data = dataset(y=y, task="multilabel")
    assert data.task == "multilabel"
    assert data.y.dtype.kind in "biu"
    np.testing.assert_array_equal(data.y, y)


def test_several_labels_are_kept_without_a_copy() -> None:
    assert dataset(y=SEVERAL).y is SEVERAL


def test_unknown_task_names_the_close_match() -> None:
    with pytest.raises(ConfigError, match="did you mean 'regression'"):
        dataset(task="regresion")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.arange(6.0), r"X must be 2-D.*\(6,\).*reshape\(-1, 1\)"),
        (np.zeros((6, 2, 2, 2)), r"X must be 2-D.*\(6, 2, 2, 2\).*reshape\(len\(X\), -1\)"),
        (np.zeros((6, 2, 2, 1, 1)), r"X must be 2-D.*\(6, 2, 2, 1, 1\)"),
        (np.zeros((6, 0, 2)), r"X must be 2-D.*\(6, 0, 2\)"),
        (np.zeros((0, 2)), r"at least one row and one feature.*\(0, 2\)"),
        (np.zeros((6, 0)), r"at least one row and one feature.*\(6, 0\)"),
        (X.astype(str), r"real numbers.*<U.*astype\(float\)"),
        (X.astype(object), r"real numbers.*object.*astype\(float\)"),
        (X.astype(complex), "real numbers.*complex"),
        ([[1.0], [1.0, 2.0]], "equally long rows"),
        (3.0, "one entry per row.*float"),
    ],
)
def test_bad_features_are_refused(value: Any, words: str) -> None:
    assert re.search(words, refusal(value))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nan_is_counted_and_located(dtype: Any) -> None:
    bad = X.astype(dtype)
    bad[2, 1] = np.nan
    bad[4, 0] = -np.inf
    message = refusal(bad)
    assert "X must be finite" in message
    assert "2 NaN (missing) or infinite" in message
    assert "(nan) in row 2, column 1" in message


def test_nan_in_targets_and_in_the_test_part_is_refused() -> None:
    y = np.array([0.0, 1, 2, np.nan, 4, 5])
    assert "y must be finite" in refusal(y=y)
    assert "row 3" in refusal(y=y)
    assert "y must be finite" in refusal(y=y, task="classification")
    assert "X_test must be finite" in refusal(X_test=[[np.nan, 0]], y_test=[3])
    assert "y_test must be finite" in refusal(y=X[:, 0], X_test=X[:1], y_test=[np.inf])


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (LABELS[:5], "y must have one entry per row of X, 6, got 5"),
        (np.eye(6, dtype=int), "y must not be one-hot"),
        (np.eye(6, dtype=int)[:, ::-1] > 0, "pass y.argmax(axis=1) for classes"),
        (np.eye(6, dtype=int) * 2, "y.argmax(axis=1) if one-hot"),
        (np.ones((6, 2), int) - 2, "or only 0 and 1 for several labels"),
        (np.full((6, 2), "0"), "y must hold one label per row"),
        (LABELS[:, None], "y.ravel()"),
        (np.array(["a", None, "b", "a", "b", "a"], object), "got objects of type NoneType, str"),
        (np.array(["a", np.nan, "b", "a", "b", "a"], object), "got objects of type float, str"),
        (np.array([1, None, 2, 1, 2, 1], object), "got objects of type NoneType, int"),
        (LABELS.astype("M8[D]"), "got dtype datetime64"),
        (LABELS.astype(complex), "got dtype complex"),
        (np.zeros((6, 0)), "(6, 0)"),
        (np.zeros((6, 2, 2)), "(6, 2, 2)"),
        (3, "one entry per row"),
    ],
)
def test_bad_targets_are_refused(y: Any, words: str) -> None:
    assert words in refusal(y=y)


def test_targets_that_do_not_fit_an_explicit_task_are_refused() -> None:
    assert "got 0.5" in refusal(y=LABELS - 2.5, task="classification")
    assert "no whole number" in refusal(y=LABELS * 1e300, task="classification")
    assert "strings such as '3'" in refusal(y=LABELS.astype(str), task="regression")
    assert "a column of 0 and 1 per label" in refusal(y=LABELS, task="multilabel")
    assert "of <U1" in refusal(y=np.full((6, 2), "0"), task="multilabel")
    assert "only 0 and 1 for task 'multilabel', got 2" in refusal(y=SEVERAL * 2, task="multilabel")
    assert "got 0.5" in refusal(y=SEVERAL / 2, task="multilabel")


PARTS = pytest.mark.parametrize("part", ["test", "validation"])


def given(part: str, X: Any = None, y: Any = None) -> dict[str, Any]:
    return {f"X_{part}": X, f"y_{part}": y}


@PARTS
@pytest.mark.parametrize(
    ("X_part", "y_part", "words"),
    [
        (X, None, "y_PART must come with X_PART"),
        (None, LABELS, "X_PART must come with y_PART"),
        (X, LABELS[:4], "y_PART must have one entry per row of X_PART"),
        (X[:, :1], LABELS, "X_PART must have as many features as X, 2, got 1"),
        (X[:0], LABELS[:0], "X_PART must have at least one row"),
        (X, LABELS.astype(str), "y_PART must hold labels of the type in y"),
        (X, np.eye(6, dtype=int), "y_PART must hold one label per row"),
        (np.full((6, 2), np.nan), LABELS, "X_PART must be finite"),
        (X, LABELS + 0.5, "y_PART must hold labels"),
    ],
)
def test_bad_parts_are_refused(part: str, X_part: Any, y_part: Any, words: str) -> None:
    assert words.replace("PART", part) in refusal(**given(part, X_part, y_part))


@PARTS
def test_targets_of_parts_are_like_those_of_training(part: str) -> None:
    message = refusal(y=SEVERAL, **given(part, X, SEVERAL + 1))
    assert f"y_{part} must hold only 0 and 1" in message
    assert "as many outputs" in refusal(y=SEVERAL, **given(part, X, np.ones((6, 3), int)))
    assert "as many outputs" in refusal(y=X, **given(part, X, X[:, 0]))


def test_a_dataset_holds_both_parts() -> None:
    data = dataset(**given("test", X[:2], [9, 3]), **given("validation", X[:3], [3, 3, 11]))
    assert data.has_official_split and data.has_validation_part
    assert data.classes is not None and data.classes.tolist() == [3, 5, 7, 9, 11]
    assert [len(y) for y in data.all_targets] == [6, 2, 3]
    assert not dataset().has_validation_part


def test_keep_classes_selects_rows_of_every_part() -> None:
    data = dataset(**given("test", X[:4], LABELS[:4]), **given("validation", X[::-1], LABELS[::-1]))
    kept = data.keep_classes([3, 7])
    np.testing.assert_array_equal(kept.X_validation, X[[5, 3, 2, 0]])
    np.testing.assert_array_equal(kept.y_validation, [7, 7, 3, 3])
    np.testing.assert_array_equal(kept.y_test, [3, 3, 7])
    with pytest.raises(DataError, match="classes must leave rows in y_validation, got 5, 7"):
        dataset(**given("validation", X[:1], [3])).keep_classes([5, 7])


@PARTS
def test_targets_of_several_columns_of_0_and_1_are_labels_also_as_floats(part: str) -> None:
    data = dataset(y=SEVERAL.astype(float), **given(part, X, SEVERAL.astype(np.float32)))
    assert data.task == "multilabel"
    for y in data.all_targets:
        assert y.dtype == np.uint8
        np.testing.assert_array_equal(y, SEVERAL)
    numbers = dataset(y=SEVERAL.astype(float), task="regression")
    assert (numbers.task, numbers.y.dtype) == ("regression", np.float64)
    assert dataset(y=SEVERAL + 0.5).task == "regression"


ONE_HOT = np.eye(3)[[0, 1, 0, 2, 1, 2]]


@pytest.mark.parametrize("dtype", [float, np.float32, np.float16, int, np.uint8, bool, object])
def test_one_hot_targets_need_a_choice_whatever_their_dtype(dtype: Any) -> None:
    y = ONE_HOT.astype(dtype)
    message = refusal(y=y)
    assert "y must not be one-hot" in message
    for remedy in ("argmax", "task='classification'", "--task classification", "'multilabel'"):
        assert remedy in message
    data = dataset(y=y, task="classification", X_test=X, y_test=y[::-1])
    assert data.classes is not None and data.classes.tolist() == [0, 1, 2]
    assert data.y.tolist() == [0, 1, 0, 2, 1, 2]
    assert data.y_test is not None and data.y_test.tolist() == [2, 1, 2, 0, 1, 0]
    assert dataset(y=y, task="multilabel").task == "multilabel"


def test_one_hot_parts_need_as_many_columns() -> None:
    part = given("test", X, np.eye(6))
    assert "y_test must hold one label" in refusal(y=ONE_HOT, task="classification", **part)
    assert dataset(y=ONE_HOT, task="regression").task == "regression"


@pytest.mark.parametrize("name", ["X", "y", "X_test", "y_test", "X_validation", "y_validation"])
def test_masked_entries_are_refused_and_named(name: str) -> None:
    arrays = {"X": X, "y": LABELS, **given("test", X, LABELS), **given("validation", X, LABELS)}
    whole = np.ma.masked_array(arrays[name], mask=False)
    data = dataset(**{**arrays, name: whole})
    assert type(getattr(data, name)) is np.ndarray
    assert np.shares_memory(getattr(data, name), arrays[name])
    masked = np.ma.masked_array(arrays[name], mask=np.zeros(arrays[name].shape))
    masked[2] = np.ma.masked
    message = refusal(**{**arrays, name: masked})
    assert f"{name} must have no masked values, got {masked.mask.sum()}" in message
    assert f"{name}.filled(" in message
    assert "masked values" in refusal(**{**arrays, name: list(masked)})


@pytest.mark.parametrize("dtype", [np.uint8, float])
@pytest.mark.parametrize("shape", [(6, 3, 4), (6, 3, 4, 1), (6, 1, 3, 4)])
def test_grey_images_become_rows(shape: tuple[int, ...], dtype: Any) -> None:
    images = np.arange(72).reshape(shape).astype(dtype)
    data = dataset(images, **given("test", images[:2], LABELS[:2]))
    np.testing.assert_array_equal(data.X, images.reshape(6, 12))
    np.testing.assert_array_equal(data.X_test, images.reshape(6, 12)[:2])
    assert data.image_shape == (3, 4)
    assert data.feature_range == ((0, 255) if dtype == np.uint8 else None)
    assert np.shares_memory(data.X, images)
    assert dataset(images, feature_range=(0, 99)).feature_range == (0, 99)


@pytest.mark.parametrize("channels", [3, 4])
def test_coloured_images_become_the_same_rows_wherever_their_channels_stand(channels: int) -> None:
    images = np.arange(6 * 5 * 7 * channels).reshape(6, 5, 7, channels)
    for given_images in (images, images.transpose(0, 3, 1, 2)):
        data = dataset(given_images)
        np.testing.assert_array_equal(data.X, images.reshape(6, -1))
        assert data.image_shape == (5, 7, channels)


@pytest.mark.parametrize("channels", [2, 17])
def test_images_of_other_numbers_of_channels_need_their_shape(channels: int) -> None:
    images = np.arange(6 * 5 * 7 * channels, dtype=np.uint8).reshape(6, 5, 7, channels)
    parts = given("test", images[:2], LABELS[:2])
    data = dataset(images, image_shape=(5, 7, channels), **parts)
    np.testing.assert_array_equal(data.X, images.reshape(6, -1))
    assert data.X_test is not None and data.X_test.shape == (2, 35 * channels)
    assert (data.image_shape, data.feature_range) == ((5, 7, channels), (0, 255))
    assert f"image_shape=(5, 7, {channels})" in refusal(images)
    rows = dataset(images.reshape(6, -1), image_shape=[5, 7, channels])
    assert rows.image_shape == (5, 7, channels)


@pytest.mark.parametrize("shape", [(2,), (1, 2, 1, 1), (-1, -2), (1.0, 2), ("a", 2), 2])
def test_an_image_shape_has_two_or_three_sizes(shape: Any) -> None:
    assert "image_shape must be (height, width) or (height, width, channels)" in refusal(
        image_shape=shape
    )


@PARTS
def test_images_of_parts_have_the_shape_of_the_training_images(part: str) -> None:
    images = np.zeros((6, 3, 4))
    message = refusal(images, **given(part, np.zeros((6, 4, 3)), LABELS))
    assert f"X_{part} must hold images of the shape in X" in message
    rows = dataset(images, **given(part, np.zeros((6, 12)), LABELS))
    assert getattr(rows, f"X_{part}").shape == (6, 12)


def test_target_names_are_checked() -> None:
    assert dataset(target_names=["price"]).target_names == ("price",)
    assert dataset(y=X, target_names=("a", "b")).target_names == ("a", "b")
    assert dataset().target_names is None
    for names in (("a",), ("a", "a"), ()):
        assert "target_names must be 2 different names" in refusal(y=X, target_names=names)


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (dataset(name="some"), "'some', 6 x 2 float64, classification, 3 classes: 3, 5, 7"),
        (dataset(y=X[:, 0]), "'custom', 6 x 2 float64, regression, 1 target"),
        (
            dataset(y=X, target_names=("u", "v")),
            "'custom', 6 x 2 float64, regression, 2 targets: u, v",
        ),
        (dataset(y=SEVERAL), "'custom', 6 x 2 float64, multilabel, 2 labels"),
        (
            dataset(X.astype(np.uint8), X_test=X[:2], y_test=[9, 3]),
            "'custom', 6 x 2 uint8, classification, 4 classes: 3, 5, 7, 9, 2 test rows",
        ),
        (
            dataset(**given("validation", X[:1], [3]), name="a\nb"),
            "'a\\nb', 6 x 2 float64, classification, 3 classes: 3, 5, 7, 1 validation rows",
        ),
        (
            dataset(scipy.sparse.eye_array(6, 10), name="s"),
            "'s', 6 x 10 float64 sparse (0.1 not zero), classification, 3 classes: 3, 5, 7",
        ),
        (
            dataset(np.zeros((50, 2)), np.arange(50)),
            "'custom', 50 x 2 float64, classification, 50 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, "
            "... (50 in all)",
        ),
    ],
)
def test_repr_is_one_line_of_facts(data: Dataset, facts: str) -> None:
    assert repr(data) == f"<Dataset {facts}>"


def test_long_labels_with_line_ends_stay_on_one_short_line() -> None:
    text = repr(dataset(y=["a\nb" * 1000, "c", "c", "a", "a", "c"]))
    assert "\n" not in text and len(text) < 120


def test_facts_about_features_are_checked() -> None:
    assert "feature_range" in refusal(feature_range=(1, 1))
    assert "feature_range" in refusal(feature_range=(0, np.inf))
    assert "image_shape" in refusal(image_shape=(2, 2))
    data = dataset(feature_range=(0, 255), image_shape=(1, 2))
    assert (data.feature_range, data.image_shape) == ((0, 255), (1, 2))


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c"), ("a", "a"), ()])
def test_feature_names_are_checked(names: tuple[str, ...]) -> None:
    assert "feature_names must be 2 different names" in refusal(feature_names=names)
    bad = np.full((6, 2), np.nan)
    assert "X must be finite" in refusal(bad, feature_names=names)


def test_feature_names_are_kept() -> None:
    assert dataset(feature_names=["a", "b"]).feature_names == ("a", "b")
    assert dataset().feature_names is None


def test_classes_join_training_and_test_labels() -> None:
    data = dataset(X_test=X[:2], y_test=[9, 3])
    assert data.classes is not None
    assert data.classes.tolist() == [3, 5, 7, 9]


@pytest.mark.parametrize("labels", [[3, 7], ["7", "3"], "3,7", "3, 7", np.array([7, 3, 3]), {3, 7}])
def test_keep_classes_selects_rows_in_order(labels: Any) -> None:
    data = dataset(
        X_test=X[:4], y_test=LABELS[:4], name="some", feature_range=(0, 12), image_shape=(2, 1)
    )
    kept = data.keep_classes(labels)
    np.testing.assert_array_equal(kept.X, X[[0, 2, 3, 5]])
    np.testing.assert_array_equal(kept.y, [3, 3, 7, 7])
    np.testing.assert_array_equal(kept.X_test, X[[0, 2, 3]])
    np.testing.assert_array_equal(kept.y_test, [3, 3, 7])
    assert kept.classes is not None and kept.classes.tolist() == [3, 7]
    assert (kept.name, kept.feature_range, kept.image_shape) == ("some", (0, 12), (2, 1))
    assert data.classes is not None and data.classes.tolist() == [3, 5, 7]


def test_keep_classes_works_on_strings_and_booleans() -> None:
    words = dataset(y=["cat", "dog", "cat", "eel", "dog", "eel"]).keep_classes(["eel", "cat"])
    assert words.y.tolist() == ["cat", "cat", "eel", "eel"]
    flags = dataset(y=LABELS > 4).keep_classes([True, "False"])
    assert len(flags.y) == 6


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([3, 11, "x"], "got '11', 'x'; known: 3, 5, 7"),
        ([3], "at least two labels, got 3; choose from: 3, 5, 7"),
        ([3, "3"], "at least two labels, got 3"),
        ([], "at least two labels, got none"),
        ([3.0, 5.0], "got '3.0', '5.0'"),
    ],
)
def test_keep_classes_refuses(labels: list[object], words: str) -> None:
    with pytest.raises(DataError) as caught:
        dataset().keep_classes(labels)
    assert words in str(caught.value)


def test_keep_classes_refuses_to_empty_a_part() -> None:
    data = dataset(X_test=X[:2], y_test=[1, 2])
    with pytest.raises(DataError, match="rows in y_test, got 5, 7"):
        data.keep_classes([5, 7])
    with pytest.raises(DataError, match="rows in y, got 1, 2"):
        data.keep_classes([1, 2])


def test_keep_classes_lists_no_more_than_a_few_of_many_labels() -> None:
    many = dataset(np.zeros((500, 1)), np.arange(500))
    with pytest.raises(DataError, match=r"8, 9, \.\.\. \(500 in all\)$"):
        many.keep_classes([-1])


def test_keep_classes_refuses_regression() -> None:
    with pytest.raises(DataError, match="regression"):
        dataset(y=X[:, 0]).keep_classes([0, 2])


# --- sparse features ---

ROWS = np.array([[0.0, 3, 0], [1, 0, 0], [0, 0, 0], [0, 5, 6]])
ROW_LABELS = np.array([0, 1, 2, 1])


def sparse(value: Any = ROWS) -> Any:
    return scipy.sparse.csr_array(value)


def test_sparse_features_are_kept_without_a_copy() -> None:
    X = sparse()
    data = Dataset(X, ROW_LABELS, sparse(), ROW_LABELS)
    assert np.shares_memory(data.X.data, X.data)
    assert (data.n_features, data.X.shape, data.X_test.shape) == (3, (4, 3), (4, 3))


def test_keep_classes_selects_sparse_rows() -> None:
    kept = Dataset(sparse(), ROW_LABELS, sparse(ROWS[::-1]), ROW_LABELS[::-1]).keep_classes([0, 1])
    np.testing.assert_array_equal(kept.X.toarray(), ROWS[[0, 1, 3]])
    np.testing.assert_array_equal(kept.X_test.toarray(), ROWS[[3, 1, 0]])
    assert kept.y.tolist() == [0, 1, 1]


def test_the_test_part_becomes_what_the_features_are() -> None:
    for X, X_test in ((sparse(), ROWS), (ROWS, sparse()), (sparse(), ROWS.tolist())):
        data = Dataset(X, ROW_LABELS, X_test, ROW_LABELS)
        assert type(data.X_test) is type(data.X)
        found = data.X_test.toarray() if X is not ROWS else data.X_test
        np.testing.assert_array_equal(found, ROWS)
    wide = scipy.sparse.csr_array((2**20, 2**10))
    with pytest.raises(DataError, match=r"X_test must have .*a dense X needs.*pass X as a sparse"):
        Dataset(np.zeros((2, 2**10)), [0, 1], wide, np.zeros(2**20, int))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (sparse(ROWS + 1j), "X must hold real numbers, got dtype complex128; convert numbers"),
        (scipy.sparse.coo_array(ROWS[0]), r"X must be 2-D \(rows, features\), got shape \(3,\)"),
        (scipy.sparse.csr_array((0, 3)), "at least one row and one feature, got shape"),
        (scipy.sparse.csr_array((4, 0)), "at least one row and one feature, got shape"),
        (sparse(ROWS[:3]), "y must have one entry per row of X, 3, got 4; select the same rows"),
    ],
    ids=str,
)
def test_bad_sparse_features_are_refused(value: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Dataset(value, ROW_LABELS)


def test_a_sparse_test_part_needs_as_many_features() -> None:
    with pytest.raises(DataError, match="X_test must have as many features as X, 3, got 2"):
        Dataset(sparse(), ROW_LABELS, sparse(ROWS[:, :2]), ROW_LABELS)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_nan_in_sparse_features_is_counted_and_located(form: str) -> None:
    bad = ROWS.copy()
    bad[3, 1], bad[3, 2] = np.nan, -np.inf
    value = getattr(scipy.sparse, f"{form}_array")(bad)
    with pytest.raises(DataError, match=r"got 2 NaN .*first \(nan\) in row 3, column 1 counting"):
        Dataset(value, ROW_LABELS)
    with pytest.raises(DataError, match=r"in row 3, column 'b' counting"):
        Dataset(value, ROW_LABELS, feature_names=("a", "b", "c"))


def _polars(table: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("polars").DataFrame(table)


def _pandas(table: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("pandas").DataFrame(table)


def _arrow(table: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("pyarrow").table(table)


@pytest.mark.parametrize("frame", [_pandas, _polars, _arrow])
@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize(
    ("task", "values"),
    [
        ("regression", {"u": [0.5, 1.5], "v": [2.5, 3.5]}),
        ("multilabel", {"u": [1, 1], "v": [0, 1]}),
        ("classification", {"u": [1, 0], "v": [0, 1]}),
    ],
)
def test_target_columns_of_frames_are_found_by_name(
    task: str, values: dict[str, list[Any]], part: str, frame: Any
) -> None:
    X = [[1.0, 2.0], [3.0, 5.0]]
    swapped = {"v": values["v"], "u": values["u"]}
    rows: dict[str, Any] = {f"X_{part}": X, f"y_{part}": frame(swapped)}
    data = Dataset(np.array(X), frame(values), task=task, **rows)
    np.testing.assert_array_equal(getattr(data, f"y_{part}"), data.y)
    rows[f"y_{part}"] = frame({"w": values["u"], "u": values["u"]})
    with pytest.raises(DataError, match=f"y_{part} must have every column .* got none for 'v'"):
        Dataset(np.array(X), frame(values), task=task, **rows)
    # Without names positions count.
    rows[f"y_{part}"] = np.transpose(list(values.values()))
    data = Dataset(np.array(X), frame(values), task=task, **rows)
    np.testing.assert_array_equal(getattr(data, f"y_{part}"), data.y)


def test_second_target_column_is_reported_when_dataset_is_made() -> None:
    frame = _pandas({"u": [0.5, 1.5], "v": [2.5, 3.5]})
    with pytest.warns(UserWarning, match="y_test: left out 'w'") as caught:
        data = Dataset(X[:2], frame, X[:2], frame.assign(w=0.0)[["w", "v", "u"]])
    np.testing.assert_array_equal(data.y_test, frame)
    assert caught[0].filename == __file__
