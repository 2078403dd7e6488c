from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
import tomllib
from typing import Any

import numpy as np
import pytest
import tomli_w

from fastmlp import ConfigError, TrainConfig
from fastmlp.ops.activations import LeakyRelu
from fastmlp.ops.optimizers import SGD
from fastmlp.ops.schedules import Plateau
from fastmlp.training.layers import dropout_rates, hidden_activations


def refusal(**settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults() -> None:
    assert TrainConfig().to_dict() == {
        "data": "auto",
        "test_file": "",
        "validation_file": "",
        "target": "",
        "features": [],
        "drop": [],
        "categorical": [],
        "numeric": [],
        "header": "auto",
        "separator": "auto",
        "decimal": "auto",
        "thousands": "",
        "encoding": "auto",
        "na_values": [],
        "comment": "auto",
        "task": "auto",
        "classes": [],
        "split": "auto",
        "validation": 0.1,
        "hold_out": "random",
        "missing": "impute",
        "min_frequency": 5,
        "scale": "auto",
        "target_scale": "auto",
        "hidden_layer_sizes": [128, 64],
        "layers": [],
        "input_shape": [],
        "activation": "relu",
        "output_activation": "auto",
        "loss": "auto",
        "weight_init": "auto",
        "bias_init": "zeros",
        "output_init": "auto",
        "dropout": 0.0,
        "input_dropout": 0.0,
        "optimizer": "auto",
        "learning_rate": "auto",
        "bias_lr_factor": 1.0,
        "mode": "minibatch",
        "sampling": "shuffle",
        "accumulate": False,
        "batch_size": 32,
        "epochs": 10,
        "l1": 0.0,
        "l2": 0.0,
        "penalty_per_row": False,
        "max_norm": 0.0,
        "clip_norm": "auto",
        "clip_value": 0.0,
        "label_smoothing": 0.0,
        "class_weight": "none",
        "schedule": "auto",
        "dropout_schedule": "constant",
        "weight_decay_schedule": "constant",
        "early_stopping": 0,
        "monitor": "auto",
        "min_delta": 0.0,
        "improvement": "cumulative",
        "restore_best": True,
        "ties": "first",
        "loss_limit": 1e6,
        "limit_outputs": False,
        "threshold": 0.5,
        "seed": 0,
        "dtype": "float32",
        "log_every": 0,
        "n_models": 1,
        "rules": [],
        "metrics": [],
        "calibrate": "none",
    }


def test_an_unknown_setting_names_the_nearest() -> None:
    assert refusal(activaton="relu") == "unknown setting 'activaton'; did you mean 'activation'?"
    with pytest.raises(ConfigError, match="unknown setting 'epoch'; did you mean 'epochs'"):
        TrainConfig().replace(epoch=3)


def test_a_config_can_be_copied_and_pickled() -> None:
    config = TrainConfig(epochs=3, hidden_layer_sizes=(5,))
    assert copy.deepcopy(config) == config == pickle.loads(pickle.dumps(config))


def test_no_setting_can_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("batch_size", 0, "at least 1"),
        ("epochs", 0, "at least 1"),
        ("epochs", 2**24, "below 2**24"),
        ("early_stopping", -1, "at least 0"),
        ("log_every", -1, "at least 0"),
        ("seed", -1, "at least 0"),
        ("seed", 2**64, "below 2**64"),
        ("validation", -0.1, "at least 0"),
        ("l1", -1e-9, "at least 0"),
        ("l2", -1.0, "at least 0"),
        ("min_delta", -1.0, "at least 0"),
        ("learning_rate", 0.0, "above 0"),
        ("learning_rate", -0.1, "above 0"),
        ("threshold", 0.0, "between 0 and 1"),
        ("threshold", 1.0, "between 0 and 1"),
        ("max_norm", -0.5, "at least 0"),
        ("clip_norm", -0.5, "at least 0"),
        ("clip_value", -0.5, "at least 0"),
        ("label_smoothing", -0.1, "at least 0 and below 1"),
        ("label_smoothing", 1.0, "at least 0 and below 1"),
        ("dropout", -0.1, "at least 0 and below 1"),
        ("dropout", 1.0, "at least 0 and below 1"),
        ("dropout", (0.5, 1.0), "at least 0 and below 1"),
        ("input_dropout", 1.0, "at least 0 and below 1"),
        ("input_dropout", -0.1, "at least 0 and below 1"),
        ("batch_size", 2.5, "a whole number"),
        ("batch_size", True, "a whole number"),
        ("epochs", "5", "a whole number"),
        ("epochs", None, "a whole number"),
        ("epochs", math.inf, "a whole number"),
        ("seed", 10**400, "a whole number"),
        ("l1", math.nan, "a number"),
        ("l2", math.inf, "a number"),
        ("l2", "much", "a number"),
        ("l2", np.array([1.0, 2.0]), "a number"),
        ("l2", 1j, "a number"),
        ("validation", True, "a number"),
        ("learning_rate", "fast", "a number"),
        ("learning_rate", math.inf, "a number"),
        ("accumulate", 1, "true or false"),
        ("restore_best", "yes", "true or false"),
        ("mode", 3, "a text"),
        ("data", None, "a text"),
        ("split", 80, "a text"),
        ("hidden_layer_sizes", None, "a whole number"),
        ("hidden_layer_sizes", 3.5, "a whole number"),
        ("hidden_layer_sizes", "128,64", "a whole number"),
        ("hidden_layer_sizes", [8, "4"], "a whole number"),
        ("classes", None, "a text"),
        ("max_norm", math.nan, "a number"),
        ("clip_norm", math.inf, "a number"),
        ("clip_value", "0.5", "a number"),
        ("label_smoothing", None, "a number"),
        ("dropout", "0.5", "a number"),
        ("dropout", True, "a number"),
        ("dropout", None, "a number"),
        ("dropout", [0.5, "4"], "a number"),
        ("input_dropout", (0.5,), "a number"),
        ("class_weight", None, "a text"),
        ("data", 3, "a text"),
    ],
)
def test_a_bad_value_is_named_with_its_rule_and_the_default(
    name: str, value: Any, rule: str
) -> None:
    got = "'4'" if isinstance(value, list) else repr(value)
    default = getattr(TrainConfig, name)
    assert refusal(**{name: value}) == (
        f"{name} must be {rule}, got {got}; the default is {default!r}"
    )


