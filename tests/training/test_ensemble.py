"""Ensembles: each model is the run of its seed, and predictions are their averages."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

import fastmlp
from fastmlp import Callback, ConfigError, Dataset, DivergenceError, Predictor, TrainConfig, fit
from fastmlp.base.errors import CallbackError
from fastmlp.base.random import MOST_MODELS, model_seed
from fastmlp.ops.losses import LOSSES
from fastmlp.reports.evaluation import evaluate_run
from fastmlp.training.ensemble_result import mean_history
from fastmlp.training.history import History
from fastmlp.training.result import TrainResult
from fastmlp.training.run import Run
from interrupting import EndAt, bits, ended_again_and_again, short_slices
from toys import blobs, lines, noise, settings, tags

N = 3


def split(dataset: Dataset) -> Dataset:
    """The same rows with validation and test parts of their own, so that no seed moves a row."""
    X, y = np.asarray(dataset.X), dataset.y
    a, b = int(0.6 * len(y)), int(0.8 * len(y))
    return Dataset(
        X[:a], y[:a], X_validation=X[a:b], y_validation=y[a:b], X_test=X[b:], y_test=y[b:],
        name=dataset.name,
    )  # fmt: skip


DATA = {
    "multiclass": split(noise(100)),
    "binary": split(noise(100, n_classes=2)),
    "multilabel": split(tags(100)),
    "regression": split(lines(100)),
    "two targets": split(lines(100, 2)),
}


def ensemble(task: str = "multiclass", **changes: Any) -> TrainResult:
    return fit(settings(n_models=N, seed=5, **changes), DATA[task])


def alone(number: int, task: str = "multiclass", **changes: Any) -> TrainResult:
    """The run of a model's seed."""
    return fit(settings(seed=model_seed(5, number), **changes), DATA[task])


def all_bits(result: TrainResult) -> Any:
    networks = [network.params.tobytes() for network in result.predictor.networks]
    return (bits(result), networks, [bits(model) for model in result.models])


# --- models and their averages ---


def test_seeds_of_models_are_different_and_the_first_is_the_ensembles() -> None:
    seeds = {model_seed(seed, number) for seed in range(20) for number in range(1, 20)}
    assert len(seeds) == 20 * 19
    assert [model_seed(seed, 1) for seed in (0, 7, 2**64 - 1)] == [0, 7, 2**64 - 1]
    assert all(0 <= model_seed(2**64 - 1, number) < 2**32 for number in range(2, 50))


@pytest.mark.parametrize("task", DATA)
@pytest.mark.parametrize(
    "changes", [{}, {"dropout": 0.2, "dtype": "float32", "early_stopping": 1, "epochs": 6}]
)
def test_models_are_runs_of_their_seeds_and_predictions_are_averages(
    task: str, changes: Any
) -> None:
    result = ensemble(task, **changes)
    runs = [alone(number, task, **changes) for number in range(1, N + 1)]
    for run, model in zip(runs, result.models, strict=True):
        assert bits(run) == bits(model)
        assert run.config == model.config
    X = DATA[task].X
    predictor, predictors = result.predictor, [run.predictor for run in runs]
    assert np.array_equal(
        predictor.outputs(X), np.mean([each.outputs(X) for each in predictors], axis=0)
    )
    if predictor.classes is None and task != "multilabel":
        values = [each.predict(X) for each in predictors]
        assert np.array_equal(predictor.predict(X), np.mean(values, axis=0))
        spread = np.std(values, axis=0)
    else:
        probabilities = [each.predict_proba(X) for each in predictors]
        mean = np.mean(probabilities, axis=0)
        assert np.array_equal(predictor.predict_proba(X), mean)
        shown, deviation = predictor.predict_proba(X, return_std=True)
        assert np.array_equal(shown, mean)
        np.testing.assert_allclose(deviation, np.std(probabilities, axis=0), rtol=1e-4, atol=1e-7)
        if predictor.classes is None:
            assert np.array_equal(predictor.predict(X), mean >= 0.5)
            spread = np.std(probabilities, axis=0)
        else:
            labels = mean.argmax(axis=1)
            assert np.array_equal(predictor.predict(X), predictor.classes[labels])
            spread = np.std(probabilities, axis=0)[np.arange(len(labels)), labels]
    shown, deviation = predictor.predict(X, return_std=True)
    assert np.array_equal(shown, predictor.predict(X))
    np.testing.assert_allclose(deviation, spread, rtol=1e-4, atol=1e-7)
    assert deviation.max() > 1e-4


