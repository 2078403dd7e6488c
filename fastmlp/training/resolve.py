"""Replacing every ``auto`` in a config by a value, when the data are known."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from ..base.csr import is_sparse
from ..base.errors import ConfigError, DataError
from ..base.settings import AUTO
from ..data.dataset import Dataset
from ..model.task import Task
from ..ops.activations import ACTIVATIONS
from ..ops.losses import LOSSES, Loss, check_pair
from ..ops.optimizers import OPTIMIZERS
from .config import TrainConfig
from .network_checks import as_input_shape, check_network
from .rules import Rule, applying, facts_of


@dataclass(frozen=True, eq=False)
class Resolved:
    """A config without ``auto`` and rules, the task of its network, and the rules that applied."""

    config: TrainConfig
    task: Task
    rules: tuple[Rule, ...] = ()


# Defaults for regression. Plain SGD at a constant rate, the default for classes, takes ten times as
# many epochs on tables and ends with a noisy step. Without clipping some tables diverge because of
# outliers, whose gradients grow with the square of their features.
_OF_REGRESSION = {
    "optimizer": "sgd(momentum=0.9, nesterov=true)",
    "schedule": "cosine",
    "clip_norm": 2.0,
}
_OF_OTHERS = {"optimizer": "sgd", "schedule": "constant", "clip_norm": 0.0}


def resolve_settings(config: TrainConfig) -> TrainConfig:
    """Return the config with ``auto`` replaced where that needs no data.

    Defaults that depend on ``task`` stay auto while it is.
    """
    rules = config.rules
    config = config.replace(**_default_rule(config), **_default_weights(config))
    changes: dict[str, object] = {}
    if config.output_init == AUTO:
        changes["output_init"] = config.weight_init
    if config.learning_rate == AUTO:
        changes["learning_rate"] = _default_rate(config)
    if config.monitor == AUTO:
        changes["monitor"] = "validation_loss" if config.validation > 0 else "train_loss"
    # They may change what was replaced here.
    return config.replace(**changes, rules=rules)


def resolve(config: TrainConfig, dataset: Dataset) -> Resolved:
    """Return the config with its rules applied and every ``auto`` replaced, and the task.

    Raises
    ------
    ConfigError
        If a setting does not fit the task, the loss is not defined for the output activation, or
        the network does not fit the data or the memory.
    DataError
        If the targets do not fit the loss.
    """
    if config.task not in (AUTO, dataset.task):
        raise ConfigError(
            f"task must be that of the data, {dataset.task}, got {config.task}; leave it out, or "
            "make the dataset with it"
        )
    config, rules = _with_rules(config, dataset)
    config = resolve_settings(config.replace(task=dataset.task))
    output, loss = _output_and_loss(config, dataset)
    task = _task(dataset, output, loss, config.threshold)
    _check_task_settings(config, task, output, loss)
    if config.monitor.endswith("accuracy") and not task.has_accuracy:
        raise ConfigError(
            f"monitor {config.monitor} does not go with regression, which has no accuracy; "
            "use validation_loss or train_loss"
        )
    changes: dict[str, object] = {"output_activation": output, "loss": loss}
    if config.data == AUTO:  # a given path is kept, so that the run can be repeated
        changes["data"] = dataset.name
    if config.layers and not config.input_shape:
        changes["input_shape"] = _input_shape(config, dataset)
    if config.split == AUTO:
        changes["split"] = "official" if dataset.has_official_split else "80-20"
    if config.scale == AUTO:
        changes["scale"] = _default_scale(dataset)
    if config.target_scale == AUTO:
        free = task.kind == "regression" and ACTIVATIONS.parse(output).reaches_all_numbers
        changes["target_scale"] = "standard" if free else "none"
    config = config.replace(**changes)
    check_network(config, dataset.n_features, task.n_outputs, dataset.image_shape)
    return Resolved(config, task, rules)


def _with_rules(config: TrainConfig, dataset: Dataset) -> tuple[TrainConfig, tuple[Rule, ...]]:
    """Return the config with the rules that hold applied, and these rules."""
    if not config.rules:
        return config, ()
    rules = applying(config.rules, facts_of(dataset, config.split))
    config = config.replace(rules=())
    for rule in rules:
        config = config.replace(**rule.settings)
    if dataset.has_validation_part:  # settings for any data hold rows out where there are none
        config = config.replace(validation=TrainConfig.validation, hold_out=TrainConfig.hold_out)
    return config, tuple(rules)


def changed_settings(config: TrainConfig, dataset: Dataset) -> tuple[str, ...]:
    """Return the names of settings whose default would have another value on these data.

    Parameters
    ----------
    config : TrainConfig
        Resolved.
    dataset : Dataset
    """
    return tuple(
        field.name
        for field in fields(config)
        if getattr(config, field.name) != field.default
        and _by_default(config, field.name, dataset) != getattr(config, field.name)
    )


def _by_default(config: TrainConfig, name: str, dataset: Dataset) -> object:
    """Return a setting's value if it were not given; None if it is needed."""
    try:
        default = config.replace(**{name: TrainConfig.__dataclass_fields__[name].default})
        return getattr(resolve(default, dataset).config, name)
    except (ConfigError, DataError):
        return None