@pytest.mark.parametrize("sizes", [(0, -3), (-1,), (8, 0), (2**24,), (10**30,)])
def test_sizes_of_hidden_layers_have_bounds(sizes: tuple[int, ...]) -> None:
    message = refusal(hidden_layer_sizes=sizes)
    assert message.startswith("hidden_layer_sizes must be whole numbers from 1 to 2**24 - 1, got ")
    assert f"got {','.join(map(str, sizes))}; write 128,64 for two layers, or none" in message


@pytest.mark.parametrize(
    ("name", "value", "suggestion"),
    [
        ("mode", "minibach", "did you mean 'minibatch'?"),
        ("sampling", "shufle", "did you mean 'shuffle'?"),
        ("metrics", "roc_au", "did you mean 'roc_auc'?"),
        ("dtype", "float23", "did you mean 'float32'?"),
        ("split", "oficial", "did you mean 'official'?"),
        ("scale", "standart", "did you mean 'standard'?"),
        ("activation", "rellu", "did you mean 'relu'?"),
        ("output_activation", "softmacks", "did you mean 'softmax'?"),
        ("loss", "cross_entropie", "did you mean 'cross_entropy'?"),
        ("weight_init", "he_norml", "did you mean 'he_normal'?"),
        ("bias_init", "zero", "did you mean 'zeros'?"),
        ("optimizer", "adm", "did you mean 'adam'?"),
        ("schedule", "plato", "did you mean 'plateau'?"),
        ("schedule", "xyz", "known: adaptive, constant, cosine, coslog, coslog4, exponential"),
        ("target_scale", "minmaks", "did you mean 'minmax'?"),
        ("activation", ("relu", "tanhh"), "did you mean 'tanh'?"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(name: str, value: str, suggestion: str) -> None:
    message = refusal(**{name: value})
    assert repr(value if isinstance(value, str) else value[-1]) in message
    assert suggestion in message


@pytest.mark.parametrize("name", ["activation", "bias_init"])
def test_auto_is_refused_where_nothing_decides(name: str) -> None:
    assert "'auto'" in refusal(**{name: "auto"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizer": "sgd(momentum=2)"}, ["sgd", "momentum", "below 1", "got 2.0"]),
        ({"optimizer": "sgd(nesterov=true)"}, ["sgd", "nesterov", "momentum"]),
        ({"optimizer": "adam(momentum=0.9)"}, ["adam", "no parameter 'momentum'"]),
        ({"schedule": "plateau(factor=2)"}, ["plateau", "factor", "got 2.0"]),
        ({"activation": "relu("}, ["activation", "cannot read 'relu('"]),
        ({"activation": SGD()}, ["unknown activation 'sgd'"]),
        ({"split": "70-20"}, ["split", "sum to 100", "'70-20'", "80-20"]),
    ],
)
def test_a_bad_spec_is_refused(settings: dict[str, Any], words: list[str]) -> None:
    message = refusal(**settings)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"output_activation": "relu", "loss": "cross_entropy"},
            ["cross_entropy", "relu", "softmax", "squared_error"],
        ),
        (
            {"mode": "batch", "sampling": "replacement"},
            ["sampling replacement", "mode batch", "use mode minibatch or stochastic"],
        ),
        (
            {"accumulate": True, "mode": "stochastic"},
            ["accumulate", "mode stochastic", "use mode minibatch"],
        ),
    ],
)
def test_settings_that_exclude_each_other_are_refused(
    settings: dict[str, Any], words: list[str]
) -> None:
    message = refusal(**settings)
    assert all(word in message for word in words), message


