"""The training loop: early stopping, plateaus, callbacks, Ctrl-C, divergence."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from fastmlp import Callback, Dataset, DivergenceError, TrainConfig, fit
from fastmlp.data.split import parts
from fastmlp.training.result import TrainResult
from fastmlp.training.run import Run
from toys import BARE, blobs, layers, lines, noise, settings

# At this rate no weight changes, so that after the first epoch nothing ever improves.
STANDSTILL = 1e-300


def params(result: TrainResult) -> np.ndarray:
    return result.predictor.network.params.copy()


def validation_loss(result: TrainResult, dataset: Dataset) -> float:
    """The cross-entropy of the model that was returned, by NumPy."""
    split = parts(dataset, validation=result.config.validation)
    assert split.X_validation is not None and split.y_validation is not None
    probabilities = result.predictor.predict_proba(split.X_validation)
    return float(-np.log(probabilities[np.arange(len(probabilities)), split.y_validation]).mean())


class At(Callback):
    """Does something on one event, from a given epoch on."""

    def __init__(self, event: str, action: Any, epoch: int = 0):
        setattr(self, event, lambda run, *_: run.epoch >= epoch and action(run))


def interrupt(run: Run) -> None:
    raise KeyboardInterrupt


# --- early stopping and the weights that are kept ---


@pytest.mark.parametrize("patience", [1, 3])
@pytest.mark.parametrize("monitor", ["auto", "validation_accuracy", "train_accuracy"])
def test_training_stops_when_patience_is_over(patience: int, monitor: str) -> None:
    config = settings(epochs=20, early_stopping=patience, monitor=monitor, learning_rate=STANDSTILL)
    result = fit(config, blobs())
    assert (result.status, result.epochs_run) == ("stopped early", 1 + patience)
    assert result.best_epoch == 1


def test_training_does_not_stop_while_it_improves() -> None:
    result = fit(settings(epochs=8, early_stopping=1, monitor="train_loss"), blobs())
    assert (result.status, result.epochs_run, result.best_epoch) == ("finished", 8, 8)


def test_too_small_an_improvement_does_not_count() -> None:
    config = settings(epochs=8, early_stopping=2, monitor="train_loss", min_delta=100.0)
    result = fit(config, blobs())
    assert (result.status, result.epochs_run, result.best_epoch) == ("stopped early", 3, 1)


@pytest.mark.parametrize("early_stopping", [0, 3])
def test_the_best_weights_are_kept(early_stopping: int) -> None:
    config = settings(epochs=7, learning_rate=1.0, early_stopping=early_stopping)
    result = fit(config, noise())
    losses = result.history["validation_loss"]
    assert result.best_epoch == 1 + int(np.argmin(losses)) < result.epochs_run
    assert validation_loss(result, noise()) == pytest.approx(min(losses), rel=1e-10)


@pytest.mark.parametrize("early_stopping", [0, 3])
def test_the_last_weights_are_kept_on_request(early_stopping: int) -> None:
    config = settings(
        epochs=7, learning_rate=1.0, early_stopping=early_stopping, restore_best=False
    )
    result = fit(config, noise())
    losses = result.history["validation_loss"]
    assert losses[-1] > min(losses)
    assert validation_loss(result, noise()) == pytest.approx(losses[-1], rel=1e-10)


def test_the_weights_of_the_most_accurate_epoch_are_kept() -> None:
    config = settings(epochs=12, learning_rate=1.0, monitor="validation_accuracy", validation=20)
    result = fit(config, noise())
    accuracies = result.history["validation_accuracy"]
    assert result.best_epoch == 1 + int(np.argmax(accuracies))
    losses = result.history["validation_loss"]
    expected = losses[result.best_epoch - 1]
    assert expected != min(losses)
    assert validation_loss(result, noise()) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("early_stopping", "keeps_best"), [(0, False), (9, True)])
def test_without_validation_the_best_are_kept_by_early_stopping_alone(
    early_stopping: int, keeps_best: bool
) -> None:
    config = settings(**BARE, learning_rate=5.0, monitor="train_loss")
    result = fit(config.replace(epochs=4, early_stopping=early_stopping), noise())
    assert result.best_epoch is not None and result.best_epoch < 4
    kept = result.best_epoch if keeps_best else 4
    np.testing.assert_array_equal(params(result), params(fit(config.replace(epochs=kept), noise())))


# --- the learning rate ---


def test_a_plateau_lowers_the_rate() -> None:
    config = settings(epochs=7, learning_rate=STANDSTILL, schedule="plateau(0.5, patience=1)")
    result = fit(config, blobs())
    # The first epoch improves on nothing; more than one without improvement lowers the next rate.
    factors = np.array(result.history["learning_rate"]) / STANDSTILL
    assert factors.tolist() == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_a_rate_falls_no_lower_than_its_least() -> None:
    schedule = f"plateau(0.5, patience=0, min_rate={STANDSTILL / 3!r})"
    result = fit(settings(epochs=6, learning_rate=STANDSTILL, schedule=schedule), blobs())
    factors = np.array(result.history["learning_rate"]) / STANDSTILL
    np.testing.assert_allclose(factors, [1, 1, 0.5, 1 / 3, 1 / 3, 1 / 3])


def test_the_rate_that_is_recorded_is_the_one_that_is_used() -> None:
    start_from = layers((2, 6, 3))
    config = settings(
        **BARE, schedule="plateau(0.5, patience=0, min_delta=100)", monitor="train_loss", epochs=2
    )
    first = fit(config.replace(epochs=1), blobs(), initial_weights=start_from)
    whole = fit(config, blobs(), initial_weights=start_from)
    assert whole.history["learning_rate"] == [0.1, 0.1]
    third = fit(config.replace(epochs=3), blobs(), initial_weights=start_from)
    assert third.history["learning_rate"] == [0.1, 0.1, 0.05]
    constant = fit(
        config.replace(epochs=3, schedule="constant"), blobs(), initial_weights=start_from
    )
    assert third.history.rows[:2] == constant.history.rows[:2]
    assert first.history.rows == constant.history.rows[:1]
    assert not np.array_equal(params(third), params(constant))


# --- callbacks ---


class Diary(Callback):
    """Writes down every event with the epoch."""

    def __init__(self, name: str, events: list[tuple[str, str, int]]):
        self.name, self.events = name, events

    def __getattribute__(self, attribute: str) -> Any:
        if not attribute.startswith("on_"):
            return super().__getattribute__(attribute)
        return lambda run, *_: self.events.append((attribute, self.name, run.epoch))


def test_callbacks_are_called_in_order() -> None:
    events: list[tuple[str, str, int]] = []
    fit(settings(epochs=2), blobs(60), callbacks=[Diary("a", events), Diary("b", events)])
    assert events[0::2] == [(event, "a", epoch) for event, _, epoch in events[1::2]]
    calls = [(event, epoch) for event, name, epoch in events if name == "b"]
    assert calls == [
        ("on_setup", 0), ("on_train_begin", 0),
        ("on_progress", 1), ("on_epoch_end", 1),
        ("on_progress", 2), ("on_epoch_end", 2),
        ("on_train_end", 2),
    ]  # fmt: skip


def test_callback_sees_progress_of_run() -> None:
    seen: list[tuple[int, int, float]] = []
    rows: list[dict[str, Any]] = []

    class Watcher(Callback):
        def on_progress(self, run: Run) -> None:
            seen.append((run.rows_done, run.n_train, run.train_loss))

        def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
            assert row is run.history.rows[-1]
            assert run.config.epochs == 2 and run.network.layer_sizes == (2, 6, 3)
            rows.append(row)

    # 60 updates an epoch, of which the first slice holds 32.
    result = fit(settings(epochs=2, **BARE), blobs(600), callbacks=[Watcher()])
    assert rows == result.history.rows
    done = [rows_done for rows_done, _, _ in seen]
    assert done[0] == 320 and done.count(600) == 2
    assert {n_train for _, n_train, _ in seen} == {600}
    losses = [loss for rows_done, _, loss in seen if rows_done == 600]
    assert losses == result.history["train_loss"]


def test_a_callback_may_override_nothing() -> None:
    plain, called = (fit(settings(), blobs(), callbacks=c) for c in ((), (Callback(),)))
    np.testing.assert_array_equal(params(plain), params(called))


@pytest.mark.parametrize("event", ["on_progress", "on_epoch_end"])
def test_a_stop_on_request_comes_after_the_epoch(event: str) -> None:
    stopper = At(event, lambda run: run.request_stop(), epoch=2)
    result = fit(settings(epochs=9), blobs(300), callbacks=[stopper])
    assert (result.epochs_run, result.status) == (2, "stopped")
    np.testing.assert_array_equal(params(result), params(fit(settings(epochs=2), blobs(300))))


def test_a_stop_may_have_a_reason() -> None:
    stopper = At("on_epoch_end", lambda run: run.request_stop("good enough"), epoch=2)
    result = fit(settings(epochs=9), blobs(), callbacks=[stopper])
    assert (result.epochs_run, result.status) == (2, "good enough")


# --- Ctrl-C ---


def test_an_interrupted_run_keeps_what_was_trained() -> None:
    ended: list[int] = []
    callbacks = [At("on_epoch_end", interrupt, 2), At("on_train_end", lambda r: ended.append(1))]
    result = fit(settings(epochs=9), blobs(), callbacks=callbacks)
    assert (result.status, result.epochs_run, ended) == ("interrupted", 2, [1])
    whole = fit(settings(epochs=2), blobs())
    np.testing.assert_array_equal(params(result), params(whole))
    assert result.history.rows == whole.history.rows
    assert all(result.metrics[k] == v for k, v in whole.metrics.items() if "test" not in k)


def test_an_interrupt_within_the_first_epoch_keeps_its_updates() -> None:
    start_from = layers((2, 6, 3))
    config = settings(**{**BARE, "validation": 30})
    result = fit(
        config, blobs(330), callbacks=[At("on_progress", interrupt)], initial_weights=start_from
    )
    assert (result.status, result.epochs_run, result.best_epoch) == ("interrupted", 0, None)
    assert result.metrics["train_loss"] > 0 and result.metrics["validation_loss"] is None
    assert not np.array_equal(result.predictor.network.weights[0], start_from[0][0])
    assert result.predictor.predict(np.zeros((3, 2))).shape == (3,)


def test_an_interrupt_within_a_later_epoch_goes_back_to_the_best() -> None:
    result = fit(settings(epochs=9), blobs(300), callbacks=[At("on_progress", interrupt, 3)])
    assert (result.status, result.epochs_run) == ("interrupted", 2)
    np.testing.assert_array_equal(params(result), params(fit(settings(epochs=2), blobs(300))))


def test_an_interrupt_within_a_later_epoch_keeps_the_last_on_request() -> None:
    config = settings(epochs=9, restore_best=False)
    result = fit(config, blobs(300), callbacks=[At("on_progress", interrupt, 3)])
    assert result.epochs_run == 2
    after_two = fit(config.replace(epochs=2), blobs(300))
    assert not np.array_equal(params(result), params(after_two))
    assert result.metrics["train_loss"] != after_two.metrics["train_loss"]


@pytest.mark.parametrize("event", ["on_setup", "on_train_begin"])
def test_an_interrupt_before_the_first_epoch_keeps_the_initial_weights(event: str) -> None:
    start_from = layers((2, 6, 3))
    result = fit(settings(), blobs(), callbacks=[At(event, interrupt)], initial_weights=start_from)
    assert (result.status, result.epochs_run) == ("interrupted", 0)
    assert set(result.metrics.values()) == {None}
    np.testing.assert_array_equal(result.predictor.network.weights[0], start_from[0][0])
    assert result.timings["samples_per_second"] is None


# --- divergence ---


def diverge(config: Any, dataset: Dataset, **options: Any) -> DivergenceError:
    with pytest.raises(DivergenceError) as caught, np.errstate(all="ignore"):
        fit(config, dataset, **options)
    return caught.value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["minibatch", "stochastic", "batch"])
def test_a_rate_far_too_high_diverges(dtype: str, mode: str) -> None:
    config = settings(
        learning_rate=1e6, dtype=dtype, mode=mode, activation="relu", epochs=30, validation=0,
        schedule="constant", clip_norm=0.0,
    )  # fmt: skip
    error = diverge(config, lines())
    assert error.exit_code == 4
    result = error.result
    message = str(error)
    assert message.startswith(f"training diverged in epoch {result.epochs_run + 1}: the training ")
    remedy = "lower learning_rate (now 1e+06), or scale the features and the targets (target_scale)"
    assert f"; {remedy}; kept the " in message
    assert "\n" not in message
    assert result.status == "diverged"
    assert np.isfinite(params(result)).all()
    assert np.isfinite(result.predictor.predict(lines().X)).all()


def test_divergence_in_the_first_epoch_keeps_the_initial_weights() -> None:
    start_from = layers((2, 3, 1))
    config = settings(hidden_layer_sizes=(3,), activation="relu", learning_rate=1e6)
    error = diverge(config, lines(300), initial_weights=start_from)
    assert "kept the initial weights" in str(error)
    result = error.result
    assert (result.epochs_run, result.best_epoch) == (0, None)
    for kept, given in zip(result.predictor.network.weights, start_from[0], strict=True):
        np.testing.assert_array_equal(kept, given)
    unchanged = fit(
        config.replace(learning_rate=STANDSTILL), lines(300), initial_weights=start_from
    )
    for name in ("train_loss", "validation_loss", "test_loss"):
        assert result.metrics[name] == pytest.approx(unchanged.metrics[name], rel=1e-12)


class Burst(Callback):
    """Makes a weight infinite, or the network's outputs huge, after an epoch."""

    def __init__(self, value: float):
        self.value = value

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        if run.epoch == 2:
            run.network.biases[-1][:] = self.value