def _input_shape(config: TrainConfig, dataset: Dataset) -> tuple[int, ...]:
    """Return the shape of the dataset's images; () if no layer takes images."""
    shape = dataset.image_shape
    if shape is None or all(layer.takes_rows for layer in config.hidden_layers):
        return ()
    return as_input_shape(shape)


def _check_task_settings(config: TrainConfig, task: Task, output: str, loss: str) -> None:
    """Raise ConfigError for settings that do not apply to the task."""
    two_sided = task.kind in ("binary", "multilabel")
    smooths = LOSSES.parse(loss).smooths_labels
    for name, default, applies, where in (
        (
            "threshold",
            0.5,
            two_sided,
            "a task of two classes with one output, or of several labels",
        ),
        ("class_weight", "none", task.classes is not None, "classes"),
        ("target_scale", "none", task.kind == "regression", "regression"),
        (
            "calibrate",
            "none",
            ACTIVATIONS.parse(output).gives_probabilities and task.has_accuracy,
            "probabilities of classes or labels",
        ),
        ("label_smoothing", 0.0, smooths and task.has_accuracy, "a cross-entropy"),
    ):
        value = getattr(config, name)
        if value not in (default, AUTO) and not applies:
            raise ConfigError(
                f"{name} applies to {where}, got {value} for a {task.kind} task with loss {loss}; "
                "leave it out"
            )
    reaches_all = ACTIVATIONS.parse(output).reaches_all_numbers
    if config.target_scale not in ("none", AUTO) and not reaches_all:
        raise ConfigError(
            f"target_scale {config.target_scale} needs output activation identity, which reaches "
            f"all scaled values, got {output}"
        )


def _default_rule(config: TrainConfig) -> dict[str, object]:
    """Return optimizer, schedule and clipping, if they are auto and can be resolved."""
    if config.mode == "stochastic":  # only plain SGD has a fast per-sample step
        defaults = _OF_OTHERS
    elif config.task == AUTO:
        return {}
    else:
        defaults = _OF_REGRESSION if config.task == "regression" else _OF_OTHERS
    if config.target_scale == "none":  # gradients are then proportional to the targets
        defaults = {**defaults, "clip_norm": 0.0}
    return {name: value for name, value in defaults.items() if getattr(config, name) == AUTO}


def _default_weights(config: TrainConfig) -> dict[str, object]:
    """Return the initializer of weights, if it is auto and can be resolved."""
    if config.weight_init != AUTO or config.task == AUTO:
        return {}
    if config.task == "regression":
        # Outputs then start near the mean of the targets. With he_normal they start as far from it
        # as the targets are, and a few hundred updates do not correct that.
        return {"weight_init": "glorot_uniform"}
    given = [getattr(layer, "activation", "") for layer in config.hidden_layers]
    first = [*filter(None, given), "identity"][0]
    return {"weight_init": ACTIVATIONS.parse(first).default_weight_init}


