"""Temperature scaling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastmlp import ConfigError, Dataset, Predictor, TrainConfig, fit
from fastmlp.training.calibration import best_temperature
from fastmlp.training.probability_metrics import calibration_error, reliability
from toys import blobs, lines, settings, tags


def overfitted(n_classes: int) -> tuple[Dataset, TrainConfig]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 10))
    y = ((X[:, 0] + rng.normal(0, 1.5, 400)) > 0).astype(int) + (n_classes > 2) * (X[:, 1] > 1)
    config = settings(
        hidden_layer_sizes=(64,), epochs=60, learning_rate=0.3, validation=0.3, restore_best=False
    )
    return Dataset(X, y), config


@pytest.mark.parametrize("n_classes", [2, 3])
def test_temperature_lowers_the_validation_loss_and_changes_no_prediction(n_classes: int) -> None:
    data, config = overfitted(n_classes)
    raw, calibrated = fit(config, data), fit(config.replace(calibrate="temperature"), data)
    assert calibrated.metrics["temperature"] > 1.5
    assert calibrated.metrics["validation_loss"] < 0.8 * raw.metrics["validation_loss"]
    before, after = (found.metrics["sets"]["test"] for found in (raw, calibrated))
    assert after["ece"] < before["ece"] and after["log_loss"] < before["log_loss"]
    np.testing.assert_array_equal(
        raw.predictor.predict(data.X), calibrated.predictor.predict(data.X)
    )
    assert calibrated.history.rows == raw.history.rows


def test_saved_model_is_calibrated(tmp_path: Path) -> None:
    data, config = overfitted(2)
    predictor = fit(config.replace(calibrate="temperature", epochs=3), data).predictor
    predictor.save(tmp_path / "model.safetensors")
    loaded = Predictor.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(data.X), predictor.predict_proba(data.X))


def test_best_temperature_undoes_a_scaling_of_logits() -> None:
    rng = np.random.default_rng(1)
    Z = rng.normal(0, 1.5, (20000, 4))
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    labels = (P.cumsum(axis=1) > rng.random((20000, 1))).argmax(axis=1)
    sharp = np.exp(3 * Z) / np.exp(3 * Z).sum(axis=1, keepdims=True)
    assert best_temperature(sharp, labels, np.empty((0, 4))) == pytest.approx(3, rel=0.05)
    p = 1 / (1 + np.exp(-Z[:, :1]))
    y = (p > rng.random((20000, 1))).astype(float)
    p = 1 / (1 + np.exp(-Z[:, :1] / 2))
    assert best_temperature(p, np.empty(0, int), y) == pytest.approx(0.5, rel=0.05)


def test_labels_are_calibrated_together() -> None:
    result = fit(settings(epochs=2, calibrate="temperature"), tags())
    assert result.metrics["temperature"] > 0


@pytest.mark.parametrize(
    ("data", "changes", "message"),
    [
        (lines(), {}, "calibrate applies to probabilities"),
        (blobs(), {"loss": "squared_error", "output_activation": "identity"}, "calibrate applies"),
        (blobs(), {"validation": 0}, "calibrate temperature needs a validation set"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(data: Dataset, changes: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fit(settings(calibrate="temperature", **changes), data)


def test_calibration_error_by_hand() -> None:
    P = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.36, 0.64]])
    y = np.array([0, 1, 1, 1])
    confidence, accuracy, rows = reliability(y, P, bins=10)
    assert rows.tolist() == [1, 1, 2] or rows.sum() == 4
    assert calibration_error(y, np.array([[0.9, 0.1]] * 4)) == pytest.approx(0.65)
    assert accuracy[-1] == 0.5 and confidence[-1] == pytest.approx(0.9)