@pytest.mark.parametrize("name", ["activation", "dropout"])
@pytest.mark.parametrize(("depth", "count"), [(2, 1), (2, 3), (1, 2), (0, 1), (2, 0)])
def test_each_hidden_layer_needs_its_value(name: str, depth: int, count: int) -> None:
    values = {"activation": ("relu",), "dropout": (0.5,)}[name] * count
    assert refusal(hidden_layer_sizes=(4,) * depth, **{name: values}) == (
        f"{name} must be one value, or one for each of the {depth} hidden layers, got {count}"
    )


@pytest.mark.parametrize("activation", ["exponential", ("relu", "exponential")])
def test_an_exponential_is_for_the_output_layer(activation: str | tuple[str, ...]) -> None:
    assert refusal(activation=activation) == (
        "activation exponential is for the output layer only; use it as output_activation"
    )
    assert TrainConfig(output_activation="exponential").output_activation == "exponential"


def test_without_a_hidden_layer_no_hidden_unit_can_be_dropped() -> None:
    message = refusal(hidden_layer_sizes=(), dropout=0.5)
    assert message == (
        "dropout applies to hidden layers, of which there are none, got 0.5; "
        "use input_dropout, or add a hidden layer"
    )
    assert dropout_rates(TrainConfig(hidden_layer_sizes=(), input_dropout=0.5)) == (0.5,)


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, ()),
        ({"dropout": (0.0, 0.0)}, ()),
        ({"dropout": 0.5}, (0.0, 0.5, 0.5)),
        ({"dropout": (0.0, 0.5)}, (0.0, 0.0, 0.5)),
        ({"input_dropout": 0.2}, (0.2, 0.0, 0.0)),
        ({"input_dropout": 0.2, "dropout": (0.5, 0.25)}, (0.2, 0.5, 0.25)),
    ],
)
def test_each_layer_drops_its_share_of_inputs(
    settings: dict[str, Any], rates: tuple[float, ...]
) -> None:
    assert dropout_rates(TrainConfig(**settings)) == rates


