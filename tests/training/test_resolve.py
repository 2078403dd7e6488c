from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp import ConfigError, DataError, Dataset, TrainConfig
from fastmlp.training.resolve import Resolved, resolve, resolve_settings

X = np.arange(12.0).reshape(6, 2)
TARGETS: dict[str, np.ndarray] = {
    "two classes": np.array([0, 1, 0, 1, 0, 1]),
    "three classes": np.array([0, 1, 2, 0, 1, 2]),
    "one number": np.linspace(0, 1, 6),
    "two numbers": np.linspace(-1, 1, 12).reshape(6, 2),
}
OF_THE_TASK = {
    "two classes": ("sigmoid", "binary_cross_entropy"),
    "three classes": ("softmax", "cross_entropy"),
    "one number": ("identity", "squared_error"),
    "two numbers": ("identity", "squared_error"),
}


def resolved(target: str, **settings: Any) -> Resolved:
    return resolve(TrainConfig(**settings), Dataset(X, TARGETS[target], name="six"))


def chosen(target: str, **settings: Any) -> tuple[str, str, str]:
    """Output activation, loss and kind of task."""
    found = resolved(target, **settings)
    return found.config.output_activation, found.config.loss, found.task.kind


@pytest.mark.parametrize("target", TARGETS)
def test_output_and_loss_follow_from_the_task(target: str) -> None:
    assert chosen(target)[:2] == OF_THE_TASK[target]


def test_nothing_is_left_auto() -> None:
    for target in TARGETS:
        assert "auto" not in resolved(target).config.to_dict().values()


def test_what_is_given_is_kept() -> None:
    given = {
        "split": "70-30", "scale": "minmax", "output_activation": "softmax",
        "loss": "squared_error", "weight_init": "ones", "learning_rate": 3.0,
        "monitor": "train_accuracy",
    }  # fmt: skip
    config = resolved("two classes", **given).config
    assert {name: getattr(config, name) for name in given} == given


@pytest.mark.parametrize(
    ("target", "output", "loss", "kind"),
    [
        ("three classes", "softmax", "cross_entropy", "multiclass"),
        ("three classes", "sigmoid", "binary_cross_entropy", "multiclass"),
        ("three classes", "identity", "squared_error", "multiclass"),
        ("two classes", "softmax", "cross_entropy", "multiclass"),
        ("two classes", "sigmoid", "binary_cross_entropy", "binary"),
        ("two classes", "tanh", "squared_error", "binary"),
        ("one number", "sigmoid", "squared_error", "regression"),
        ("one number", "relu", "squared_error", "regression"),
    ],
)
def test_the_loss_follows_from_the_output(target: str, output: str, loss: str, kind: str) -> None:
    assert chosen(target, output_activation=output) == (output, loss, kind)


@pytest.mark.parametrize(
    ("target", "loss", "output", "kind"),
    [
        ("three classes", "cross_entropy", "softmax", "multiclass"),
        ("three classes", "binary_cross_entropy", "sigmoid", "multiclass"),
        ("three classes", "squared_error", "softmax", "multiclass"),
        ("two classes", "cross_entropy", "softmax", "multiclass"),
        ("two classes", "binary_cross_entropy", "sigmoid", "binary"),
        ("two classes", "mean_squared_error", "sigmoid", "binary"),
        ("one number", "mean_squared_error", "identity", "regression"),
        ("one number", "binary_cross_entropy", "sigmoid", "regression"),
    ],
)
def test_the_output_follows_from_the_loss(target: str, loss: str, output: str, kind: str) -> None:
    assert chosen(target, loss=loss) == (output, loss, kind)


@pytest.mark.parametrize(
    ("target", "n_outputs"),
    [("two classes", 1), ("three classes", 3), ("one number", 1), ("two numbers", 2)],
)
def test_the_task_knows_its_outputs(target: str, n_outputs: int) -> None:
    task = resolved(target).task
    assert task.n_outputs == n_outputs
    classes = [] if task.classes is None else task.classes.tolist()
    assert classes == ([0, 1, 2][: max(n_outputs, 2)] if "classes" in target else [])


