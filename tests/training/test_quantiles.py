"""Regression by quantiles."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from fastmlp import ConfigError, DataError, Dataset, Predictor, TrainConfig, fit, run_sweep
from fastmlp.data.split import parts
from fastmlp.model.task import Task
from fastmlp.predict import main
from fastmlp.reports.evaluation import evaluate_run
from fastmlp.reports.pictures import draw_pictures
from toys import lines, settings

LEVELS = "quantile(0.1, 0.5, 0.9)"


def uneven(n: int = 1500) -> Dataset:
    """The spread of the target grows with the feature."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (n, 1))
    return Dataset(X, 100 + 10 * X[:, 0] + rng.normal(0, 1 + 4 * X[:, 0]), name="uneven")


def config(**changes: object) -> TrainConfig:
    usual = {"loss": LEVELS, "epochs": 30, "learning_rate": 0.003, "optimizer": "adam"}
    return TrainConfig(**{**usual, "hidden_layer_sizes": (16,), **changes})  # type: ignore[arg-type]


def test_intervals_cover_what_they_promise() -> None:
    data = uneven()
    result = fit(config(), data)
    test = result.metrics["sets"]["test"]
    assert test["expected_coverage"] == pytest.approx(0.8)
    assert test["coverage"] == pytest.approx(0.8, abs=0.08)
    assert [entry["level"] for entry in test["quantiles"]] == [0.1, 0.5, 0.9]
    for entry in test["quantiles"]:
        assert entry["below"] == pytest.approx(entry["level"], abs=0.08)
    low, _, high = result.predictor.predict(np.array([[0.0], [1.0]])).T
    assert high[1] - low[1] > 2 * (high[0] - low[0])


def test_metrics_are_those_of_scikit_learn() -> None:
    data = uneven(200)
    result = fit(config(epochs=2), data)
    split = parts(data, **result.config.split_settings)
    predicted = result.predictor.predict(split.X_test)
    test = result.metrics["sets"]["test"]
    for column, entry in zip(predicted.T, test["quantiles"], strict=True):
        expected = mean_pinball_loss(split.y_test, column, alpha=entry["level"])
        assert entry["pinball_loss"] == pytest.approx(expected)
    assert test["mae"] == pytest.approx(2 * test["quantiles"][1]["pinball_loss"])


def test_predictions_do_not_cross() -> None:
    task = Task("regression", 3, quantiles=(0.1, 0.5, 0.9))
    outputs = np.array([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    np.testing.assert_array_equal(task.decode(outputs), np.sort(outputs, axis=1))
    np.testing.assert_array_equal(task.decode_one(outputs), [2.0, 1.0])


def test_saved_model_predicts_quantiles(tmp_path: Path) -> None:
    data = uneven(200)
    predictor = fit(config(epochs=2), data).predictor
    path = tmp_path / "model.safetensors"
    predictor.save(path)
    loaded = Predictor.load(path)
    assert loaded.task.quantiles == (0.1, 0.5, 0.9)
    np.testing.assert_array_equal(loaded.predict(data.X), predictor.predict(data.X))


def test_predictions_have_a_column_for_each_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, path = uneven(200), tmp_path / "model.safetensors"
    fit(config(epochs=1), data).predictor.save(path)
    np.savez(tmp_path / "rows.npz", X=data.X, y=data.y)
    assert main([str(path), str(tmp_path / "rows.npz")]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 200
    found = [float(rows[0][f"prediction_{level}"]) for level in ("0.1", "0.5", "0.9")]
    assert found == sorted(found)


@pytest.mark.parametrize("levels", ["0.5, 0.5", "0.9, 0.1", "0", "1", "0.5, 1.5"])
def test_levels_must_ascend_between_0_and_1(levels: str) -> None:
    with pytest.raises(ConfigError, match="levels must be ascending numbers between 0 and 1"):
        TrainConfig(loss=f"quantile({levels})")


def test_spec_keeps_its_levels() -> None:
    assert TrainConfig(loss=" quantile( .1,0.5,.95 )").loss == "quantile(0.1, 0.5, 0.95)"
    assert TrainConfig(loss="quantile(0.9)").loss == "quantile(0.9)"
    assert TrainConfig(loss="quantile(0.05, 0.5, 0.95)").loss == "quantile"


def test_quantiles_need_a_single_numeric_target() -> None:
    with pytest.raises(ConfigError, match="needs a single target, got 2"):
        fit(config(), lines(n_outputs=2))
    with pytest.raises(DataError, match="real numbers for loss quantile"):
        fit(config(), Dataset(lines().X, np.arange(80) % 2))


def test_one_level_gives_one_prediction() -> None:
    result = fit(config(loss="quantile(0.9)", epochs=1), uneven(200))
    assert result.predictor.predict(np.zeros((4, 1))).shape == (4, 1)
    assert result.metrics["sets"]["test"]["coverage"] is None


def test_metric_functions_receive_all_quantiles() -> None:
    shapes = []

    def noted(y_true: np.ndarray, y_output: np.ndarray) -> float:
        shapes.append(y_output.shape[1:])
        return 0.0

    fit(config(epochs=1, metrics=[noted, "r2"]), uneven(100))
    assert set(shapes) == {(3,)}


def test_pictures_show_the_median() -> None:
    data = uneven(200)
    pictures = draw_pictures(evaluate_run(fit(config(epochs=1), data), data))
    assert "curves.png" in pictures


def test_same_settings_give_the_same_bits() -> None:
    one, other = (fit(settings(loss=LEVELS), lines()).predictor.network.params for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_sweep_keeps_the_levels_of_each_cell() -> None:
    levels = ["quantile(0.1, 0.9)", "quantile(0.3, 0.6)"]
    grid = {"loss": levels, "epochs": 1, "hidden_layer_sizes": 4, "mode": "minibatch"}
    with pytest.warns(UserWarning, match="losses that are not of one kind"):
        result = run_sweep(grid, uneven(100))
    for entry in result.leaderboard.configurations:
        assert entry.good
    levels_of_best = ", ".join(map(str, result.best.predictor.task.quantiles))
    assert result.best.config.loss == f"quantile({levels_of_best})"
