from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp import ConfigError, DataError, Dataset, TrainConfig
from fastmlp.base.table_options import TableOptions
from fastmlp.training.resolve import Resolved, resolve, resolve_settings
from toys import tags

X = np.arange(12.0).reshape(6, 2)
TARGETS: dict[str, np.ndarray] = {
    "two classes": np.array([0, 1, 0, 1, 0, 1]),
    "three classes": np.array([0, 1, 2, 0, 1, 2]),
    "one number": np.linspace(0, 1, 6),
    "two numbers": np.linspace(-1, 1, 12).reshape(6, 2),
    "counts": np.arange(6.0),
}
OF_THE_TASK = {
    "two classes": ("sigmoid", "binary_cross_entropy"),
    "three classes": ("softmax", "cross_entropy"),
    "one number": ("identity", "squared_error"),
    "two numbers": ("identity", "squared_error"),
    "counts": ("identity", "squared_error"),
    "three labels": ("sigmoid", "binary_cross_entropy"),
}


def resolved(target: str, **settings: Any) -> Resolved:
    dataset = tags(6) if target == "three labels" else Dataset(X, TARGETS[target], name="six")
    return resolve(TrainConfig(**settings), dataset)


def chosen(target: str, **settings: Any) -> tuple[str, str, str]:
    """Output activation, loss and kind of task."""
    found = resolved(target, **settings)
    return found.config.output_activation, found.config.loss, found.task.kind


@pytest.mark.parametrize("target", OF_THE_TASK)
def test_output_and_loss_follow_from_the_task(target: str) -> None:
    assert chosen(target)[:2] == OF_THE_TASK[target]


def test_nothing_is_left_auto() -> None:
    for target in OF_THE_TASK:
        config = resolved(target).config.to_dict()
        left = {name for name, value in config.items() if value == "auto"}
        assert left <= set(TableOptions.names())


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
        ("counts", "exponential", "poisson", "regression"),
        ("three labels", "sigmoid", "binary_cross_entropy", "multilabel"),
        ("three labels", "tanh", "squared_error", "multilabel"),
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
        ("one number", "mae", "identity", "regression"),
        ("one number", "huber(delta=2.0)", "identity", "regression"),
        ("counts", "poisson", "exponential", "regression"),
        ("three labels", "binary_cross_entropy", "sigmoid", "multilabel"),
    ],
)
def test_the_output_follows_from_the_loss(target: str, loss: str, output: str, kind: str) -> None:
    full = {"mae": "absolute_error"}.get(loss, loss)
    assert chosen(target, loss=loss) == (output, full, kind)


@pytest.mark.parametrize(
    ("target", "n_outputs"),
    [
        ("two classes", 1),
        ("three classes", 3),
        ("one number", 1),
        ("two numbers", 2),
        ("three labels", 3),
    ],
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
        ({"optimizer": "adamw"}, 0.001),
        ({"optimizer": "rmsprop"}, 0.001),
        ({"optimizer": "nesterov"}, 0.1),
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
        ("elu", "he_normal"),
        ("gelu", "he_normal"),
        ("silu", "he_normal"),
        ("softplus", "he_normal"),
        (("gelu", "tanh"), "he_normal"),
        (("tanh", "gelu"), "glorot_uniform"),
    ],
)
def test_the_initializer_follows_from_the_first_activation(
    activation: str | tuple[str, ...], init: str
) -> None:
    config = TrainConfig(activation=activation, task="classification")
    assert resolve_settings(config).weight_init == init
    assert resolve_settings(config.replace(task="regression")).weight_init == "glorot_uniform"


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