def test_a_row_has_the_same_bits_alone_and_among_others() -> None:
    predictor = fit(settings(n_models=12, epochs=1), DATA["regression"]).predictor
    X = DATA["regression"].X
    one, all_ = (predictor.predict(rows, return_std=True) for rows in (X[:1], X))
    assert np.array_equal(one[0], all_[0][:1]) and np.array_equal(one[1], all_[1][:1])


@pytest.mark.parametrize(("task", "changes"), [
    ("multiclass", {}), ("binary", {}), ("multilabel", {}), ("regression", {}),
    ("two targets", {"loss": "mean_squared_error"}), ("regression", {"loss": "huber(delta=0.1)"}),
    ("multiclass", {"loss": "squared_error", "dtype": "float32"}),
    ("binary", {"output_activation": "tanh"}),
])  # fmt: skip
def test_metrics_are_those_of_the_averaged_prediction(task: str, changes: Any) -> None:
    result, data = ensemble(task, **changes), DATA[task]
    predictor = result.predictor
    for part, X, y in (
        ("train", data.X, data.y),
        ("validation", data.X_validation, data.y_validation),
        ("test", data.X_test, data.y_test),
    ):
        outputs = predictor.outputs(X)
        loss, accuracy = _judged(result, outputs, np.asarray(y))
        assert result.metrics[f"{part}_loss"] == pytest.approx(loss, rel=1e-5)
        assert result.metrics[f"{part}_accuracy"] == accuracy
    page = evaluate_run(result, data)
    assert page.judged.loss == pytest.approx(result.metrics["test_loss"])


def _judged(result: TrainResult, outputs: np.ndarray, y: np.ndarray) -> tuple[float, float | None]:
    """Loss and accuracy of outputs, by scikit-learn or by their formulas."""
    task, loss = result.predictor.task, result.config.loss
    if task.kind == "regression":
        assert task.target_scaling is not None
        errors = outputs - task.target_scaling.apply(y.reshape(len(y), -1), outputs.dtype)
        if loss.startswith("huber"):
            size = np.abs(errors)
            return float(np.where(size <= 0.1, size**2 / 2, 0.1 * (size - 0.05)).mean()), None
        rows = (errors**2).mean(axis=1) if loss.startswith("mean") else (errors**2).sum(axis=1) / 2
        return float(rows.mean()), None
    accuracy = float((task.decode(outputs) == y).reshape(len(y), -1).all(axis=1).mean())
    probabilities = task.probabilities(outputs)
    if task.kind == "multilabel":
        each = [metrics.log_loss(y[:, j], outputs[:, j]) for j in range(y.shape[1])]
        return float(np.sum(each)), accuracy
    if loss == "squared_error":
        hot = np.equal.outer(y, result.predictor.classes).astype(float)
        hot, got = (hot, outputs) if task.kind == "multiclass" else (hot[:, 1:], outputs)
        return float(((hot - got) ** 2).sum(axis=1).mean() / 2), accuracy
    return float(metrics.log_loss(y, probabilities)), accuracy


def test_losses_stay_finite_where_all_outputs_are_0_or_1() -> None:
    data = Dataset([[0.0], [1.0]] * 20, [0, 1] * 20)
    config = TrainConfig(
        n_models=2, hidden_layer_sizes=(), scale="none", validation=0, split="none",
        learning_rate=1e3, loss_limit=0, epochs=30, batch_size=40,
    )  # fmt: skip
    result = fit(config, data)
    assert {0.0, 1.0} <= set(result.predictor.predict_proba([[1e3], [-1e3]]).ravel().tolist())
    wrong = Dataset([[1e3], [-1e3]], [0, 1])
    loss = LOSSES.parse("binary_cross_entropy")
    found = result.predictor.evaluate(np.asarray(wrong.X), wrong.y, loss)
    assert 10 < found.loss < 200
    assert not found.hits.any()


# --- the same bits ---