@pytest.mark.parametrize(
    ("value", "what"),
    [(np.nan, "became nan"), (np.inf, "became (inf|nan)"), (1e9, "rose to 5e.17")],
)
def test_divergence_goes_back_to_the_best_epoch(value: float, what: str) -> None:
    config = settings(restore_best=False, schedule="constant")
    good = fit(config.replace(epochs=2), lines())
    error = diverge(config.replace(epochs=5), lines(), callbacks=[Burst(value)])
    assert re.match(f"training diverged in epoch 3: the training loss {what}; ", str(error))
    assert str(error).endswith("; kept the weights of epoch 2")
    np.testing.assert_array_equal(params(error.result), params(good))
    assert error.result.metrics == good.metrics


def test_a_weight_that_is_not_finite_is_divergence() -> None:
    def spoil(run: Run) -> None:
        # No path leads from this weight to the loss: the hidden unit behind it is dead.
        run.network.weights[0][0, 0] = -np.inf

    dataset = Dataset(np.abs(lines().X), lines().y)
    config = settings(activation="relu", scale="none", log_every=8)
    error = diverge(config, dataset, callbacks=[At("on_progress", spoil)])
    assert "in epoch 1: a weight is no longer finite; " in str(error)


def test_going_on_from_an_exact_fit_is_no_divergence() -> None:
    dataset = lines(60)
    A = np.column_stack([dataset.X, np.ones(60)])
    exact = np.linalg.lstsq(A, dataset.y, rcond=None)[0]
    start_from = ([exact[:2, None] + 1e-9], [exact[2:]])
    config = settings(**BARE, hidden_layer_sizes=(), optimizer="adam", learning_rate=0.01)
    result = fit(config, dataset, initial_weights=start_from)
    assert result.history["train_loss"][0] > 1e6 * 1e-17


def test_a_divergence_by_the_last_update_is_seen_by_validation() -> None:
    config = TrainConfig(mode="batch", epochs=1, learning_rate=1e9)
    with pytest.raises(DivergenceError, match="validation loss"):
        fit(config, blobs())
