"""What a run learns, records and returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp
import reference
from fastmlp import ConfigError, DataError, Dataset, TrainConfig, fit, load_dataset
from fastmlp.base.table_options import TableOptions
from fastmlp.data.split import parts
from fastmlp.training import plan as plan_module
from fastmlp.training.fit import finish, start
from fastmlp.training.history import EPOCH_COLUMNS, ITERATION_COLUMNS
from fastmlp.training.result import TrainResult
from toys import BARE, blobs, layers, lines, noise, settings, twin_of

METRICS = [
    f"{part}_{what}" for part in ("train", "validation", "test") for what in ("loss", "accuracy")
]


def weights_of(result: TrainResult) -> list[np.ndarray]:
    network = result.predictor.network
    return [*network.weights, *network.biases]


def assert_close(ours: list[np.ndarray], twins: list[np.ndarray]) -> None:
    for one, other in zip(ours, twins, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def cross_entropy(result: TrainResult, X: np.ndarray, y: np.ndarray) -> float:
    """The loss of the model that was returned, by NumPy."""
    return float(-np.log(result.predictor.predict_proba(X)[np.arange(len(y)), y]).mean())


# --- learning ---


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mode": "stochastic", "learning_rate": 0.1},
        {"mode": "batch", "epochs": 30, "learning_rate": 0.5},
        {"optimizer": "adam", "learning_rate": 0.02},
        {"accumulate": True, "sampling": "replacement"},
        {"output_activation": "sigmoid"},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blobs_are_learned(dtype: str, changes: dict[str, Any]) -> None:
    result = fit(settings(epochs=10, dtype=dtype).replace(**changes), blobs())
    assert result.metrics["test_accuracy"] >= 0.95
    assert result.history["train_loss"][-1] < 0.5 * result.history["train_loss"][0]


def test_digits_are_learned() -> None:
    result = fit(TrainConfig(hidden_layer_sizes=(24,), epochs=12), load_dataset("digits"))
    assert result.metrics["test_accuracy"] > 0.9
    assert result.data == {
        "name": "digits", "n_train": 1294, "n_validation": 144, "n_test": 359,
        "n_features": 64, "n_classes": 10,
    }  # fmt: skip


def test_lines_are_learned() -> None:
    result = fit(settings(hidden_layer_sizes=(), epochs=40), lines(n_outputs=2))
    assert result.metrics["test_loss"] < 1e-3
    assert result.metrics["test_accuracy"] is None
    assert result.history["train_accuracy"] == [None] * 40


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mode": "stochastic", "learning_rate": 0.01},
        {"mode": "stochastic", "optimizer": "sgd(momentum=0.5)", "learning_rate": 0.01},
        {"mode": "batch"},
        {"sampling": "replacement"},
        {"mode": "stochastic", "sampling": "replacement"},
        {"accumulate": True},
        {"l1": 0.01, "l2": 0.1},
        {"optimizer": "sgd(momentum=0.9)", "learning_rate": 0.02},
        {"optimizer": "adam", "l2": 0.1},
        {"activation": "leaky_relu(0.1)", "hidden_layer_sizes": (5, 4)},
    ],
    ids=str,
)
@pytest.mark.parametrize("dataset", [blobs(25), blobs(25, 2), lines(25, 2)], ids=["3", "2", "-"])
def test_a_run_is_what_numpy_makes_of_it(dataset: Dataset, changes: dict[str, Any]) -> None:
    run = start(settings(**BARE).replace(**changes), dataset)
    weights, biases, steps = twin_of(run)
    result = finish(run)
    assert_close(weights_of(result), [*weights, *biases])
    by_epoch = np.array_split(np.array(steps), 3)
    losses = [sum(step[0] for step in epoch) / 25 for epoch in by_epoch]
    np.testing.assert_allclose(result.history["train_loss"], losses, rtol=1e-10)
    if result.history["train_accuracy"][0] is not None:
        hits = [sum(step[1] for step in epoch) / 25 for epoch in by_epoch]
        assert result.history["train_accuracy"] == hits


@pytest.mark.parametrize("dataset", [blobs(40), blobs(40, 2), lines(40, 2)], ids=["3", "2", "-"])
@pytest.mark.parametrize("sampling", ["shuffle", "replacement"])
def test_the_step_per_sample_is_the_general_step(
    monkeypatch: pytest.MonkeyPatch, dataset: Dataset, sampling: str
) -> None:
    config = settings(**BARE, mode="stochastic", sampling=sampling, hidden_layer_sizes=(5, 4))
    own = fit(config, dataset)
    monkeypatch.setattr(plan_module, "_needs_general_step", lambda config: "it is forced to")
    general = fit(config, dataset)
    assert [own.plan.step, general.plan.step] == ["per_sample", "general"]
    assert_close(weights_of(own), weights_of(general))
    np.testing.assert_allclose(own.history["train_loss"], general.history["train_loss"], rtol=1e-10)
    assert own.history["train_accuracy"] == general.history["train_accuracy"]


# --- what is recorded ---


def test_the_history_has_a_row_per_epoch() -> None:
    result = fit(settings(epochs=4), blobs())
    assert result.history["epoch"] == [1, 2, 3, 4]
    assert all(tuple(row) == EPOCH_COLUMNS for row in result.history)
    assert result.history["learning_rate"] == [0.1] * 4
    assert len(result.iterations) == 0
    assert (result.epochs_run, result.status) == (4, "finished")


def test_numbers_are_plain_ones() -> None:
    result = fit(settings(log_every=2, l2=0.1), blobs())
    rows = [*result.history, *result.iterations, result.metrics, result.timings]
    assert {type(value) for row in rows for value in row.values()} == {int, float}


@pytest.mark.parametrize("restore_best", [True, False])
def test_metrics_are_those_of_the_weights_that_are_kept(restore_best: bool) -> None:
    dataset = noise()
    result = fit(settings(epochs=6, learning_rate=1.0, restore_best=restore_best), dataset)
    assert list(result.metrics) == METRICS
    assert result.best_epoch is not None and result.best_epoch < 6
    kept = result.history.rows[result.best_epoch - 1 if restore_best else -1]
    assert all(result.metrics[name] == kept[name] for name in METRICS[:4])
    split = parts(dataset, validation=0.1)
    assert split.X_validation is not None and split.y_validation is not None
    loss = cross_entropy(result, split.X_validation, split.y_validation)
    assert result.metrics["validation_loss"] == pytest.approx(loss, rel=1e-10)
    assert split.X_test is not None and split.y_test is not None
    hits = result.predictor.predict(split.X_test) == split.y_test
    assert result.metrics["test_accuracy"] == hits.mean()
    loss = cross_entropy(result, split.X_test, split.y_test)
    assert result.metrics["test_loss"] == pytest.approx(loss, rel=1e-10)


def test_losses_hold_no_penalty() -> None:
    start_from = layers((2, 6, 3))
    penalised, plain = (
        fit(settings(l1=l1, l2=1.0, learning_rate=1e-300), blobs(), initial_weights=start_from)
        for l1 in (10.0, 0.0)
    )
    for column in ("train_loss", "validation_loss"):
        assert penalised.history[column] == plain.history[column]
    assert penalised.metrics == plain.metrics
    assert penalised.history["penalty"][0] > 10 * plain.history["penalty"][0] > 0


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), (0.25, 0.0), (0.0, 0.5), (0.25, 0.5)])
def test_penalty_covers_only_weights(l1: float, l2: float) -> None:
    start_from = layers((2, 6, 3))
    config = settings(l1=l1, l2=l2, restore_best=False)
    result = fit(config, blobs(), initial_weights=start_from)
    weights = result.predictor.network.weights
    expected = reference.penalty(weights, l1, l2)
    assert result.history["penalty"][-1] == pytest.approx(expected, rel=1e-12)


def test_l1_drives_weights_towards_zero() -> None:
    def small(l1: float) -> float:
        result = fit(settings(l1=l1, epochs=30, restore_best=False), noise(200))
        return float(np.mean([np.mean(np.abs(w) < 0.02) for w in result.predictor.network.weights]))

    assert small(0.1) > 0.8
    assert small(0.0) < 0.1


def test_l2_makes_weights_smaller() -> None:
    def size(l2: float) -> float:
        return fit(settings(l2=l2, epochs=10), blobs()).history["penalty"][-1] / l2 * 2

    assert size(0.1) < 0.5 * size(1e-12)


@pytest.mark.parametrize(("every", "batch_size"), [(1, 10), (2, 10), (3, 10), (4, 10), (3, 7)])
def test_losses_are_recorded_every_n_updates(every: int, batch_size: int) -> None:
    config = settings(**{**BARE, "validation": 5}, batch_size=batch_size, log_every=every)
    run = start(config, blobs(30))
    steps = twin_of(run)[2]
    result = finish(run)
    per_epoch = len(steps) // 3
    recorded = list(range(every, 3 * per_epoch + 1, every))
    assert result.iterations["iteration"] == recorded
    assert all(tuple(row) == ITERATION_COLUMNS for row in result.iterations)
    rows = [min(batch_size, 25 - i % per_epoch * batch_size) for i in range(len(steps))]
    for row in result.iterations:
        last = row["iteration"]
        assert row["epoch"] == (last - 1) // per_epoch + 1
        # Since the last record, or since the epoch began.
        window = slice(max(last - every, (row["epoch"] - 1) * per_epoch), last)
        count = sum(rows[window])
        loss = sum(step.loss for step in steps[window]) / count
        assert row["train_loss"] == pytest.approx(loss, rel=1e-10)
        assert row["train_accuracy"] == sum(step.hits for step in steps[window]) / count
    for epoch, row in enumerate(result.history, start=1):
        at_its_end = epoch * per_epoch
        if at_its_end in recorded:
            same = result.iterations.rows[recorded.index(at_its_end)]
            assert same["validation_loss"] == row["validation_loss"]


def test_recording_changes_no_bit() -> None:
    often, never = (fit(settings(log_every=every), blobs()) for every in (1, 0))
    assert often.history.rows == never.history.rows
    assert all(map(np.array_equal, weights_of(often), weights_of(never)))


def test_the_result_describes_the_run() -> None:
    result = fit(settings(), blobs())
    found = result.to_dict()
    assert set(found) == {
        "version", "config", "data", "model", "status", "epochs_run", "updates_run", "best_epoch",
        "kept_epoch", *METRICS, "phase_seconds", "layer_seconds",
        "prepare_seconds", "compile_seconds", "step_seconds", "train_seconds",
        "samples_per_second", "predict_seconds",
    }  # fmt: skip
    assert found["model"] == {
        "input_shape": [2],
        "layers": [
            {"name": "dense(6, activation=tanh)", "output_shape": [6], "parameters": 18},
            {"name": "dense(3, activation=softmax)", "output_shape": [3], "parameters": 21},
        ],
        "layer_sizes": [2, 6, 3], "n_weights": 30, "n_biases": 9, "n_parameters": 39,
        "parameter_bytes": 312,
    }  # fmt: skip
    assert found["updates_run"] == 3 * 9
    used = {k: v for k, v in found["config"].items() if k not in TableOptions.names()}
    assert "auto" not in used.values()
    assert TrainConfig.from_dict(found["config"]) == result.config
    assert found["samples_per_second"] == 3 * 86 / found["step_seconds"]
    assert found["train_seconds"] > found["step_seconds"] > 0
    assert "finished after 3 epochs" in repr(result)


# --- parts and sizes at the edge ---


def test_without_validation_its_columns_are_empty() -> None:
    result = fit(settings(validation=0), blobs())
    assert result.history["validation_loss"] == [None] * 3
    assert result.metrics["validation_accuracy"] is None
    assert (result.data["n_validation"], result.config.monitor) == (0, "train_loss")


def test_without_a_test_part_its_metrics_are_empty() -> None:
    result = fit(settings(split="none"), blobs())
    assert [result.metrics["test_loss"], result.metrics["test_accuracy"]] == [None, None]
    assert result.timings["predict_seconds"] is None
    assert result.data["n_test"] == 0


def test_a_batch_larger_than_the_set_is_clipped_with_a_warning() -> None:
    message = "batch_size 500 is more than the 86 training rows"
    with pytest.warns(UserWarning, match=message) as caught:
        clipped = fit(settings(batch_size=500), blobs())
    assert caught[0].filename == __file__
    assert clipped.plan.batch_size == 86
    exact = fit(settings(batch_size=86), blobs())
    assert all(map(np.array_equal, weights_of(clipped), weights_of(exact)))


@pytest.mark.parametrize("hidden", [(), (1,), (1, 1, 1)])
@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
def test_the_smallest_networks_train(hidden: tuple[int, ...], mode: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 1))
    result = fit(settings(hidden_layer_sizes=hidden, mode=mode, epochs=20), Dataset(X, X[:, 0] > 0))
    assert result.predictor.network.layer_sizes == (1, *hidden, 1)
    assert result.history["train_loss"][-1] < result.history["train_loss"][0]


@pytest.mark.parametrize("n", [2, 3])
def test_the_smallest_sets_train(n: int) -> None:
    dataset = Dataset(np.arange(n)[:, None], np.linspace(0, 1, n))
    result = fit(settings(validation=0, split="none", batch_size=1), dataset)
    assert np.isfinite(result.history["train_loss"]).all()


def test_more_threads_than_available_is_refused() -> None:
    with pytest.raises(ConfigError, match="threads must be at most 4"):
        fit(settings(), blobs(), threads=5)


def test_text_labels_come_back() -> None:
    dataset = blobs()
    names = np.array(["ape", "bee", "cat"])
    result = fit(settings(epochs=10), Dataset(dataset.X, names[dataset.y]))
    assert set(result.predictor.predict(dataset.X)) == set(names)
    assert np.mean(result.predictor.predict(dataset.X) == names[dataset.y]) > 0.95


def test_a_threshold_moves_every_decision() -> None:
    dataset = Dataset(noise(200).X, np.arange(200) % 2)
    results = [fit(settings(threshold=t), dataset) for t in (0.01, 0.5, 0.99)]
    shares = [float(result.predictor.predict(dataset.X).mean()) for result in results]
    assert shares[0] == 1 and 0.1 < shares[1] < 0.9 and shares[2] == 0
    # Training is the same, what is counted as right is not.
    losses, accuracies = (
        [result.history[name] for result in results] for name in ("train_loss", "train_accuracy")
    )
    assert losses[0] == losses[1] == losses[2]
    assert accuracies[0] != accuracies[1] != accuracies[2]


def test_classes_of_the_config_are_kept_and_the_others_dropped() -> None:
    result = fit(settings(classes=("0", "2")), blobs(120))
    assert result.predictor.classes is not None
    assert result.predictor.classes.tolist() == [0, 2]
    assert sum(result.data[f"n_{part}"] for part in ("train", "validation", "test")) == 80
    with pytest.raises(DataError, match="classes must be labels of the data, got '7'"):
        fit(settings(classes=("0", "7")), blobs())


def test_the_dataset_is_left_as_it_was() -> None:
    dataset = blobs()
    X, y = dataset.X.copy(), dataset.y.copy()
    fit(settings(**BARE), dataset)
    np.testing.assert_array_equal(dataset.X, X)
    np.testing.assert_array_equal(dataset.y, y)


# --- weights to start from ---


def test_training_starts_from_the_weights_given() -> None:
    weights, biases = layers((2, 6, 3))
    copies = [array.copy() for array in (*weights, *biases)]
    result = fit(settings(learning_rate=1e-300), blobs(), initial_weights=(weights, biases))
    assert all(map(np.array_equal, weights_of(result), copies))
    fit(settings(), blobs(), initial_weights=(weights, biases))
    assert all(map(np.array_equal, [*weights, *biases], copies))


@pytest.mark.parametrize("sizes", [(2, 5, 3), (3, 6, 3), (2, 3), (2, 6, 6, 3)])
def test_weights_of_other_shapes_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"^weights must have the shapes \(2, 6\), \(6, 3\), got"):
        fit(settings(), blobs(), initial_weights=layers(sizes))


def test_biases_of_other_shapes_are_refused() -> None:
    weights, biases = layers((2, 6, 3))
    with pytest.raises(ConfigError, match=r"^biases must have the shapes \(6,\), \(3,\), got"):
        fit(settings(), blobs(), initial_weights=(weights, biases[:1]))


def test_weights_are_drawn_by_the_initializers() -> None:
    config = settings(weight_init="constant(0.25)", bias_init="ones")
    run = start(config, blobs())
    assert all((array == 0.25).all() for array in run.network.weights)
    assert all((array == 1).all() for array in run.network.biases)


SHAPES = ((2, 6), (6, 3))
SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "threads, a share": ({"threads": 1.5}, "threads must be an integer, got 1.5"),
    "threads, a text": ({"threads": "2"}, "threads must be an integer, got '2'"),
    "one callback": ({"callbacks": fastmlp.Callback()}, "callbacks must be several instances"),
    "weights, a number": ({"initial_weights": 5}, "initial_weights must be a list of weights and"),
    "weights alone": ({"initial_weights": [[]]}, "initial_weights must be a list of weights and"),
    **{
        f"weights of {dtype}": (
            {"initial_weights": ([np.ones(s).astype(dtype) for s in SHAPES], [np.ones(6)])},
            "initial_weights must hold real numbers, got dtype",
        )
        for dtype in ("datetime64[s]", "complex128", "str")
    },
    "weights beyond float32": (
        {"initial_weights": ([np.full(s, 1e39) for s in SHAPES], [np.ones(6), np.ones(3)])},
        "initial_weights must be in the range of float32, got 1e",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_arguments_of_another_kind_are_named(case: str) -> None:
    arguments, message = SPOILT[case]
    with pytest.raises(ConfigError, match=message):
        fit(settings(dtype="float32"), blobs(), **arguments)


def test_arguments_in_another_order_are_named(tmp_path: Path) -> None:
    data = blobs()
    result = fit(settings(epochs=1), data)
    with pytest.raises(ConfigError, match="dataset must be of type Dataset, got"):
        fastmlp.save_run(result, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="result must be of type TrainResult, got"):
        fastmlp.save_run(data, result)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="dataset must be of type Dataset, got"):
        fastmlp.run_sweep({"epochs": 1}, data.X)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="watcher must be of type Watcher, got 3"):
        fastmlp.run_sweep({"epochs": 1}, data, watcher=3)  # type: ignore[arg-type]
