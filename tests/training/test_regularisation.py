"""Factors of learning rates, schedules of dropout and weight decay, limited outputs, ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp import ConfigError, Dataset, Predictor, TrainConfig, TrainResult, fit
from fastmlp.training.fit import start
from toys import BARE, blobs, lines, settings


def trained(**changes: Any) -> TrainResult:
    usual = {"hidden_layer_sizes": (5,), "mode": "batch", "epochs": 1, "clip_norm": 0.0}
    return fit(settings(**{**BARE, **usual, **changes}), blobs(60))


def moves(**changes: Any) -> list[np.ndarray]:
    """How far each weight matrix and each bias vector goes in the first update."""
    layers = changes.pop("layers", None)
    extra = {} if layers is None else {"layers": layers, "hidden_layer_sizes": ()}
    after = trained(bias_init="random_normal(1)", **extra, **changes).predictor.network
    before = trained(bias_init="random_normal(1)", learning_rate=1e-30, **extra).predictor.network
    pairs = zip([*after.weights, *after.biases], [*before.weights, *before.biases], strict=True)
    return [a - b for a, b in pairs]


@pytest.mark.parametrize("optimizer", ["sgd", "sgd(momentum=0.5)", "adam", "rmsprop"])
def test_factors_multiply_the_learning_rate(optimizer: str) -> None:
    usual = {"optimizer": optimizer, "learning_rate": 1e-3}
    plain = moves(layers="dense(5), dense(4)", **usual)
    layers = "dense(5, lr_factor=4), dense(4, lr_factor=0.5)"
    found = moves(layers=layers, bias_lr_factor=2, **usual)
    for factor, one, other in zip([4, 0.5, 1, 8, 1, 2], found, plain, strict=True):
        np.testing.assert_allclose(one, factor * other, rtol=2e-3, atol=1e-7)


def test_with_factors_stochastic_mode_takes_the_general_step() -> None:
    slow = trained(mode="stochastic", bias_lr_factor=1e-12, learning_rate=0.01)
    still = trained(mode="stochastic", learning_rate=1e-30)
    for one, other in zip(
        slow.predictor.network.biases, still.predictor.network.biases, strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-9)


def bits(result: TrainResult) -> bytes:
    return result.predictor.network.params.tobytes()


def test_dropout_and_weight_decay_follow_their_schedules() -> None:
    config = settings(
        **BARE, layers="dropout(0.2), dense(5), dropout(0.5)", epochs=4,
        optimizer="adamw(weight_decay=0.1)", dropout_schedule="step(every=2, factor=0.5)",
        weight_decay_schedule="exponential(0.5)",
    )  # fmt: skip
    steps = start(config, blobs(60)).steps
    for epoch, dropout, decay in ((1, 1, 1), (3, 0.5, 0.25), (2, 1, 0.5), (4, 0.5, 0.125)):
        steps.start_epoch(epoch, np.ones(steps.steps_per_epoch))
        rates = steps.workspace.net.layer_parameters
        np.testing.assert_allclose(rates, np.array([0.2, 0, 0.5, 0]) * dropout)
        assert steps.objective.optimizer_parameters[3] == 0.1 * decay


def test_schedules_of_regularisation_change_what_is_trained() -> None:
    usual: dict[str, Any] = {"epochs": 3, "restore_best": False}
    plain, drops = trained(**usual), {"dropout": 0.5}
    # After the first epoch nothing is dropped, or decays.
    nothing = "step(every=1, factor=1e-12)"
    runs = [plain, trained(**usual, **drops), trained(**usual, **drops, dropout_schedule=nothing)]
    usual["optimizer"] = "adamw(weight_decay=2)"
    runs += [trained(**usual), trained(**usual, weight_decay_schedule=nothing)]
    assert len({bits(run) for run in runs}) == len(runs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout_schedule": "cosine"}, "dropout_schedule cosine needs dropout"),
        (
            {"dropout_schedule": "plateau", "dropout": 0.1},
            "must not depend on results, got plateau",
        ),
        ({"weight_decay_schedule": "cosine"}, "needs an optimizer with weight_decay; use adamw"),
        ({"weight_decay_schedule": "cosine", "optimizer": "adam"}, "needs an optimizer with"),
    ],
)
def test_schedules_without_effect_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**changes)


def test_limited_predictions_stay_in_the_range_of_the_training_targets(tmp_path: Any) -> None:
    data = lines(n_outputs=2)
    far = 100 * data.X
    plain, limited = (
        fit(TrainConfig(limit_outputs=limit, split="none", validation=0), data).predictor
        for limit in (False, True)
    )
    expected = np.clip(plain.predict(far), data.y.min(axis=0), data.y.max(axis=0))
    np.testing.assert_allclose(limited.predict(far), expected, rtol=1e-6)
    assert (limited.predict(far) != plain.predict(far)).any()
    limited.save(tmp_path / "model.safetensors")
    loaded = Predictor.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(far), limited.predict(far))


def test_the_output_layer_may_have_weights_of_its_own() -> None:
    network = trained(output_init="zeros", learning_rate=1e-30).predictor.network
    assert abs(network.weights[-1]).max() < 1e-29 and (network.weights[0] != 0).any()


def test_the_last_of_equally_good_epochs_is_kept_on_request() -> None:
    data = Dataset(np.repeat([[0.0], [1.0]], 40, axis=0), np.repeat([0, 1], 40))
    usual = TrainConfig(monitor="validation_accuracy", epochs=8, optimizer="adam", seed=1)
    first, last = (fit(usual.replace(ties=ties), data) for ties in ("first", "last"))
    accuracies = first.history["validation_accuracy"]
    assert accuracies == last.history["validation_accuracy"] and accuracies[-1] == 1
    assert first.best_epoch == 1 + accuracies.index(1)
    assert last.best_epoch == 8
