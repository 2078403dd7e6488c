"""Several labels for a row, and two classes that no line parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp import Predictor, TrainConfig, fit
from fastmlp.data.split import parts
from toys import settings, spirals, tags


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.02, "label_smoothing": 0.05, "dtype": "float32"},
        {"mode": "stochastic", "learning_rate": 0.05},
        {"output_activation": "tanh", "loss": "huber", "learning_rate": 0.2},
    ],
    ids=str,
)
def test_several_labels_are_learned(changes: dict[str, Any]) -> None:
    dataset = tags(400)
    result = fit(settings(epochs=30).replace(**changes), dataset)
    assert result.metrics["test_accuracy"] > 0.8
    predicted = result.predictor.predict(dataset.X)
    assert predicted.shape == (400, 3)
    assert np.unique(predicted).tolist() == [0, 1]
    assert result.predictor.classes is None
    assert result.data["n_classes"] is None


def test_accuracy_counts_rows_of_which_every_label_is_right() -> None:
    dataset = tags(200)
    result = fit(settings(epochs=4), dataset)
    split = parts(dataset)
    right = result.predictor.predict(split.X_test) == split.y_test
    assert result.metrics["test_accuracy"] == right.all(axis=1).mean()
    assert result.metrics["test_accuracy"] < right.mean()


def test_probabilities_are_of_each_label() -> None:
    dataset = tags()
    predictor = fit(settings(), dataset).predictor
    probabilities = predictor.predict_proba(dataset.X)
    np.testing.assert_array_equal(probabilities, predictor.outputs(dataset.X))
    assert probabilities.shape == (120, 3)
    assert np.ptp(probabilities.sum(axis=1)) > 0.1


def test_the_loss_is_summed_over_labels() -> None:
    dataset = tags()
    result = fit(settings(), dataset)
    split = parts(dataset)
    p = result.predictor.predict_proba(split.X_test)
    loss = -np.where(split.y_test == 1, np.log(p), np.log1p(-p)).sum(axis=1).mean()
    assert result.metrics["test_loss"] == pytest.approx(loss, rel=1e-10)


def test_a_threshold_is_for_every_label() -> None:
    dataset = tags()
    shares = [
        float(fit(settings(threshold=t), dataset).predictor.predict(dataset.X).mean())
        for t in (0.01, 0.5, 0.99)
    ]
    assert shares[0] > 0.95 > shares[1] > 0.05 > shares[2]


def test_a_model_of_several_labels_is_saved(tmp_path: Any) -> None:
    dataset = tags()
    predictor = fit(settings(threshold=0.3), dataset).predictor
    predictor.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    assert (loaded.task.kind, loaded.task.threshold) == ("multilabel", 0.3)
    np.testing.assert_array_equal(loaded.predict(dataset.X), predictor.predict(dataset.X))


@pytest.mark.parametrize("seed", [0, 1])
def test_two_spirals_are_separated(seed: int) -> None:
    dataset = spirals(800, seed=seed)
    config = TrainConfig(
        hidden_layer_sizes=(32, 32), optimizer="adam", learning_rate=0.01, epochs=100,
        validation=0, schedule="cosine", seed=seed,
    )  # fmt: skip
    result = fit(config, dataset)
    assert result.metrics["test_accuracy"] == 1
    np.testing.assert_array_equal(result.predictor.predict(dataset.X), dataset.y)
    linear = fit(config.replace(hidden_layer_sizes=(), epochs=10), dataset)
    assert linear.metrics["test_accuracy"] < 0.7