@pytest.mark.parametrize("changes", [
    {"early_stopping": 1, "epochs": 8}, {"mode": "stochastic", "learning_rate": 0.01},
    {"optimizer": "adam", "schedule": "plateau(patience=0)", "log_every": 3},
])  # fmt: skip
def test_the_same_bits_on_any_number_of_threads(changes: Any) -> None:
    config = settings(n_models=5, **changes)
    first, *others = (all_bits(fit(config, blobs(), threads=threads)) for threads in (1, 2, 3))
    assert all(other == first for other in others)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupted_ensemble_resumes_with_the_same_bits(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    config = settings(n_models=4, early_stopping=2, epochs=4, optimizer="adam")
    whole = all_bits(fit(config, DATA["multiclass"]))
    resumed = ended_again_and_again(
        config, DATA["multiclass"], tmp_path, [3, 9, 2, 17], threads=threads
    )
    assert all_bits(resumed) == whole
    assert sorted(path.name for path in tmp_path.glob("model-*")) == [
        f"model-{number}" for number in range(1, 5)
    ]


def test_a_finished_model_is_not_trained_again(tmp_path: Path) -> None:
    config = settings(n_models=2, epochs=3)
    options: dict[str, Any] = {"checkpoint_dir": tmp_path, "checkpoint_every": "1h"}
    whole = fit(config, DATA["multiclass"], **options)
    epochs: list[int] = []
    count = fastmlp.LambdaCallback(on_epoch_end=lambda run, row: epochs.append(run.epoch))
    again = fit(config, DATA["multiclass"], callbacks=[count], resume=True, **options)
    assert epochs == []
    assert all_bits(again) == all_bits(whole)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 3)])
def test_checkpoints_of_another_number_of_models_are_refused(
    before: int, after: int, tmp_path: Path
) -> None:
    data = DATA["multiclass"]
    fit(settings(n_models=before, epochs=1), data, checkpoint_dir=tmp_path)
    with pytest.raises(ConfigError, match=f"n_models was {before}, is now {after}"):
        fit(settings(n_models=after, epochs=1), data, checkpoint_dir=tmp_path, resume=True)
    with pytest.raises(ConfigError, match="contains checkpoints"):
        fit(settings(n_models=after, epochs=1), data, checkpoint_dir=tmp_path)


# --- what ends a model, or all ---


class Spoiling(Callback):
    """Makes the weights of some models infinite in their second epoch."""

    def __init__(self, *numbers: int):
        self.numbers = numbers

    def on_progress(self, run: Run) -> None:
        if run.number in self.numbers and run.epoch == 2:
            run.network.params[0] = np.inf


def test_a_model_that_diverges_is_left_out_with_a_warning() -> None:
    config = settings(n_models=N, seed=5)
    with pytest.warns(UserWarning, match="model 2 of 3 is left out of the ensemble: training div"):
        result = fit(config, DATA["multiclass"], callbacks=[Spoiling(2)])
    whole = ensemble()
    assert result.status == "finished"
    assert [model.status for model in result.models] == ["finished", "diverged", "finished"]
    assert [row["averaged"] for row in result.to_dict()["models"]] == [True, False, True]
    kept = [whole.models[k].predictor.network.params for k in (0, 2)]
    for network, params in zip(result.predictor.networks, kept, strict=True):
        assert np.array_equal(network.params, params)


def test_an_ensemble_whose_models_all_diverge_has_diverged() -> None:
    with pytest.raises(DivergenceError, match="all models of the ensemble diverged") as caught:
        fit(settings(n_models=2), DATA["multiclass"], callbacks=[Spoiling(1, 2)])
    result = caught.value.result
    assert result.status == "diverged"
    assert np.isfinite(result.predictor.predict_proba(DATA["multiclass"].X)).all()


def test_ctrl_c_keeps_what_was_trained() -> None:
    class Interrupting(Callback):
        def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
            if run.number == 2 and run.epoch == 2:
                raise KeyboardInterrupt

    config = settings(n_models=4, seed=5, epochs=5)
    result = fit(config, DATA["multiclass"], threads=1, callbacks=[Interrupting()])
    assert result.status == "interrupted"
    assert result.models[0].status == "finished"
    assert result.metrics["test_accuracy"] is None
    assert 2 <= result.predictor.n_models <= 4
    first = alone(1, epochs=5).predictor.network.params
    assert np.array_equal(result.predictor.network.params, first)


def test_an_interruption_before_the_first_update_gives_a_result() -> None:
    result = fit(settings(n_models=3), DATA["multiclass"], callbacks=[EndAt(1, KeyboardInterrupt)])
    assert result.status == "interrupted"
    assert result.predictor.predict_proba(DATA["multiclass"].X[:2]).shape == (2, 3)


def test_a_failing_callback_ends_all_models() -> None:
    class Failing(Callback):
        def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
            if run.number == 2:
                raise ZeroDivisionError("none")

    with pytest.raises(CallbackError, match="Failing failed in on_epoch_end") as caught:
        fit(settings(n_models=4, epochs=1000), DATA["multiclass"], callbacks=[Failing()])
    assert caught.value.result.status in ("failed", "interrupted")
    assert threading.active_count() == 1 or not any(
        "_work" in thread.name for thread in threading.enumerate()
    )


def test_another_exception_is_passed_on() -> None:
    class Fault(BaseException):
        pass

    with pytest.raises(Fault):
        fit(settings(n_models=3), DATA["multiclass"], callbacks=[EndAt(4, Fault)])