def test_a_name_that_was_given_is_kept_so_that_the_run_can_be_repeated() -> None:
    dataset = Dataset(X, TARGETS["two classes"], name="houses")
    assert resolve(TrainConfig(data="tables/houses.csv"), dataset).config.data == (
        "tables/houses.csv"
    )


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


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        ("one number", {"class_weight": "balanced"},
         "class_weight applies to classes, got balanced for a regression task with loss "
         "squared_error; leave it out"),
        ("three labels", {"class_weight": "0=2"},
         "class_weight applies to classes, got 0=2 for a multilabel task with loss "
         "binary_cross_entropy; leave it out"),
        ("two classes", {"target_scale": "standard"},
         "target_scale applies to regression, got standard for a binary task with loss "
         "binary_cross_entropy; leave it out"),
        ("three labels", {"target_scale": "minmax"},
         "target_scale applies to regression, got minmax for a multilabel task with loss "
         "binary_cross_entropy; leave it out"),
        ("one number", {"label_smoothing": 0.1},
         "label_smoothing applies to a cross-entropy, got 0.1 for a regression task with loss "
         "squared_error; leave it out"),
        ("one number", {"label_smoothing": 0.1, "loss": "binary_cross_entropy"},
         "label_smoothing applies to a cross-entropy, got 0.1 for a regression task with loss "
         "binary_cross_entropy; leave it out"),
        ("three classes", {"label_smoothing": 0.1, "loss": "squared_error"},
         "label_smoothing applies to a cross-entropy, got 0.1 for a multiclass task with loss "
         "squared_error; leave it out"),
        ("three classes", {"threshold": 0.7},
         "threshold applies to a task of two classes with one output, or of several labels, got "
         "0.7 for a multiclass task with loss cross_entropy; leave it out"),
    ],
)  # fmt: skip
def test_a_setting_without_use_for_the_task_is_refused(
    target: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved(target, **settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("two classes", {"label_smoothing": 0.1, "class_weight": "balanced"}),
        ("two classes", {"label_smoothing": 0.1, "output_activation": "softmax"}),
        ("three classes", {"label_smoothing": 0.1, "class_weight": "0=2"}),
        ("three classes", {"label_smoothing": 0.1, "loss": "binary_cross_entropy"}),
        ("three labels", {"label_smoothing": 0.1, "threshold": 0.7}),
        ("one number", {"target_scale": "standard", "loss": "huber"}),
        ("two numbers", {"target_scale": "minmax"}),
    ],
)
def test_a_setting_of_use_for_the_task_is_kept(target: str, settings: dict[str, Any]) -> None:
    config = resolved(target, **settings).config
    assert {name: getattr(config, name) for name in settings} == settings


@pytest.mark.parametrize("output", ["tanh", "relu", "sigmoid"])
def test_scaled_targets_need_an_output_that_reaches_them(output: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved("one number", target_scale="standard", output_activation=output)
    assert str(caught.value) == (
        "target_scale standard needs output activation identity, which reaches all scaled values, "
        f"got {output}"
    )


def test_poisson_loss_takes_no_scaled_targets() -> None:
    with pytest.raises(ConfigError, match=r"target_scale .* got exponential$"):
        resolved("counts", target_scale="minmax", loss="poisson")


@pytest.mark.parametrize("part", ["training", "test"])
@pytest.mark.parametrize(
    ("loss", "bad", "message"),
    [
        ("poisson", -0.5, "y must be at least 0 for loss poisson, got -0.5; use squared_error"),
        ("binary_cross_entropy", 1.5,
         "y must be between 0 and 1 for loss binary_cross_entropy, got 0 to 1.5; use "
         "squared_error"),
    ],
)  # fmt: skip
def test_targets_out_of_the_range_of_a_loss_are_refused(
    part: str, loss: str, bad: float, message: str
) -> None:
    good, wrong = np.zeros(6), np.array([0, 0, bad, 0, 0, 0])
    y, y_test = (wrong, good) if part == "training" else (good, wrong)
    with pytest.raises(DataError) as caught:
        resolve(TrainConfig(loss=loss), Dataset(X, y, X_test=X, y_test=y_test))
    assert str(caught.value) == message


@pytest.mark.parametrize("target", ["two classes", "three classes"])
def test_poisson_loss_takes_no_labels(target: str) -> None:
    with pytest.raises(DataError) as caught:
        resolved(target, loss="poisson")
    assert str(caught.value) == "y must hold real numbers for loss poisson, got class labels"


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"output_activation": "softmax"}, "output softmax and loss cross_entropy"),
        ({"loss": "cross_entropy"}, "output softmax and loss cross_entropy"),
        ({"loss": "poisson"}, "output exponential and loss poisson"),
    ],
)
def test_several_labels_do_not_exclude_each_other(settings: dict[str, Any], shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved("three labels", **settings)
    assert str(caught.value) == (
        f"several labels for a row do not go with {shown}; use sigmoid with binary_cross_entropy"
    )


@pytest.mark.parametrize(
    ("target", "output", "loss"),
    [
        ("counts", "identity", "poisson"),
        ("one number", "exponential", "squared_error"),
        ("one number", "softmax", "huber"),
        ("one number", "softplus", "absolute_error"),
    ],
)
def test_an_illegal_pair_of_the_new_losses_is_refused(target: str, output: str, loss: str) -> None:
    with pytest.raises(ConfigError, match=f"{loss} does not go with output activation {output}"):
        resolved(target, output_activation=output, loss=loss)


def test_several_labels_have_an_accuracy_to_monitor() -> None:
    config = resolved("three labels", monitor="validation_accuracy").config
    assert config.monitor == "validation_accuracy"
