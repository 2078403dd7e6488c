from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp.reports.evaluation import RunEvaluation, evaluate_run
from toys import blobs, settings


def test_the_parts_are_those_of_training(evaluation: RunEvaluation) -> None:
    result = evaluation.result
    assert [part.name for part in evaluation.parts] == ["training", "validation", "test"]
    for part, name in zip(evaluation.parts, ("train", "validation", "test"), strict=True):
        assert part.metrics["rows"] == result.data[f"n_{name}"] == len(part.X)
    for part in evaluation.parts[1:]:
        assert part.metrics["loss"] == pytest.approx(result.metrics[f"{part.name}_loss"])
        if part.task.has_accuracy:
            wanted = result.metrics[f"{part.name}_accuracy"]
            assert part.metrics["accuracy"] == pytest.approx(wanted)


def test_training_is_judged_by_the_weights_that_were_kept(bars: RunEvaluation) -> None:
    part = bars.parts[0]
    accuracy = (bars.result.predictor.predict(part.X) == part.y).mean()
    assert part.metrics["accuracy"] == pytest.approx(accuracy)


def test_mistakes_are_the_most_confident_first(bars: RunEvaluation) -> None:
    part = bars.parts[0]
    rows = part.mistakes(1000)
    assert len(rows) == np.sum(part.predicted != part.y) > 3
    assert np.all(part.predicted[rows] != part.y[rows])
    assert np.all(np.diff(part.outputs.max(axis=1)[rows]) <= 0)
    np.testing.assert_array_equal(part.mistakes(2), rows[:2])


def test_confidence_in_the_first_of_two_classes() -> None:
    dataset = blobs(n_classes=2)
    result = fastmlp.fit(settings(threshold=0.9), dataset)
    part = evaluate_run(result, dataset).judged
    positive = part.outputs[:, 0]
    np.testing.assert_array_equal(
        part.confidence, np.where(part.predicted == 1, positive, 1 - positive)
    )


def test_without_test_part_the_validation_part_judges_and_classes_are_kept() -> None:
    dataset = blobs()
    result = fastmlp.fit(settings(split="none", classes=("0", "2")), dataset)
    evaluation = evaluate_run(result, dataset)
    assert evaluation.judged.name == "validation"
    assert set(evaluation.metrics()) == {"training", "validation"}
    assert set(np.unique(evaluation.parts[0].y)) == {0, 2}


def test_sparse_rows_are_evaluated_and_shown_as_images() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, (60, 12)) * (rng.random((60, 12)) < 0.4)
    dataset = fastmlp.Dataset(scipy.sparse.csr_array(X), np.arange(60) % 3, image_shape=(3, 4))
    evaluation = evaluate_run(fastmlp.fit(settings(split="none"), dataset), dataset)
    part = evaluation.parts[0]
    assert part.metrics["rows"] == 54
    images = evaluation.images(part, np.arange(5))
    np.testing.assert_array_equal(images.reshape(5, 12), part.X[:5].toarray())