def test_two_classes_with_softmax_have_an_output_each() -> None:
    task = resolved("two classes", output_activation="softmax").task
    assert (task.kind, task.n_outputs) == ("multiclass", 2)


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 0.1),
        ({"mode": "batch"}, 0.1),
        ({"mode": "stochastic"}, 0.01),
        ({"optimizer": "sgd(momentum=0.9)"}, 0.1),
        ({"optimizer": "adam"}, 0.001),
        ({"optimizer": "adam(beta1=0.8)", "mode": "stochastic"}, 0.001),
    ],
)
def test_the_rate_follows_from_mode_and_optimizer(settings: dict[str, Any], rate: float) -> None:
    assert resolve_settings(TrainConfig(**settings)).learning_rate == rate


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        ("relu", "he_normal"),
        ("leaky_relu(0.2)", "he_normal"),
        ("tanh", "glorot_uniform"),
        ("sigmoid", "glorot_uniform"),
        ("identity", "glorot_uniform"),
    ],
)
def test_the_initialiser_follows_from_the_activation(activation: str, init: str) -> None:
    assert resolve_settings(TrainConfig(activation=activation)).weight_init == init


def test_the_monitor_follows_from_the_validation_set() -> None:
    assert resolve_settings(TrainConfig()).monitor == "validation_loss"
    assert resolve_settings(TrainConfig(validation=0)).monitor == "train_loss"


def test_split_scale_and_name_follow_from_the_data() -> None:
    y = TARGETS["two classes"]
    plain = resolve(TrainConfig(), Dataset(X, y, name="six")).config
    assert (plain.data, plain.split, plain.scale) == ("six", "80-20", "standard")
    images = Dataset(X, y, X_test=X, y_test=y, feature_range=(0, 11))
    official = resolve(TrainConfig(), images).config
    assert (official.split, official.scale) == ("official", "unit")


@pytest.mark.parametrize(
    ("target", "output", "loss"),
    [
        ("three classes", "relu", "cross_entropy"),
        ("three classes", "softmax", "binary_cross_entropy"),
        ("one number", "identity", "binary_cross_entropy"),
    ],
)
def test_an_illegal_pair_is_refused(target: str, output: str, loss: str) -> None:
    with pytest.raises(ConfigError, match=f"{loss} does not go with output activation {output}"):
        resolved(target, output_activation=output, loss=loss)


def test_an_output_that_no_loss_takes_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not go with output activation leaky_relu"):
        resolved("three classes", output_activation="leaky_relu")


@pytest.mark.parametrize(
    "settings",
    [{"loss": "cross_entropy"}, {"output_activation": "softmax"},
     {"output_activation": "softmax", "loss": "squared_error"}],
)  # fmt: skip
def test_class_losses_refuse_real_numbers(settings: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"y must hold class labels .* got real numbers; use"):
        resolved("one number", **settings)


def test_binary_cross_entropy_refuses_numbers_beyond_0_and_1() -> None:
    with pytest.raises(DataError, match=r"between 0 and 1 .* got -1 to 1; use squared_error"):
        resolved("two numbers", loss="binary_cross_entropy")


@pytest.mark.parametrize(
    ("target", "settings"),
    [("three classes", {}), ("one number", {}), ("two classes", {"output_activation": "softmax"})],
)
def test_a_threshold_needs_one_output_for_two_classes(
    target: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=r"^threshold applies to .* got 0.7 .*; leave it out$"):
        resolved(target, threshold=0.7, **settings)


def test_a_binary_task_keeps_the_threshold() -> None:
    assert resolved("two classes", threshold=0.7).task.threshold == 0.7


@pytest.mark.parametrize("monitor", ["validation_accuracy", "train_accuracy"])
def test_regression_has_no_accuracy_to_monitor(monitor: str) -> None:
    with pytest.raises(
        ConfigError, match=f"^monitor {monitor} .*regression.*; use validation_loss"
    ):
        resolved("one number", monitor=monitor)
