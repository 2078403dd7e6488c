"""The callbacks that ship, and what becomes of a callback that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import (
    BestModel,
    Callback,
    CallbackError,
    ConfigError,
    CsvLog,
    DivergenceError,
    EarlyStopping,
    LambdaCallback,
    Predictor,
    fit,
)
from fastmlp.training.result import TrainResult
from fastmlp.training.run import Run
from toys import BARE, blobs, layers, lines, noise, settings

EVENTS = ("on_setup", "on_train_begin", "on_progress", "on_epoch_end", "on_train_end")
# At this rate no weight changes, so that after the first epoch nothing ever improves.
STANDSTILL = 1e-300


def params(result: TrainResult) -> np.ndarray:
    return result.predictor.network.params.copy()


# --- early stopping ---


@pytest.mark.parametrize("patience", [1, 3])
@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy", "train_loss"])
def test_early_stopping_is_what_the_setting_does(patience: int, monitor: str) -> None:
    config = settings(epochs=12, learning_rate=1.0, monitor=monitor)
    by_setting = fit(config.replace(early_stopping=patience), noise())
    by_callback = fit(config, noise(), callbacks=[EarlyStopping(patience, monitor)])
    assert by_callback.history.rows == by_setting.history.rows
    assert by_callback.status == by_setting.status == "stopped early"
    np.testing.assert_array_equal(params(by_callback), params(by_setting))


def test_too_small_an_improvement_stops() -> None:
    stopping = EarlyStopping(2, "train_loss", min_delta=100.0)
    assert fit(settings(epochs=8), blobs(), callbacks=[stopping]).epochs_run == 3


def test_one_callback_can_follow_several_runs() -> None:
    stopping = EarlyStopping(2, "train_loss")
    for _ in range(2):
        result = fit(settings(epochs=4), blobs(), callbacks=[stopping])
        assert (result.status, result.epochs_run) == ("finished", 4)


@pytest.mark.parametrize("make", [lambda m: EarlyStopping(1, m), lambda m: BestModel("x", m)])
def test_an_unknown_monitor_gets_the_nearest_one(make: Any) -> None:
    with pytest.raises(ConfigError, match=r"^unknown monitor 'val_loss'; did you mean 'valid"):
        fit(settings(), blobs(), callbacks=[make("val_loss")])


@pytest.mark.parametrize("patience", [0, -1])
def test_patience_lasts_an_epoch_at_least(patience: int) -> None:
    with pytest.raises(ConfigError, match=f"^patience must be at least 1, got {patience}$"):
        EarlyStopping(patience)


@pytest.mark.parametrize(
    ("monitor", "changes", "dataset"),
    [
        ("validation_loss", {"validation": 0}, blobs()),
        ("validation_accuracy", {}, lines()),
        ("train_accuracy", {}, lines()),
    ],
)
def test_a_monitor_without_values_is_explained(
    monitor: str, changes: dict[str, Any], dataset: Any
) -> None:
    with pytest.raises(CallbackError, match=f"EarlyStopping .*monitor {monitor} has no value"):
        fit(settings(**changes), dataset, callbacks=[EarlyStopping(1, monitor)])


# --- the best model ---


@pytest.mark.parametrize(
    ("monitor", "best"), [("validation_loss", np.argmin), ("validation_accuracy", np.argmax)]
)
def test_the_best_model_is_on_disk(tmp_path: Path, monitor: str, best: Any) -> None:
    path = tmp_path / "best.safetensors"
    config = settings(epochs=7, learning_rate=1.0, restore_best=False, validation=20)
    result = fit(config, noise(), callbacks=[BestModel(path, monitor)])
    epoch = 1 + int(best(result.history[monitor]))
    assert epoch < 7
    expected = fit(config.replace(epochs=epoch), noise()).predictor
    saved = Predictor.load(path)
    np.testing.assert_array_equal(saved.outputs(noise().X), expected.outputs(noise().X))
    assert not np.array_equal(saved.outputs(noise().X), result.predictor.outputs(noise().X))
    assert [p.name for p in tmp_path.iterdir()] == ["best.safetensors"]


def test_a_model_is_saved_only_when_it_is_better(tmp_path: Path) -> None:
    path, seen = tmp_path / "model", []
    watcher = LambdaCallback(
        on_epoch_end=lambda run, row: (seen.append(path.exists()), path.unlink(missing_ok=True))
    )
    config = settings(epochs=4, learning_rate=STANDSTILL)
    fit(config, blobs(), callbacks=[BestModel(str(path)), watcher])
    assert seen == [True, False, False, False]


def test_second_run_has_its_own_best_model(tmp_path: Path) -> None:
    keeper = BestModel(tmp_path / "model", "train_loss")
    fit(settings(epochs=20), blobs(), callbacks=[keeper])
    second = fit(settings(**BARE, epochs=1), blobs(), callbacks=[keeper])
    saved = Predictor.load(tmp_path / "model")
    np.testing.assert_array_equal(saved.outputs(blobs().X), second.predictor.outputs(blobs().X))


# --- the log ---


@pytest.mark.parametrize("dataset", [blobs(), lines()], ids=["accuracies", "none"])
def test_the_log_is_the_history(tmp_path: Path, dataset: Any) -> None:
    path = tmp_path / "log.csv"
    path.write_text("of an older run")
    result = fit(settings(l2=0.1), dataset, callbacks=[CsvLog(path)])
    assert path.read_bytes().decode() == result.history.to_csv()


def test_the_log_grows_row_by_row(tmp_path: Path) -> None:
    path, lengths = tmp_path / "log.csv", []

    def count(run: Run, *_: Any) -> None:
        lengths.append(len(path.read_text().splitlines()))

    counter = LambdaCallback(on_train_begin=count, on_epoch_end=count)
    fit(settings(epochs=3), blobs(), callbacks=[CsvLog(str(path)), counter])
    assert lengths == [1, 2, 3, 4]


# --- functions ---


def test_functions_are_called_with_what_methods_get() -> None:
    calls: list[tuple[str, int]] = []

    def note(event: str) -> Any:
        def function(run: Run, *arguments: Any) -> None:
            assert [*arguments] == ([run.history.rows[-1]] if event == "on_epoch_end" else [])
            calls.append((event, run.epoch))

        return function

    callback = LambdaCallback(**{event: note(event) for event in EVENTS})
    fit(settings(epochs=1), blobs(60), callbacks=[callback])
    assert calls == [
        ("on_setup", 0), ("on_train_begin", 0), ("on_progress", 1), ("on_epoch_end", 1),
        ("on_train_end", 1),
    ]  # fmt: skip


def test_an_unknown_event_gets_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"^unknown event 'on_epoch'; did you mean 'on_epoch_e"):
        LambdaCallback(on_epoch=print)
    with pytest.raises(ConfigError, match=r"^unknown event 'xyz'; known: on_epoch_end, on_prog"):
        LambdaCallback(xyz=print)


# --- a callback that fails ---


class Clumsy(Callback):
    """Raises on one event."""

    def __init__(self, event: str, epoch: int = 0):
        setattr(self, event, lambda run, *_: run.epoch >= epoch and 1 / 0)


def failure(*callbacks: Callback, **changes: Any) -> CallbackError:
    with pytest.raises(CallbackError) as caught:
        fit(settings(**{"epochs": 5, **changes}), blobs(), callbacks=callbacks)
    return caught.value


@pytest.mark.parametrize("event", EVENTS)
def test_a_failure_names_the_callback_the_event_and_the_error(event: str) -> None:
    error = failure(Clumsy(event))
    assert str(error) == (f"callback Clumsy failed in {event}: ZeroDivisionError: division by zero")
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert error.exit_code == 1


@pytest.mark.parametrize("event", EVENTS[:-1])
def test_after_failure_every_callback_gets_on_train_end(event: str) -> None:
    calls: list[str] = []
    before = LambdaCallback(on_train_end=lambda run: calls.append("before"))
    after = LambdaCallback(
        **{
            event: lambda run, *_: calls.append(event),
            "on_train_end": lambda run: calls.append("b"),
        }
    )
    failure(before, Clumsy(event), after, epochs=1)
    assert calls == [event, "before", "b"]


@pytest.mark.parametrize(
    ("event", "epochs"), [("on_epoch_end", 2), ("on_progress", 1)]
)  # in epoch 2
def test_what_was_trained_until_a_failure_is_kept(event: str, epochs: int) -> None:
    result = failure(Clumsy(event, 2)).result
    whole = fit(settings(epochs=epochs), blobs())
    assert (result.status, result.epochs_run) == ("failed", epochs)
    assert result.history.rows == whole.history.rows
    np.testing.assert_array_equal(params(result), params(whole))
    assert result.metrics == whole.metrics


@pytest.mark.parametrize("event", ["on_setup", "on_train_begin"])
def test_a_failure_before_the_first_epoch_leaves_the_initial_weights(event: str) -> None:
    start_from = layers((2, 6, 3))
    with pytest.raises(CallbackError) as caught:
        fit(settings(), blobs(), callbacks=[Clumsy(event)], initial_weights=start_from)
    result = caught.value.result
    assert (result.status, result.epochs_run, result.best_epoch) == ("failed", 0, None)
    np.testing.assert_array_equal(result.predictor.network.weights[0], start_from[0][0])
    unchanged = fit(settings(learning_rate=STANDSTILL), blobs(), initial_weights=start_from)
    assert result.metrics["test_loss"] == unchanged.metrics["test_loss"]


def test_failure_in_on_train_end_keeps_result() -> None:
    result = failure(Clumsy("on_train_end")).result
    assert (result.status, result.epochs_run) == ("finished", 5)
    np.testing.assert_array_equal(params(result), params(fit(settings(epochs=5), blobs())))


def test_of_several_failures_the_first_is_reported() -> None:
    class Other(Clumsy):
        pass

    assert str(failure(Other("on_epoch_end"), Clumsy("on_epoch_end"))).startswith("callback Other ")
    late = failure(Other("on_train_end"), Clumsy("on_epoch_end"))
    assert str(late).startswith("callback Clumsy failed in on_epoch_end")


def test_divergence_is_reported_before_a_failure_at_the_end() -> None:
    config = settings(activation="relu", learning_rate=1e6, epochs=30)
    with pytest.raises(DivergenceError), np.errstate(all="ignore"):
        fit(config, lines(), callbacks=[Clumsy("on_train_end")])
