"""Checks of combinations of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.errors import ConfigError
from ..base.settings import AUTO
from ..data.split import parse_split
from ..ops.activations import ACTIVATIONS
from ..ops.losses import LOSSES, check_pair
from ..ops.optimizers import OPTIMIZERS
from ..ops.scalers import SCALERS
from ..ops.schedules import SCHEDULES, ConstantRate
from .layers import is_given
from .setting_checks import check_fields, check_names
from .weighting import parse_class_weight

_BESIDE_LAYERS = {
    "hidden_layer_sizes": "write dense(64) in layers",
    "dropout": "write dropout(0.2) in layers",
    "input_dropout": "write dropout(0.2) as the first of the layers",
}


def check_given(values: Mapping[str, Any], config: type) -> None:
    """Raise ConfigError for an unknown field, or both ``layers`` and ``hidden_layer_sizes``.

    Parameters
    ----------
    values : mapping of str to object
        The given fields: defaults would hide whether ``hidden_layer_sizes`` is given.
    config : type
        TrainConfig.
    """
    check_names(values, config)
    if "hidden_layer_sizes" in values and is_given(values.get("layers")):
        _refuse_beside_layers("hidden_layer_sizes", values["hidden_layer_sizes"])


def check_all(config: Any) -> None:
    """Check settings that have their types, each and together."""
    check_fields(config)
    parse_split(config.split)
    parse_class_weight(config.class_weight)
    check_layers(config)
    check_combinations(config)


def check_layers(config: Any) -> None:
    """Check settings of hidden layers."""
    if config.layers:
        _check_list_of_layers(config)
    elif config.input_shape:
        raise ConfigError(
            f"input_shape is the shape of the images that layers take, got {config.input_shape} "
            "without layers; add layers, or leave it out"
        )
    if len(config.input_shape) not in (0, 3):
        raise ConfigError(
            "input_shape must be height, width and channels, such as 28,28,1, got "
            f"{','.join(map(str, config.input_shape))}"
        )
    depth = len(config.hidden_layer_sizes)
    for name in ("activation", "dropout"):
        value = getattr(config, name)
        if isinstance(value, tuple) and len(value) != depth:
            raise ConfigError(
                f"{name} must be one value, or one for each of the {depth} hidden layers, "
                f"got {len(value)}"
            )
    texts = [getattr(layer, "activation", "") for layer in config.hidden_layers]
    for text in filter(None, texts):
        if not ACTIVATIONS.parse(text).hidden:
            raise ConfigError(
                f"activation {text} is for the output layer only; use it as output_activation"
            )
    if config.dropout and not depth and not config.layers:
        raise ConfigError(
            f"dropout applies to hidden layers, of which there are none, got {config.dropout}; "
            "use input_dropout, or add a hidden layer"
        )


def _check_list_of_layers(config: Any) -> None:
    """Check that no setting of the short form is given beside ``layers``."""
    for name in _BESIDE_LAYERS:
        _refuse_beside_layers(name, getattr(config, name))
    if isinstance(config.activation, tuple):
        raise ConfigError(
            f"activation must be one value beside layers, got {', '.join(config.activation)}; "
            "write dense(64, tanh) in layers"
        )


def _refuse_beside_layers(name: str, value: Any) -> None:
    if is_given(value) and value != 0:
        raise ConfigError(
            f"{name} does not go with layers, got {value}; {_BESIDE_LAYERS[name]}, or leave out one"
        )


def check_combinations(config: Any) -> None:
    """Raise ConfigError for settings that cannot be combined."""
    if AUTO not in (config.output_activation, config.loss):
        check_pair(ACTIVATIONS.parse(config.output_activation), LOSSES.parse(config.loss))
    if config.mode == "batch" and config.sampling == "replacement":
        raise ConfigError(
            "sampling replacement does not go with mode batch, which uses every row; "
            "use mode minibatch or stochastic"
        )
    if config.accumulate and config.mode == "stochastic":
        raise ConfigError(
            "accumulate does not go with mode stochastic, which updates after each sample; "
            "use mode minibatch with a batch size"
        )
    if config.class_weight != "none" and config.mode == "stochastic":
        raise ConfigError(
            "class_weight does not go with mode stochastic: the weighted mean over a batch of "
            "one sample does not depend on its weight; use mode minibatch or batch"
        )
    if config.target_scale != AUTO and not SCALERS.parse(config.target_scale).is_of_targets:
        raise ConfigError(
            f"target_scale must not be {config.target_scale}, which is for features only; use "
            "minmax or standard"
        )
    schedule = ConstantRate() if config.schedule == AUTO else SCHEDULES.parse(config.schedule)
    if schedule.needs_stopping and not config.early_stopping:
        raise ConfigError(
            f"schedule {config.schedule} lowers the rate where early stopping would stop, but "
            "early_stopping is 0; set it to 2, for example"
        )
    _check_regularisation_schedules(config)
    if config.hold_out == "last" and config.validation == 0:
        raise ConfigError(
            "hold_out last says which rows are held out for validation, but validation is 0; set "
            "validation to 0.1, for example, or leave hold_out out"
        )
    if config.calibrate != "none" and config.validation == 0:
        raise ConfigError(
            f"calibrate {config.calibrate} needs a validation set, but validation is 0; set "
            "validation to 0.1, for example, or leave calibrate out"
        )
    uses_monitor = config.early_stopping > 0 or schedule.needs_monitor
    if config.validation == 0 and (
        config.monitor.startswith("validation") or (config.monitor == AUTO and uses_monitor)
    ):
        monitor = "validation_loss" if config.monitor == AUTO else config.monitor
        raise ConfigError(
            f"monitor {monitor} needs a validation set, but validation is 0; "
            "set validation to 0.1, for example, or monitor to train_loss"
        )


def _check_regularisation_schedules(config: Any) -> None:
    """Raise ConfigError for schedules that depend on results, or have nothing to change."""
    drops = any(layer.trains_only for layer in config.hidden_layers)
    decays = config.optimizer != AUTO and OPTIMIZERS.parse(config.optimizer).has_decay
    for name, has_effect, remedy in (
        ("dropout_schedule", drops, "dropout; set it to 0.1, for example"),
        ("weight_decay_schedule", decays, "an optimizer with weight_decay; use adamw"),
    ):
        schedule = SCHEDULES.parse(getattr(config, name))
        if schedule.needs_monitor or schedule.needs_stopping:
            raise ConfigError(
                f"{name} must not depend on results, got {schedule}; use cosine, for example"
            )
        if schedule != ConstantRate() and not has_effect:
            raise ConfigError(f"{name} {schedule} needs {remedy}, or leave {name} out")
