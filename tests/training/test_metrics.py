from __future__ import annotations

import json
import math

import numpy as np
import pytest

from fastmlp.model.task import Task
from fastmlp.training.metrics import (
    classification_metrics,
    confusions,
    multilabel_metrics,
    regression_metrics,
    task_metrics,
)
from fastmlp.training.probability_metrics import ranking_metrics

Y = np.array(["a", "a", "a", "b", "b", "c"])
PREDICTED = np.array(["a", "b", "b", "b", "a", "b"])
CLASSES = np.array(["a", "b", "c", "d"])


def test_a_classification_by_hand() -> None:
    metrics = classification_metrics(Y, PREDICTED, CLASSES)
    assert metrics["accuracy"] == pytest.approx(2 / 6)
    assert metrics["confusion_matrix"] == [[1, 2, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert metrics["confusions"] == ["a -> b: 2", "b -> a: 1", "c -> b: 1"]
    a, b, c, d = metrics["classes"]
    assert a == pytest.approx({"class": "a", "precision": 0.5, "recall": 1 / 3, "f1": 0.4,
                               "support": 3})  # fmt: skip
    assert (b["precision"], b["recall"], b["support"]) == (0.25, 0.5, 2)
    assert (c["precision"], c["f1"], d["recall"], d["support"]) == (0, 0, 0, 0)
    f1 = [entry["f1"] for entry in metrics["classes"]]
    assert metrics["macro"]["f1"] == pytest.approx(np.mean(f1[:3]))  # there is no d
    assert metrics["weighted"]["f1"] == pytest.approx((3 * f1[0] + 2 * f1[1]) / 6)
    assert metrics["weighted"]["support"] == 6


def test_names_of_classes_may_be_those_of_averages() -> None:
    names = np.array(["accuracy", "macro", "weighted"])
    metrics = classification_metrics(names, names, names)
    assert [entry["class"] for entry in metrics["classes"]] == names.tolist()
    assert metrics["confusions"] == []


def test_confusions_are_the_most_frequent_first_and_limited() -> None:
    matrix = np.array([[9, 1, 5], [7, 9, 0], [5, 2, 9]])
    assert confusions(matrix, ["4", "9", "x"], most=3) == ["9 -> 4: 7", "4 -> x: 5", "x -> 4: 5"]


def test_several_labels() -> None:
    y = np.array([[1, 0], [1, 1], [0, 0]])
    predicted = np.array([[1, 0], [0, 1], [0, 0]])
    metrics = multilabel_metrics(y, predicted)
    assert metrics["accuracy"] == pytest.approx(2 / 3)  # rows with all labels right
    assert [entry["recall"] for entry in metrics["classes"]] == [0.5, 1]
    assert metrics["confusion_matrix"] == [[[1, 0], [1, 1]], [[2, 0], [0, 1]]]


def test_single_label_is_a_label() -> None:
    y, predicted = np.array([[1], [1], [0]]), np.array([[1], [0], [0]])
    metrics = multilabel_metrics(y, predicted)
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    (label,) = metrics["classes"]
    assert (label["precision"], label["recall"], label["support"]) == (1, 0.5, 2)
    assert metrics["confusion_matrix"] == [[[1, 0], [1, 1]]]


def test_a_regression_by_hand() -> None:
    metrics = regression_metrics(np.array([0.0, 2, 4]), np.array([1.0, 2, 2]))
    assert metrics == pytest.approx({"mae": 1, "rmse": math.sqrt(5 / 3), "r2": 1 - 5 / 8})


@pytest.mark.parametrize(
    ("y", "predicted", "r2"), [([1.0], [2.0], None), ([3.0, 3.0], [3.0, 4.0], None),
                               ([[1.0, 2], [3, 2]], [[1.0, 2], [3, 2]], None)],
)  # fmt: skip
def test_r2_needs_targets_that_differ(y: list, predicted: list, r2: None) -> None:
    metrics = regression_metrics(np.array(y), np.array(predicted))
    assert metrics["r2"] is r2
    assert metrics["mae"] is not None


def test_predictions_that_are_not_finite_have_no_errors() -> None:
    metrics = regression_metrics(np.array([1.0, 2]), np.array([np.inf, 2]))
    assert set(metrics.values()) == {None}


def test_ranking() -> None:
    positive, score = np.array([False, True, False, True]), np.array([0.1, 0.4, 0.6, 0.8])
    metrics = ranking_metrics(positive, score)
    assert metrics["roc_auc"] == pytest.approx(0.75)
    assert metrics["average_precision"] == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize(
    ("positive", "score"),
    [([True, True], [0.1, 0.2]), ([False, False], [0.1, 0.2]), ([True, False], [0.1, np.nan])],
)
def test_a_ranking_needs_both_classes_and_numbers(positive: list, score: list) -> None:
    metrics = ranking_metrics(np.array(positive), np.array(score))
    assert set(metrics.values()) == {None}


def test_two_classes_are_judged_by_their_threshold_and_without() -> None:
    task = Task("binary", 1, np.array([3, 7]), threshold=0.9)
    outputs = np.array([[0.1], [0.95], [0.8]])
    metrics = task_metrics(task, np.array([3, 7, 7]), outputs)
    assert metrics["confusions"] == ["7 -> 3: 1"]
    assert metrics["roc_auc"] == 1
    json.dumps(metrics, allow_nan=False)  # plain numbers throughout


def test_each_of_several_outputs_has_its_errors() -> None:
    y = np.array([[0.0, 1000.0], [2, 3000], [4, 5000]])
    predicted = y + np.array([[1.0, 100], [0, 100], [-2, -400]])
    metrics = regression_metrics(y, predicted, ["size", "price"])
    assert metrics["mae"] == pytest.approx((1 + 200) / 2)
    size, price = metrics["outputs"]
    assert size == {"output": "size", **regression_metrics(y[:, 0], predicted[:, 0])}
    assert price == {"output": "price", **regression_metrics(y[:, 1], predicted[:, 1])}
    unnamed = regression_metrics(y, predicted)["outputs"]
    assert [entry["output"] for entry in unnamed] == ["0", "1"]
