"""Regression: several outputs, scaled targets, and predictions in the original units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from fastmlp import Dataset, Predictor, fit
from fastmlp.data.split import parts
from fastmlp.training.fit import start
from toys import BARE, counts, friedman, lines, settings

SCALES = ("minmax", "standard", "standard_global")


def far_off(n_outputs: int | None = 2) -> Dataset:
    """Targets that no network reaches unscaled: about 1e5, thousands apart."""
    dataset = lines(100, n_outputs)
    return Dataset(dataset.X, 1e5 + 3e3 * dataset.y, name="far off")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_outputs", [None, 1, 2])
@pytest.mark.parametrize("scale", SCALES)
def test_predictions_are_in_the_original_units(
    scale: str, n_outputs: int | None, dtype: str
) -> None:
    dataset = far_off(n_outputs)
    config = settings(target_scale=scale, hidden_layer_sizes=(), epochs=60, dtype=dtype)
    result = fit(config, dataset)
    predicted = result.predictor.predict(dataset.X)
    assert predicted.shape == ((100, 2) if n_outputs == 2 else (100,))
    assert predicted.dtype == dtype
    np.testing.assert_allclose(predicted.ravel(), dataset.y.ravel(), atol=30)
    # The network itself stays with scaled numbers, and so do the losses.
    assert np.abs(result.predictor.outputs(dataset.X)).max() < 10
    assert 0 < result.metrics["test_loss"] < 1e-2


@pytest.mark.parametrize("scale", SCALES)
def test_the_scaling_is_fitted_on_the_training_part(scale: str) -> None:
    dataset = far_off()
    prepared = start(settings(target_scale=scale, scale="none"), dataset).prepared
    scaling = prepared.task.target_scaling
    assert scaling is not None and scaling.kind == scale
    split = parts(dataset)
    targets = prepared.train.targets
    np.testing.assert_allclose(targets / scaling.factor + scaling.offset, split.y_train)
    low, high, mean, std = targets.min(0), targets.max(0), targets.mean(), targets.std()
    if scale == "minmax":
        np.testing.assert_allclose([*low, *high], [0, 0, 1, 1], atol=1e-12)
    else:
        np.testing.assert_allclose([mean, std], [0, 1], atol=1e-12)
    assert prepared.test is not None and split.y_test is not None
    np.testing.assert_allclose(
        prepared.test.targets, (split.y_test - scaling.offset) * scaling.factor, rtol=1e-12
    )


def test_without_scaling_targets_stay_as_they_are() -> None:
    prepared = start(settings(**BARE, target_scale="none"), far_off()).prepared
    assert prepared.task.target_scaling is None
    np.testing.assert_array_equal(prepared.train.targets, far_off().y)


def test_a_constant_target_is_predicted_as_it_is() -> None:
    dataset = lines(40, 2)
    y = np.column_stack([dataset.y[:, 0], np.full(40, 7.0)])
    result = fit(settings(target_scale="standard"), Dataset(dataset.X, y))
    np.testing.assert_array_equal(result.predictor.predict(dataset.X)[:, 1], np.full(40, 7.0))


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_scaled_targets_are_saved_with_the_model(tmp_path: Path, n_outputs: int | None) -> None:
    dataset = far_off(n_outputs)
    predictor = fit(settings(target_scale="standard"), dataset).predictor
    predictor.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    expected = predictor.predict(dataset.X)
    assert expected.min() > 8e4
    np.testing.assert_array_equal(loaded.predict(dataset.X), expected)


@pytest.mark.parametrize("loss", ["squared_error", "mean_squared_error", "absolute_error", "huber"])
def test_every_loss_learns_scaled_lines(loss: str) -> None:
    config = settings(
        loss=loss, target_scale="standard", hidden_layer_sizes=(), optimizer="adam",
        learning_rate=0.05, epochs=60,
    )  # fmt: skip
    dataset = far_off()
    error = fit(config, dataset).predictor.predict(dataset.X) - dataset.y
    assert np.abs(error).mean() < 0.1 * dataset.y.std()


def test_counts_by_poisson_loss_are_scikit_learns_poisson_regression() -> None:
    dataset = counts(200)
    config = settings(
        **BARE, loss="poisson", hidden_layer_sizes=(), mode="batch", epochs=500, learning_rate=0.1
    )
    result = fit(config, dataset)
    assert result.config.output_activation == "exponential"
    expected = PoissonRegressor(alpha=0, tol=1e-12, max_iter=1000).fit(dataset.X, dataset.y)
    network = result.predictor.network
    np.testing.assert_allclose(network.weights[0][:, 0], expected.coef_, atol=1e-6)
    np.testing.assert_allclose(network.biases[0], expected.intercept_, atol=1e-6)
    np.testing.assert_allclose(
        result.predictor.predict(dataset.X), expected.predict(dataset.X), rtol=1e-5
    )


def test_several_outputs_are_learned_together() -> None:
    dataset = lines(200, 3)
    result = fit(settings(hidden_layer_sizes=(), epochs=60), dataset)
    predicted = result.predictor.predict(dataset.X)
    assert predicted.shape == (200, 3)
    np.testing.assert_allclose(predicted, dataset.y, atol=0.05)


def r2(y: np.ndarray, predicted: np.ndarray) -> float:
    return float(1 - np.square(y - predicted).sum() / np.square(y - y.mean()).sum())


@pytest.mark.parametrize(
    "changes", [{"activation": "tanh"}, {"activation": "silu", "loss": "huber"}]
)
def test_friedmans_problem_is_solved_where_lines_fail(changes: dict[str, Any]) -> None:
    dataset = friedman(2000, noise=0.5)
    config = settings(
        hidden_layer_sizes=(32, 16), optimizer="adam", learning_rate=0.01, batch_size=32,
        epochs=40, target_scale="standard", dtype="float32",
    ).replace(**changes)  # fmt: skip
    result = fit(config, dataset)
    split = parts(dataset)
    assert split.X_test is not None and split.y_test is not None
    assert r2(split.y_test, result.predictor.predict(split.X_test)) > 0.95
    inputs = [np.column_stack([X, np.ones(len(X))]) for X in (split.X_train, split.X_test)]
    line = np.linalg.lstsq(inputs[0], split.y_train, rcond=None)[0]
    assert 0.65 < r2(split.y_test, inputs[1] @ line) < 0.8