def _default_rate(config: TrainConfig) -> float:
    # A remaining auto becomes SGD, with or without momentum: the same default rate.
    optimizer = OPTIMIZERS.parse("sgd" if config.optimizer == AUTO else config.optimizer)
    is_per_sample = config.mode == "stochastic"
    return optimizer.default_sample_rate if is_per_sample else optimizer.default_rate


def _default_scale(dataset: Dataset) -> str:
    """Return unit for a known range, maxabs for sparse features, where zeros stay zero."""
    if dataset.feature_range is not None:
        return "unit"
    return "maxabs" if is_sparse(dataset.X) else "standard"


def _output_and_loss(config: TrainConfig, dataset: Dataset) -> tuple[str, str]:
    """Return output activation and loss: one follows from the other, or both from the task."""
    output, loss = config.output_activation, config.loss
    if output == AUTO:
        output = _default_output(dataset, loss)
        if loss != AUTO and output not in LOSSES.parse(loss).outputs:
            output = LOSSES.parse(loss).outputs[0]
    if loss == AUTO:
        activation = ACTIVATIONS.parse(output)
        is_regression = dataset.task == "regression"
        loss = activation.regression_loss if is_regression else activation.class_loss
    check_pair(ACTIVATIONS.parse(output), LOSSES.parse(loss))
    return output, loss


def _default_output(dataset: Dataset, loss: str) -> str:
    if dataset.classes is None:
        return "sigmoid" if dataset.task == "multilabel" and loss == AUTO else "identity"
    return "sigmoid" if len(dataset.classes) == 2 else "softmax"


def _task(dataset: Dataset, output: str, loss: str, threshold: float) -> Task:
    n_outputs = 1 if dataset.y.ndim == 1 else dataset.y.shape[1]
    is_row_wise, record = ACTIVATIONS.parse(output).is_row_wise, LOSSES.parse(loss)
    if dataset.task == "multilabel":
        if is_row_wise or "multilabel" not in record.tasks:
            raise ConfigError(
                f"several labels for a row do not go with output {output} and loss {loss}; "
                "use sigmoid with binary_cross_entropy"
            )
        return Task("multilabel", n_outputs, None, threshold)
    if dataset.classes is None:
        if is_row_wise or "regression" not in record.tasks:
            raise DataError(
                f"y must hold class labels for output {output} with loss {loss}, got real numbers; "
                "use output identity with squared_error, or make y integers or texts"
            )
        _check_range(dataset, record)
        if not record.quantiles:
            return Task("regression", n_outputs)
        if n_outputs > 1:
            raise ConfigError(
                f"loss {loss} needs a single target, got {n_outputs}; train a model for each"
            )
        return Task("regression", len(record.quantiles), quantiles=record.quantiles)
    if "classification" not in record.tasks:
        raise DataError(f"y must hold real numbers for loss {record.name}, got class labels")
    if len(dataset.classes) == 2 and not is_row_wise:
        return Task("binary", 1, dataset.classes, threshold)
    return Task("multiclass", len(dataset.classes), dataset.classes)


def _check_range(dataset: Dataset, loss: Loss) -> None:
    """Raise DataError where a regression target is outside the range of the loss."""
    low, high = loss.target_range
    parts = dataset.all_targets
    least, most = min(y.min() for y in parts), max(y.max() for y in parts)
    if not low <= least <= most <= high:
        rule, got = f"between {low:g} and {high:g}", f"{least:g} to {most:g}"
        if high == math.inf:
            rule, got = f"at least {low:g}", f"{least:g}"
        raise DataError(f"y must be {rule} for loss {loss.name}, got {got}; use squared_error")
