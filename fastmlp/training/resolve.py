"""Turning every ``auto`` of a config into a value, once the data are known."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.csr import is_sparse
from ..base.errors import ConfigError, DataError
from ..data.dataset import Dataset
from ..model.task import Task
from ..ops.activations import ACTIVATIONS
from ..ops.losses import LOSSES, check_pair
from ..ops.optimizers import OPTIMIZERS, AdamLike, RMSprop
from .config import TrainConfig
from .setting_checks import AUTO


@dataclass(frozen=True, eq=False)
class Resolved:
    """A config without ``auto``, and the task that its network solves."""

    config: TrainConfig
    task: Task


# Defaults for regression. Plain SGD at a constant rate, the default for classes, takes ten times
# the epochs on tables and ends with a noisy step. Without clipping some tables diverge, because of
# an outlier: its gradient grows with the square of its features.
_OF_REGRESSION = {
    "optimizer": "sgd(momentum=0.9, nesterov=true)",
    "schedule": "cosine",
    "clip_norm": 2.0,
}
_OF_OTHERS = {"optimizer": "sgd", "schedule": "constant", "clip_norm": 0.0}


def resolve_settings(config: TrainConfig) -> TrainConfig:
    """Fill in what does not depend on the data; if ``task`` is given, also what depends on it."""
    config = config.replace(**_default_rule(config), **_default_weights(config))
    changes: dict[str, object] = {}
    if config.learning_rate == AUTO:
        changes["learning_rate"] = _default_rate(config)
    if config.monitor == AUTO:
        changes["monitor"] = "validation_loss" if config.validation > 0 else "train_loss"
    return config.replace(**changes)


def resolve(config: TrainConfig, dataset: Dataset) -> Resolved:
    """Fill in everything.

    Raises
    ------
    ConfigError
        If a setting does not go with the data's task, or the pair of output and loss is illegal.
    DataError
        If the labels do not fit the loss.
    """
    if config.task not in (AUTO, dataset.task):
        raise ConfigError(
            f"task must be that of the data, {dataset.task}, got {config.task}; leave it out, or "
            "make the dataset with it"
        )
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
    if config.data == AUTO:  # else as given: a file's path, by which the run can be repeated
        changes["data"] = dataset.name
    if config.split == AUTO:
        changes["split"] = "official" if dataset.has_official_split else "80-20"
    if config.scale == AUTO:
        changes["scale"] = _default_scale(dataset)
    if config.target_scale == AUTO:
        free = task.kind == "regression" and ACTIVATIONS.parse(output).reaches_all_numbers
        changes["target_scale"] = "standard" if free else "none"
    return Resolved(config.replace(**changes), task)


def _check_task_settings(config: TrainConfig, task: Task, output: str, loss: str) -> None:
    """Raise ConfigError where a setting means nothing for the task."""
    two_sided = task.kind in ("binary", "multilabel")
    entropies = ("cross_entropy", "binary_cross_entropy")
    for name, default, applies, where in (
        (
            "threshold",
            0.5,
            two_sided,
            "a task of two classes with one output, or of several labels",
        ),
        ("class_weight", "none", task.classes is not None, "classes"),
        ("target_scale", "none", task.kind == "regression", "regression"),
        ("label_smoothing", 0.0, loss in entropies and task.has_accuracy, "a cross-entropy"),
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
    if config.mode == "stochastic":  # per-sample steps are fast as long as they are plain
        defaults = _OF_OTHERS
    elif config.task == AUTO:
        return {}
    else:
        defaults = _OF_REGRESSION if config.task == "regression" else _OF_OTHERS
    if config.target_scale == "none":  # gradients are then as large as the targets
        defaults = {**defaults, "clip_norm": 0.0}
    return {name: value for name, value in defaults.items() if getattr(config, name) == AUTO}


def _default_weights(config: TrainConfig) -> dict[str, object]:
    """Return the initialiser of weights, if it is auto and can be resolved."""
    if config.weight_init != AUTO or config.task == AUTO:
        return {}
    if config.task == "regression":
        # Outputs start near the mean of the targets. With he_normal they start as far from it as
        # the targets, and a few hundred updates do not correct that.
        return {"weight_init": "glorot_uniform"}
    first = (*config.hidden_activations, "identity")[0]
    return {"weight_init": ACTIVATIONS.parse(first).default_weight_init}


def _default_rate(config: TrainConfig) -> float:
    if config.optimizer == AUTO:  # SGD, with momentum or without
        return 0.1
    if isinstance(OPTIMIZERS.parse(config.optimizer), (AdamLike, RMSprop)):
        return 0.001
    return 0.01 if config.mode == "stochastic" else 0.1


def _default_scale(dataset: Dataset) -> str:
    """By the known range, else by columns: of sparse features so that zeros stay zero."""
    if dataset.feature_range is not None:
        return "unit"
    return "maxabs" if is_sparse(dataset.X) else "standard"


def _output_and_loss(config: TrainConfig, dataset: Dataset) -> tuple[str, str]:
    """Choose what is auto: by the other of the two, else by the task."""
    output, loss = config.output_activation, config.loss
    if output == AUTO and loss == AUTO:
        if dataset.task == "multilabel":
            return "sigmoid", "binary_cross_entropy"
        if dataset.classes is None:
            return "identity", "squared_error"
        if len(dataset.classes) == 2:
            return "sigmoid", "binary_cross_entropy"
        return "softmax", "cross_entropy"
    if output == AUTO:
        fitting = LOSSES.parse(loss).output_activations
        output = next(name for name in (*_preferred_outputs(dataset), *fitting) if name in fitting)
    if loss == AUTO:
        fused = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}
        if output == "exponential":
            loss = "poisson"
        elif dataset.task == "regression":
            loss = "squared_error"
        else:
            loss = fused.get(output, "squared_error")
    check_pair(ACTIVATIONS.parse(output), LOSSES.parse(loss))
    return output, loss


def _preferred_outputs(dataset: Dataset) -> tuple[str, ...]:
    if dataset.classes is None:
        return ("identity",)
    return ("sigmoid",) if len(dataset.classes) == 2 else ("softmax",)


def _task(dataset: Dataset, output: str, loss: str, threshold: float) -> Task:
    n_outputs = 1 if dataset.y.ndim == 1 else dataset.y.shape[1]
    if dataset.task == "multilabel":
        if output == "softmax" or loss == "poisson":
            raise ConfigError(
                f"several labels for a row do not go with output {output} and loss {loss}; "
                "use sigmoid with binary_cross_entropy"
            )
        return Task("multilabel", n_outputs, None, threshold)
    if dataset.classes is None:
        if loss == "cross_entropy" or output == "softmax":
            raise DataError(
                f"y must hold class labels for output {output} with loss {loss}, got real numbers; "
                "use output identity with squared_error, or make y integers or texts"
            )
        parts = dataset.all_targets
        least, most = min(y.min() for y in parts), max(y.max() for y in parts)
        if loss == "binary_cross_entropy" and not 0 <= least <= most <= 1:
            raise DataError(
                "y must lie between 0 and 1 for loss binary_cross_entropy, got "
                f"{least:g} to {most:g}; use squared_error"
            )
        if loss == "poisson" and least < 0:
            raise DataError(
                f"y must not be negative for loss poisson, got {least:g}; use squared_error"
            )
        return Task("regression", n_outputs)
    if loss == "poisson":
        raise DataError("y must hold real numbers for loss poisson, got class labels")
    if len(dataset.classes) == 2 and output != "softmax":
        return Task("binary", 1, dataset.classes, threshold)
    return Task("multiclass", len(dataset.classes), dataset.classes)