@pytest.mark.parametrize(
    ("activation", "sizes", "expected"),
    [
        ("tanh", (3, 4), ("tanh", "tanh")),
        (["tanh", "ELU(0.5)"], (3, 4), ("tanh", "elu(alpha=0.5)")),
        (np.array(["swish"]), (3,), ("silu",)),
        ("relu", (), ()),
    ],
)
def test_hidden_layers_know_their_activation(
    activation: Any, sizes: tuple[int, ...], expected: tuple[str, ...]
) -> None:
    config = TrainConfig(hidden_layer_sizes=sizes, activation=activation)
    assert hidden_activations(config) == expected


def test_activations_can_be_given_as_records() -> None:
    config = TrainConfig(activation=(LeakyRelu(slope=0.2), LeakyRelu()))  # type: ignore[arg-type]
    assert config.activation == ("leaky_relu(slope=0.2)", "leaky_relu")


@pytest.mark.parametrize(
    "text", ["", "3", "3=", "=2", "3=x", "3=-1", "3=nan", "3=inf", "3=2,", "Balanced"]
)
def test_class_weights_that_cannot_be_read_are_refused(text: str) -> None:
    assert refusal(class_weight=text) == (
        "class_weight must be none, balanced, or pairs like 3=2,7=0.5 with weights of at least 0, "
        f"got {text!r}"
    )


def test_a_class_has_one_weight() -> None:
    assert refusal(class_weight="3=2, 3=4") == "class_weight names class '3' twice, got '3=2, 3=4'"


@pytest.mark.parametrize("class_weight", ["balanced", "3=2"])
def test_class_weights_mean_nothing_to_an_update_per_sample(class_weight: str) -> None:
    message = refusal(mode="stochastic", class_weight=class_weight)
    assert message.startswith("class_weight does not go with mode stochastic: ")
    assert message.endswith("; use mode minibatch or batch")


def test_the_range_of_targets_is_never_known() -> None:
    message = refusal(target_scale="unit")
    assert message.startswith("target_scale must not be unit, ")
    assert message.endswith("; use minmax or standard")


def test_holding_out_the_last_rows_needs_a_validation_set() -> None:
    assert refusal(validation=0, hold_out="last").endswith("or leave hold_out out")
    assert TrainConfig(hold_out="last", validation=5).split_settings["hold_out"] == "last"


@pytest.mark.parametrize(
    "settings",
    [
        {"monitor": "validation_loss"},
        {"monitor": "validation_accuracy"},
        {"monitor": "validation_score"},
        {"early_stopping": 3},
        {"schedule": "plateau"},
    ],
)
def test_monitoring_validation_needs_a_validation_set(settings: dict[str, Any]) -> None:
    monitor = settings.get("monitor", "validation_loss")
    message = refusal(validation=0, **settings)
    assert message.startswith(f"monitor {monitor} needs a validation set, but validation is 0;")
    assert "set validation to 0.1, for example, or monitor to train_loss" in message
    TrainConfig(**settings)
    TrainConfig(**{**settings, "monitor": "train_loss"}, validation=0)


def test_an_adaptive_rate_needs_a_patience() -> None:
    assert refusal(schedule="adaptive") == (
        "schedule adaptive lowers the rate where early stopping would stop, but early_stopping is "
        "0; set it to 2, for example"
    )
    TrainConfig(schedule="adaptive", early_stopping=2)


def test_without_validation_auto_monitors_nothing_that_is_missing() -> None:
    assert TrainConfig(validation=0).monitor == "auto"


def test_numpy_scalars_become_plain_numbers() -> None:
    config = TrainConfig(
        epochs=np.int32(3),
        batch_size=np.float64(8.0),
        l1=np.float32(0.5),
        learning_rate=np.float64(0.25),
        accumulate=np.bool_(True),
        mode=np.str_("minibatch"),
        hidden_layer_sizes=np.array([3, 4], np.uint8),
    )
    shown = {
        "epochs": 3, "batch_size": 8, "l1": 0.5, "learning_rate": 0.25, "accumulate": True,
        "mode": "minibatch", "hidden_layer_sizes": (3, 4),
    }  # fmt: skip
    assert {name: getattr(config, name) for name in shown} == shown
    assert {type(getattr(config, name)) for name in shown} == {int, float, bool, str, tuple}
    assert {type(size) for size in config.hidden_layer_sizes} == {int}


