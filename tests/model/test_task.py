"""What outputs mean: targets from labels, and labels from outputs."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.base.errors import DataError
from fastmlp.kernels.rules import codes
from fastmlp.model.task import Task
from fastmlp.ops.scalers import SCALERS, Scaling
from harness import DTYPES

TEXTS = np.array(["cat", "dog", "eel"])
NUMBERS = np.array([3, 5, 7])
MULTICLASS = [Task("multiclass", 3, TEXTS), Task("multiclass", 3, NUMBERS)]
BINARY = [Task("binary", 1, TEXTS[:2]), Task("binary", 1, np.array([False, True]))]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.mark.parametrize(
    ("kind", "code", "has_accuracy"),
    [
        ("multiclass", codes.MULTICLASS, True),
        ("binary", codes.BINARY, True),
        ("regression", codes.REGRESSION, False),
        ("multilabel", codes.BINARY, True),
    ],
)
def test_each_kind_has_its_code(kind: str, code: int, has_accuracy: bool) -> None:
    task = Task(kind, 2)
    assert (task.code, task.has_accuracy) == (code, has_accuracy)


@each_dtype
@pytest.mark.parametrize("task", MULTICLASS)
def test_classes_become_numbers_and_numbers_classes(task: Task, dtype: str) -> None:
    assert task.classes is not None
    order = np.array([2, 0, 1, 1])
    labels, targets = task.encode(task.classes[order], np.dtype(dtype))
    assert labels.dtype == np.int32 and labels.tolist() == order.tolist()
    assert targets.shape == (0, 3) and targets.dtype == dtype
    outputs = np.eye(3, dtype=dtype)[labels]
    np.testing.assert_array_equal(task.decode(outputs), task.classes[order])


@each_dtype
@pytest.mark.parametrize("task", BINARY)
def test_the_second_of_two_classes_is_the_positive_one(task: Task, dtype: str) -> None:
    assert task.classes is not None
    labels, targets = task.encode(task.classes[[1, 0, 1]], np.dtype(dtype))
    assert labels.size == 0 and labels.dtype == np.int32
    assert targets.dtype == dtype and targets.tolist() == [[1], [0], [1]]
    np.testing.assert_array_equal(task.decode(targets), task.classes[[1, 0, 1]])


@each_dtype
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_target_of_a_regression_is_a_column(shape: tuple[int, ...], dtype: str) -> None:
    y = np.arange(4.0).reshape(shape)
    labels, targets = Task("regression", 1).encode(y, np.dtype(dtype))
    assert labels.size == 0
    assert targets.dtype == dtype and targets.tolist() == [[0], [1], [2], [3]]
    assert Task("regression", 1).decode(targets).tolist() == [0, 1, 2, 3]


def test_several_targets_of_a_regression_stay_columns() -> None:
    y, task = np.asfortranarray(np.arange(6.0).reshape(3, 2)), Task("regression", 2)
    _, targets = task.encode(y, np.dtype("float32"))
    assert targets.flags.c_contiguous
    np.testing.assert_array_equal(targets, y)
    np.testing.assert_array_equal(task.decode(targets), y)


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_a_binary_output_is_positive_from_the_threshold_on(threshold: float) -> None:
    task = Task("binary", 1, NUMBERS[:2], threshold)
    outputs = np.array([[threshold - 0.01], [threshold], [threshold + 0.01]])
    assert task.decode(outputs).tolist() == [3, 5, 5]


def test_the_first_of_equal_outputs_wins() -> None:
    assert MULTICLASS[1].decode(np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])).tolist() == [3, 5]


@pytest.mark.parametrize("unknown", [2, 4, 8])
@pytest.mark.parametrize("classes", [NUMBERS, NUMBERS[:2]], ids=["multiclass", "binary"])
def test_a_label_not_known_from_training_is_refused(unknown: int, classes: np.ndarray) -> None:
    kind = "binary" if len(classes) == 2 else "multiclass"
    task = Task(kind, 1 if kind == "binary" else 3, classes)
    with pytest.raises(DataError, match=f"known from training .3, 5.*got .*{unknown}"):
        task.encode(np.array([3, unknown, 5]), np.dtype("float32"))


def test_a_refusal_shows_only_the_first_of_many_labels() -> None:
    task = Task("multiclass", 50, np.arange(50))
    with pytest.raises(DataError, match=r"\(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \.\.\. \(50 in all\)\)"):
        task.encode(np.array([50]), np.dtype("float32"))


@each_dtype
@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool])
def test_several_labels_are_columns_of_targets(kind: type, dtype: str) -> None:
    y, task = np.array([[1, 0, 1], [0, 0, 0]], kind), Task("multilabel", 3)
    labels, targets = task.encode(y, np.dtype(dtype))
    assert labels.size == 0
    assert targets.dtype == dtype and targets.tolist() == [[1, 0, 1], [0, 0, 0]]
    decoded = task.decode(targets)
    assert decoded.dtype == np.int64 and decoded.tolist() == y.tolist()


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_every_label_is_there_from_the_threshold_on(threshold: float) -> None:
    outputs = np.array([[threshold, threshold - 0.01, threshold + 0.01]])
    assert Task("multilabel", 3, None, threshold).decode(outputs).tolist() == [[1, 0, 1]]


def test_a_single_label_stays_a_column() -> None:
    assert Task("multilabel", 1).decode(np.array([[0.2], [0.7]])).tolist() == [[0], [1]]


@each_dtype
@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 2)])
@pytest.mark.parametrize("scale", ["none", "minmax", "standard", "standard_global"])
def test_scaled_targets_come_back_in_their_units(
    scale: str, shape: tuple[int, ...], dtype: str
) -> None:
    y = 1000 + 50 * np.random.default_rng(0).normal(size=shape)
    columns = y.reshape(5, -1)
    scaling = SCALERS.parse(scale).fit(columns, None)
    task = Task("regression", columns.shape[1], target_scaling=scaling)
    _, targets = task.encode(y, np.dtype(dtype))
    assert targets.dtype == dtype and targets.shape == columns.shape
    np.testing.assert_allclose(
        targets, (columns - scaling.offset) * scaling.factor, rtol=1e-5, atol=1e-6
    )
    decoded = task.decode(targets)
    assert decoded.dtype == dtype
    expected = y if columns.shape[1] > 1 else y.reshape(5)
    np.testing.assert_allclose(decoded, expected, rtol={"float32": 1e-6, "float64": 1e-14}[dtype])


def test_outputs_are_left_as_they_were_when_they_are_unscaled() -> None:
    scaling = Scaling("standard", np.array([5.0]), np.array([0.5]))
    outputs = np.array([[1.0], [2.0]])
    decoded = Task("regression", 1, target_scaling=scaling).decode(outputs)
    assert decoded.tolist() == [7, 9]
    assert outputs.tolist() == [[1], [2]]
