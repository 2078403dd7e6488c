"""Metrics asked for: by scikit-learn's names, as functions, and columns of callbacks."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, get_scorer_names, log_loss, mean_absolute_error, roc_auc_score

from fastmlp import (
    BestModel,
    Callback,
    CallbackError,
    ConfigError,
    Dataset,
    EarlyStopping,
    LambdaCallback,
    Predictor,
    TrainConfig,
    TrainResult,
    fit,
)
from fastmlp.data.split import parts
from fastmlp.training.scorers import is_higher_better, scorer_of, shown_outputs
from toys import blobs, lines, noise, settings, tags


def mean_output_score(y_true: np.ndarray, y_output: np.ndarray) -> float:
    """Mean output."""
    return float(y_output.mean())


def texts(n: int = 90) -> Dataset:
    data = noise(n, 2)
    return Dataset(data.X, np.where(data.y == 1, "yes", "no"), name="texts")


def test_metrics_are_columns_and_results_of_validation_and_test() -> None:
    data, config = texts(), settings(epochs=3, metrics=["roc_auc", "f1", mean_output_score])
    result = fit(config, data)
    columns = ["validation_roc_auc", "validation_f1", "validation_mean_output_score"]
    assert list(result.history.columns[-3:]) == columns
    split = parts(data, **result.config.split_settings)
    for part, X, y in (
        ("validation", split.X_validation, split.y_validation),
        ("test", split.X_test, split.y_test),
    ):
        probability = result.predictor.predict_proba(X)[:, 1]
        predicted = result.predictor.predict(X)
        assert result.metrics[f"{part}_roc_auc"] == pytest.approx(roc_auc_score(y, probability))
        expected = f1_score(y, predicted, pos_label="yes", zero_division=0.0)
        assert result.metrics[f"{part}_f1"] == pytest.approx(expected)
        assert result.metrics[f"{part}_mean_output_score"] == pytest.approx(probability.mean())
    kept = result.history.rows[result.kept_epoch - 1]
    assert [result.metrics[name] for name in columns] == [kept[name] for name in columns]


def test_without_metrics_nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmlp.training.scorers.Scorer.__call__", None)
    result = fit(settings(epochs=1), blobs())
    assert not any("roc" in name for name in (*result.history.columns, *result.metrics))


def test_monitored_metric_decides_which_weights_are_kept() -> None:
    config = settings(epochs=12, learning_rate=1.0, monitor="roc_auc", early_stopping=3)
    result = fit(config, noise(60, 2))
    values = result.history["validation_roc_auc"]
    assert result.status == "stopped early"
    assert result.best_epoch == 1 + int(np.argmax(values)) == result.epochs_run - 3
    other = fit(config.replace(monitor="validation_roc_auc"), noise(60, 2))
    assert other.history.rows == result.history.rows


def test_lower_is_better_for_functions_named_as_errors() -> None:
    def far_error(y_true: np.ndarray, y_output: np.ndarray) -> float:
        return float(np.abs(y_true - y_output).max())

    result = fit(settings(epochs=6, metrics=far_error, monitor="far_error"), lines())
    values = result.history["validation_far_error"]
    assert result.best_epoch == 1 + int(np.argmin(values))


@pytest.mark.parametrize(
    ("name", "higher"),
    [("roc_auc", True), ("neg_log_loss", True), ("my_loss", False), ("validation_loss", False),
     ("max_error", False), ("validation_accuracy", True), ("d2_log_loss_score", True)],
)  # fmt: skip
def test_names_tell_whether_higher_is_better(name: str, higher: bool) -> None:
    assert is_higher_better(name) is higher


def test_every_scorer_of_scikit_learn_is_better_when_higher() -> None:
    assert all(map(is_higher_better, get_scorer_names()))


def test_function_that_does_not_tell_cannot_be_monitored() -> None:
    def rmse(y_true: np.ndarray, y_output: np.ndarray) -> float:
        return 0.0

    config = settings(epochs=1, metrics=[rmse])
    assert fit(config, lines()).history["validation_rmse"] == [0.0]
    with pytest.raises(ConfigError, match=r"^metric rmse must have a name that ends in _score"):
        fit(config.replace(monitor="rmse"), lines())


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("roc_au", "unknown metric 'roc_au'; did you mean 'roc_auc'?"),
        (lambda y, p: 0.0, "metrics must have names for their columns"),
        (3, "metrics must be a text, got 3"),
    ],
)
def test_unknown_metric_is_refused_with_the_nearest(metric: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        TrainConfig(metrics=[metric])
    assert message in str(error.value)


def test_two_functions_of_one_name_are_refused() -> None:
    def make(value: float) -> Any:
        def my_score(y: np.ndarray, p: np.ndarray) -> float:
            return value

        return my_score

    with pytest.raises(ConfigError, match="different names, got my_score twice"):
        fit(settings(metrics=[make(0.0), make(1.0)]), blobs())


def test_metric_that_does_not_fit_the_task_is_refused_before_training() -> None:
    with pytest.raises(ConfigError, match=r"^metric roc_auc cannot be computed on the validation"):
        fit(settings(metrics=["roc_auc"]), blobs())


@pytest.mark.parametrize(
    ("value", "message"),
    [(None, "must return a number, got None"), ("0.5", "must return a number"), (True, "number")],
)
def test_function_must_return_a_number(value: Any, message: str) -> None:
    def my_score(y: np.ndarray, p: np.ndarray) -> Any:
        return value

    with pytest.raises(CallbackError, match=message) as error:
        fit(settings(metrics=my_score, epochs=2), blobs())
    assert error.value.result.status == "failed"


def test_failing_function_is_named_and_the_model_is_kept() -> None:
    def my_score(y: np.ndarray, p: np.ndarray) -> float:
        raise ZeroDivisionError("nothing there")

    with pytest.raises(CallbackError, match=r"^metric my_score failed: ZeroDivisionError: nothing"):
        fit(settings(metrics=my_score, epochs=2), blobs())


def test_undefined_value_is_none_and_never_the_best() -> None:
    seen = iter([np.nan, 0.25, np.inf, np.nan])

    def my_score(y: np.ndarray, p: np.ndarray) -> float:
        return float(next(seen))

    data = Dataset(blobs().X, blobs().y)
    config = settings(metrics=my_score, monitor="my_score", epochs=3, split="none")
    result = fit(config, data)
    assert result.history["validation_my_score"] == [None, 0.25, None]
    assert result.best_epoch == 2


def test_accuracy_is_measured_once() -> None:
    result = fit(settings(metrics=["accuracy"], monitor="accuracy", epochs=2), blobs())
    assert result.history.columns.count("validation_accuracy") == 1
    assert result.best_epoch == 1 + int(np.argmax(result.history["validation_accuracy"]))


def test_metrics_need_validation_rows_to_be_monitored() -> None:
    with pytest.raises(ConfigError, match=r"^monitor roc_auc needs a validation set"):
        fit(settings(validation=0, monitor="roc_auc"), noise(60, 2))
    result = fit(settings(validation=0, metrics=["roc_auc"], epochs=1), noise(60, 2))
    assert "validation_roc_auc" not in result.history.columns
    assert 0 <= result.metrics["test_roc_auc"] <= 1


@pytest.mark.parametrize(
    ("data", "metric"),
    [(blobs(), "roc_auc_ovr"), (blobs(), "neg_log_loss"), (blobs(), "top_k_accuracy"),
     (lines(), "neg_mean_absolute_error"), (lines(n_outputs=3), "r2"), (tags(), "f1_samples"),
     (tags(), "roc_auc"), (texts(), "average_precision"), (texts(), "neg_brier_score")],
)  # fmt: skip
def test_scorers_suit_every_kind_of_task(data: Dataset, metric: str) -> None:
    result = fit(settings(epochs=1, metrics=[metric]), data)
    assert isinstance(result.history[f"validation_{metric}"][0], float)


def test_functions_receive_labels_and_outputs_in_their_units() -> None:
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def noted(y_true: np.ndarray, y_output: np.ndarray) -> float:
        seen.append((y_true, y_output))
        return 0.0

    data = Dataset(lines().X, 1000 * lines().y)
    result = fit(settings(epochs=1, metrics=noted, target_scale="standard"), data)
    split = parts(data, **result.config.split_settings)
    y, output = seen[0]
    np.testing.assert_array_equal(y, split.y_validation)
    np.testing.assert_allclose(output, result.predictor.predict(split.X_validation), rtol=1e-5)
    multiclass = fit(settings(epochs=1), blobs()).predictor
    outputs = multiclass.outputs(blobs().X)
    assert shown_outputs(multiclass.task, outputs).shape == (120, 3)


def test_metrics_are_the_same_after_resuming(tmp_path: Path) -> None:
    config = settings(epochs=4, metrics=["f1_macro"], monitor="f1_macro")
    whole = fit(config, noise())

    class Halt(Callback):
        def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
            if row["epoch"] == 2:
                raise KeyboardInterrupt

    fit(config, noise(), callbacks=[Halt()], checkpoint_dir=tmp_path)
    resumed = fit(config, noise(), checkpoint_dir=tmp_path, resume=True)
    assert resumed.history.rows == whole.history.rows
    assert resumed.metrics == whole.metrics
    assert resumed.best_epoch == whole.best_epoch


# --- columns of callbacks ---


class Gap(Callback):
    """Adds a column."""

    monitored_columns = {"gap": False}  # noqa: RUF012

    def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
        row["gap"] = abs(row["epoch"] - 3)


@pytest.mark.parametrize(
    "gap",
    [
        Gap(),
        LambdaCallback(
            monitored_columns={"gap": False},
            on_epoch_end=lambda run, row: row.update(gap=abs(row["epoch"] - 3)),
        ),
    ],
)
def test_column_of_a_callback_can_be_monitored(gap: Callback, tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    config = settings(epochs=9, monitor="gap", early_stopping=2)
    result = fit(config, blobs(), callbacks=[gap, BestModel(path, "gap")])
    assert (result.best_epoch, result.epochs_run) == (3, 5)
    best = Predictor.load(path).network.params
    np.testing.assert_array_equal(best, result.predictor.network.params)


def test_undeclared_column_is_unknown() -> None:
    with pytest.raises(ConfigError, match=r"^unknown monitor 'gab'; did you mean 'gap'"):
        fit(settings(monitor="gab"), blobs(), callbacks=[Gap()])
    with pytest.raises(ConfigError, match=r"^unknown monitor 'gap'"):
        fit(settings(), blobs(), callbacks=[EarlyStopping(2, "gap")])


# --- the metrics of each part ---


def test_result_has_all_metrics_of_each_part() -> None:
    data = lines()
    result = fit(settings(epochs=2, target_scale="standard"), data)
    split = parts(data, **result.config.split_settings)
    found = result.metrics["sets"]
    assert list(found) == ["training", "validation", "test"]
    expected = mean_absolute_error(split.y_test, result.predictor.predict(split.X_test))
    assert found["test"]["mae"] == pytest.approx(expected)
    assert {"r2", "rmse", "rows", "loss"} <= set(found["validation"])
    assert result.metrics.get("sets") is found
    assert "sets" not in list(result.metrics)


def test_metrics_of_each_part_are_computed_when_asked_for() -> None:
    def never() -> dict[str, Any]:
        raise AssertionError

    result = fit(settings(epochs=1), blobs())
    result.metrics._evaluate = never
    assert dict(result.metrics) and result.to_dict() and repr(result)
    with pytest.raises(AssertionError):
        _ = result.metrics["sets"]
    with pytest.raises(KeyError):
        _ = result.metrics["set"]


def test_pickled_result_has_the_metrics_but_not_the_data() -> None:
    result = fit(settings(epochs=1), texts())
    computed = result.metrics["sets"]["test"]["log_loss"]
    copy: TrainResult = pickle.loads(pickle.dumps(result))
    assert copy.metrics == result.metrics
    assert copy.metrics["sets"]["test"]["log_loss"] == computed
    other: TrainResult = pickle.loads(pickle.dumps(fit(settings(epochs=1), texts())))
    assert other.metrics.get("sets") is None


def test_log_loss_is_that_of_scikit_learn() -> None:
    data = texts()
    result = fit(settings(epochs=1), data)
    split = parts(data, **result.config.split_settings)
    expected = log_loss(split.y_test, result.predictor.predict_proba(split.X_test)[:, 1])
    assert result.metrics["sets"]["test"]["log_loss"] == pytest.approx(expected, rel=1e-5)


def test_scorer_is_found_by_name() -> None:
    assert scorer_of("r2").column == "validation_r2"