@pytest.mark.parametrize("sizes", [7, np.int64(7), [7], (7.0,), np.array([7])])
def test_one_hidden_layer_in_any_form(sizes: Any) -> None:
    assert TrainConfig(hidden_layer_sizes=sizes).hidden_layer_sizes == (7,)


def test_integers_are_accepted_as_numbers() -> None:
    config = TrainConfig(l2=1, learning_rate=1, validation=100)
    assert [type(v) for v in (config.l2, config.learning_rate, config.validation)] == [float] * 3


@pytest.mark.parametrize(
    ("classes", "kept"),
    [([3, 7], ("3", "7")), (("a",), ("a",)), ("ab", ("ab",)), (5, ("5",)), ([], ()),
     (np.array([3, 7]), ("3", "7")), ([True, False], ("True", "False"))],
)  # fmt: skip
def test_classes_are_kept_as_texts(classes: Any, kept: tuple[str, ...]) -> None:
    assert TrainConfig(classes=classes).classes == kept


def test_specs_can_be_given_as_records() -> None:
    config = TrainConfig(
        activation=LeakyRelu(slope=0.2),  # type: ignore[arg-type]
        optimizer=SGD(momentum=0.9, nesterov=True),  # type: ignore[arg-type]
        schedule=Plateau(patience=3),  # type: ignore[arg-type]
    )
    assert config.activation == "leaky_relu(slope=0.2)"
    assert config.optimizer == "sgd(momentum=0.9, nesterov=true)"
    assert config.schedule == "plateau(patience=3)"


def test_specs_are_kept_in_one_form() -> None:
    assert TrainConfig(optimizer="SGD(0.9)") == TrainConfig(optimizer="sgd(momentum=0.9)")
    assert TrainConfig(weight_init="xavier").weight_init == "glorot_uniform"
    assert TrainConfig(scale="standard-global").scale == "standard_global"
    assert TrainConfig(activation="logistic").activation == "sigmoid"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"classes": ["3", "7"], "hidden_layer_sizes": [], "accumulate": True, "l1": 1e-5},
        {"optimizer": "adam(beta1=0.8)", "learning_rate": 1e-3, "seed": 2**64 - 1},
        {"activation": ("tanh", "elu(0.5)"), "dropout": (0.2, 0.5), "input_dropout": 0.1},
        {"activation": "gelu", "dropout": 0.25, "max_norm": 3, "clip_norm": 1, "clip_value": 0.5},
        {"hidden_layer_sizes": (7,), "activation": ("silu",), "dropout": (0.5,)},
        {"hidden_layer_sizes": (), "activation": (), "dropout": ()},
        {"target": "price", "target_scale": "minmax", "loss": "huber(delta=0.5)"},
        {"class_weight": "a=2,b=0.5", "label_smoothing": 0.1, "schedule": "cosine(warmup=2)"},
        {"class_weight": "balanced", "optimizer": "adamw(weight_decay=0.1)"},
    ],
)
def test_a_config_survives_toml_and_json(settings: dict[str, Any]) -> None:
    config = TrainConfig(**settings)
    as_dict = config.to_dict()
    assert TrainConfig.from_dict(tomllib.loads(tomli_w.dumps(as_dict))) == config
    assert TrainConfig.from_dict(json.loads(json.dumps(as_dict))) == config


def test_what_is_not_given_is_the_default() -> None:
    assert TrainConfig.from_dict({"epochs": 3}) == TrainConfig(epochs=3)


def test_replace_changes_a_copy_and_checks_it() -> None:
    config = TrainConfig()
    assert config.replace(epochs=3, l2=0.1) == TrainConfig(epochs=3, l2=0.1)
    assert config == TrainConfig()
    with pytest.raises(ConfigError, match="epochs must be at least 1"):
        config.replace(epochs=0)


@pytest.mark.parametrize("change", [TrainConfig.from_dict, lambda v: TrainConfig().replace(**v)])
def test_an_unknown_setting_gets_the_nearest_one(change: Any) -> None:
    with pytest.raises(ConfigError, match=r"^unknown setting 'epoch'; did you mean 'epochs'\?$"):
        change({"epoch": 3})