def test_a_callback_can_stop_each_model() -> None:
    class Stop(Callback):
        def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
            run.request_stop()

    result = fit(settings(n_models=3, epochs=50), DATA["multiclass"], callbacks=[Stop()])
    assert result.status == "stopped"
    assert [model.epochs_run for model in result.models] == [1, 1, 1]


# --- callbacks and history ---


def test_callbacks_are_called_for_each_model_and_never_two_at_once() -> None:
    class Watching(Callback):
        inside = False

        def __init__(self) -> None:
            self.seen: dict[int, list[int]] = {}

        def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
            assert not self.inside
            self.inside = True
            self.seen.setdefault(run.number, []).append(run.epoch)
            np.linalg.eigvals(np.ones((30, 30)))  # releases the GIL
            self.inside = False

    watching = Watching()
    result = fit(settings(n_models=4), DATA["multiclass"], callbacks=[watching], threads=3)
    assert watching.seen == {number: [1, 2, 3] for number in range(1, 5)}
    assert [model.epochs_run for model in result.models] == [3] * 4


def test_callbacks_with_a_state_or_a_file_have_one_for_each_model(tmp_path: Path) -> None:
    callbacks = [
        fastmlp.EarlyStopping(1, "validation_loss"),
        fastmlp.BestModel(tmp_path / "best.safetensors"),
        fastmlp.CsvLog(tmp_path / "log.csv"),
    ]
    config = settings(n_models=N, seed=5, epochs=30)
    result = fit(config, DATA["multiclass"], callbacks=callbacks)
    for number, model in enumerate(result.models, start=1):
        run = alone(number, epochs=30, early_stopping=1)
        assert model.history.rows == run.history.rows
        saved = Predictor.load(tmp_path / f"best-{number}.safetensors")
        assert np.array_equal(saved.network.params, run.predictor.network.params)
        log = (tmp_path / f"log-{number}.csv").read_text(encoding="utf-8")
        assert log == model.history.to_csv()


def test_the_history_is_the_mean_of_the_models() -> None:
    result = ensemble("regression", early_stopping=1, epochs=30, learning_rate=0.1)
    lengths = [model.epochs_run for model in result.models]
    assert len(set(lengths)) > 1  # else the case shows nothing
    assert result.history["epoch"] == [*range(1, max(lengths) + 1)]
    for epoch, row in enumerate(result.history, start=1):
        rows = [model.history.rows[epoch - 1] for model in result.models
                if model.epochs_run >= epoch]  # fmt: skip
        assert row["n_models"] == len(rows)
        for name in ("train_loss", "validation_loss"):
            assert row[name] == pytest.approx(np.mean([other[name] for other in rows]))


def test_texts_and_gaps_have_no_mean() -> None:
    histories = [History(("epoch", "a")), History(("epoch", "a"))]
    histories[0].append(epoch=1, a=None)["note"] = "text"
    histories[1].append(epoch=1, a=3.0)
    mean = mean_history(histories)
    assert mean.rows == [{"epoch": 1, "a": 3.0, "note": None, "n_models": 2}]


# --- the file and the setting ---


@pytest.mark.parametrize("task", DATA)
def test_one_file_holds_all_models(task: str, tmp_path: Path) -> None:
    predictor = ensemble(task, dtype="float32").predictor
    predictor.save(tmp_path / "model.safetensors")
    loaded = Predictor.load(tmp_path / "model.safetensors")
    X = DATA[task].X
    for now, before in zip(
        loaded.predict(X, return_std=True), predictor.predict(X, return_std=True), strict=True
    ):
        assert np.array_equal(now, before)
    assert repr(loaded) == repr(predictor)
    assert repr(loaded).startswith("<Predictor 3 models; ")


def test_a_single_model_has_no_spread() -> None:
    predictor = alone(1).predictor
    for method in (predictor.predict, predictor.predict_proba):
        with pytest.raises(ConfigError, match="needs several models, got one; train with n_models"):
            method(DATA["multiclass"].X, return_std=True)


@pytest.mark.parametrize("n_models", [0, -1, 1.5, MOST_MODELS + 1, "two"])
def test_other_numbers_of_models_are_refused(n_models: Any) -> None:
    with pytest.raises(ConfigError, match="n_models must be"):
        TrainConfig(n_models=n_models)


def test_a_copy_of_a_predictor_keeps_the_models() -> None:
    predictor = ensemble().predictor
    copied = predictor.replace(task=replace(predictor.task))
    assert copied.networks == predictor.networks
