from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from fastmlp import ConfigError, DataError, Dataset, TrainConfig, fit
from fastmlp.kernels.buffers import QUARTERS
from fastmlp.model.task import Task
from fastmlp.ops.scalers import SCALERS
from fastmlp.training.prepare import Prepared, prepare
from fastmlp.training.resolve import resolve
from harness import features
from toys import blobs, lines, noise


def prepared(dataset: Dataset, **settings: Any) -> Prepared:
    found = resolve(TrainConfig(**settings), dataset)
    return prepare(dataset, found.config, found.task)


def test_the_parts_have_their_sizes() -> None:
    parts = prepared(blobs(100), split="70-30", validation=10)
    assert parts.validation is not None and parts.test is not None
    assert [len(part.X) for part in (parts.train, parts.validation, parts.test)] == [60, 10, 30]


def test_parts_that_are_not_asked_for_are_none() -> None:
    parts = prepared(blobs(), split="none", validation=0)
    assert (parts.validation, parts.test) == (None, None)
    assert len(parts.train.X) == 120


@pytest.mark.parametrize("scale", ["minmax", "standard", "standard_global", "robust"])
def test_scaling_is_fitted_only_on_training_part(scale: str) -> None:
    inner = np.array([[0.0, 5], [1, 6], [2, 7], [3, 9]])
    y = np.array([0, 1, 0, 1])
    outer = Dataset(inner, y, X_test=100 * inner, y_test=y)
    parts = prepared(outer, split="official", validation=0, scale=scale, dtype="float64")
    fitted = SCALERS.parse(scale).fit(inner, None)
    np.testing.assert_array_equal(parts.scaling.offset, fitted.offset)
    np.testing.assert_array_equal(parts.scaling.factor, fitted.factor)
    np.testing.assert_array_equal(features(parts.train), fitted.apply(inner, np.dtype(float)))
    assert parts.test is not None
    np.testing.assert_array_equal(features(parts.test), fitted.apply(100 * inner, np.dtype(float)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_robust_scaling_of_sparse_and_dense_rows_predicts_alike(dtype: str) -> None:
    rng = np.random.default_rng(0)
    X = (rng.integers(0, 200, (300, 80)) * (rng.random((300, 80)) < 0.2)).astype(dtype)
    y = (X[:, 0] > X[:, 1]).astype(int)
    config = TrainConfig(scale="robust", epochs=2)
    fitted = [fit(config, Dataset(kind(X), y)).predictor for kind in (np.asarray, csr_array)]
    expected = fitted[0].predict_proba(X)
    for predictor, rows in [(fitted[0], csr_array(X)), (fitted[1], X), (fitted[1], csr_array(X))]:
        np.testing.assert_array_equal(predictor.predict_proba(rows), expected)


def test_the_validation_part_is_scaled_like_the_training_part() -> None:
    dataset = noise()
    parts = prepared(dataset, split="none", validation=20, scale="standard", dtype="float64")
    assert parts.validation is not None
    np.testing.assert_allclose(features(parts.train).mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(features(parts.train).std(axis=0), 1, rtol=1e-12)
    unscaled = features(parts.validation) / parts.scaling.factor + parts.scaling.offset
    nearest = np.abs(unscaled[:, None] - dataset.X).max(axis=2).min(axis=1)
    np.testing.assert_allclose(nearest, 0, atol=1e-12)


@pytest.mark.parametrize("scale", ["maxabs", "standard"])
def test_parts_may_be_of_other_types_than_bytes(scale: str) -> None:
    rng = np.random.default_rng(0)
    X = (rng.integers(1, 256, (60, 80)) * (rng.random((60, 80)) < 0.2)).astype(np.uint8)
    y = np.arange(60) % 2
    dense = Dataset(X, y, X_test=X.astype(np.float32), y_test=y)
    parts = prepared(dense, split="official", validation=0, scale=scale, dtype="float64")
    assert parts.test is not None
    np.testing.assert_allclose(features(parts.test), features(parts.train), atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("float32", 0.5),  # the lists and what belongs to rows, and some rows at a time
        ("uint8", 1.5),  # the rows of each part once
    ],
)
def test_rows_with_zeros_are_prepared_in_little_memory(kind: str, most: float) -> None:
    X = np.zeros((5000, 400), kind)
    X[:, :2] = np.arange(len(X))[:, None] % 250 + 1
    dataset = Dataset(X, np.arange(len(X)) % 2, feature_range=(0, 255))
    prepared(dataset)  # everything is compiled and imported
    tracemalloc.start()
    try:
        parts = prepared(dataset)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if kind == "uint8":
        rows = parts.train.sparse.X
        assert rows.shape == (len(parts.train.X), 400)
        assert (rows[:, 0] == rows[:, 1]).all() and rows[:, 0].all() and not rows[:, 2:].any()
    else:
        np.testing.assert_array_equal(np.diff(parts.train.sparse.starts[:-1:QUARTERS]), 2)
    assert peak < most * X.nbytes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_are_as_kernels_take_them(dtype: str) -> None:
    for dataset in (blobs(), blobs(n_classes=2), lines(), lines(n_outputs=2)):
        parts = prepared(dataset, dtype=dtype)
        for part in (parts.train, parts.validation, parts.test):
            assert part is not None
            assert part.X.dtype == np.uint8 and part.targets.dtype == dtype
            assert features(part).shape == (len(part.X), parts.n_features)
            assert (part.labels.dtype, part.order.dtype) == (np.int32, np.int64)
            assert part.X.flags.c_contiguous and part.targets.flags.c_contiguous
            assert sorted((len(part.labels), len(part.targets))) == [0, len(part.X)]
            np.testing.assert_array_equal(part.order, np.arange(len(part.X)))


def test_rows_keep_their_targets() -> None:
    X = np.arange(40.0)[:, None]
    dataset = Dataset(X, X[:, 0] * 2)
    parts = prepared(dataset, scale="none", target_scale="none", dtype="float64")
    for part in (parts.train, parts.validation, parts.test):
        assert part is not None
        np.testing.assert_array_equal(part.targets, features(part) * 2)


def test_text_labels_become_numbers() -> None:
    task = Task("multiclass", 3, np.array(["cat", "dog", "eel"]))
    y = np.array(["eel", "cat", "dog", "cat"])
    labels, _ = task.encode(y, np.dtype("float32"))
    assert labels.tolist() == [2, 0, 1, 0]


def test_binary_labels_become_a_column_of_targets() -> None:
    task = Task("binary", 1, np.array([4, 9]))
    _, targets = task.encode(np.array([9, 4, 9]), np.dtype("float32"))
    assert targets.tolist() == [[1], [0], [1]]


@pytest.mark.parametrize("label", [-1, 5, 10])
def test_an_unknown_label_is_refused(label: int) -> None:
    task = Task("binary", 1, np.array([4, 9]))
    with pytest.raises(DataError, match=rf"labels known from training \(4, 9\), got .*{label}"):
        task.encode(np.array([4, label]), np.dtype("float32"))


def test_single_class_is_refused() -> None:
    with pytest.raises(DataError, match="at least two classes"):
        prepared(Dataset(np.zeros((5, 2)), np.zeros(5, int)))


def test_too_few_rows_for_a_validation_set_are_refused() -> None:
    two = Dataset(np.zeros((2, 1)), np.array([0.0, 1.0]))
    with pytest.raises(ConfigError, match=r"validation must be 0 .*got 0.1; use more rows, or"):
        prepared(two)
    assert prepared(two, validation=0).validation is None


def test_features_beyond_the_dtype_are_refused() -> None:
    X = np.array([[1e300, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
    dataset = Dataset(X, np.arange(4.0))
    with pytest.raises(DataError, match="range of float32"):
        prepared(dataset, scale="none", split="none", validation=0)
    prepared(dataset, scale="none", split="none", validation=0, dtype="float64")
