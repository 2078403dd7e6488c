"""Turning every ``auto`` of a config into a value, once the data are known."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.errors import ConfigError, DataError
from ..data.dataset import Dataset
from ..model.task import Task
from ..ops.activations import ACTIVATIONS
from ..ops.losses import LOSSES, check_pair
from ..ops.optimizers import OPTIMIZERS, Adam
from .config import AUTO, TrainConfig


@dataclass(frozen=True, eq=False)
class Resolved:
    """A config without ``auto``, and the task that its network solves."""

    config: TrainConfig
    task: Task


def resolve_settings(config: TrainConfig) -> TrainConfig:
    """Fill in what does not depend on the data."""
    changes: dict[str, object] = {}
    if config.weight_init == AUTO:
        changes["weight_init"] = ACTIVATIONS.parse(config.activation).default_weight_init
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
    config = resolve_settings(config)
    output, loss = _output_and_loss(config, dataset)
    task = _task(dataset, output, loss, config.threshold)
    if config.threshold != 0.5 and task.kind != "binary":
        raise ConfigError(
            f"threshold applies to a task of two classes with one output, got {config.threshold} "
            f"for a {task.kind} task; leave it out"
        )
    if config.monitor.endswith("accuracy") and not task.has_accuracy:
        raise ConfigError(
            f"monitor {config.monitor} does not go with regression, which has no accuracy; "
            "use validation_loss or train_loss"
        )
    changes: dict[str, object] = {"data": dataset.name, "output_activation": output, "loss": loss}
    if config.split == AUTO:
        changes["split"] = "official" if dataset.has_official_split else "80-20"
    if config.scale == AUTO:
        changes["scale"] = "standard" if dataset.feature_range is None else "unit"
    return Resolved(config.replace(**changes), task)


def _default_rate(config: TrainConfig) -> float:
    if isinstance(OPTIMIZERS.parse(config.optimizer), Adam):
        return 0.001
    return 0.01 if config.mode == "stochastic" else 0.1


def _output_and_loss(config: TrainConfig, dataset: Dataset) -> tuple[str, str]:
    """Choose what is auto: by the other of the two, else by the task."""
    output, loss = config.output_activation, config.loss
    if output == AUTO and loss == AUTO:
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
        by_task = {} if dataset.classes is None else fused
        loss = by_task.get(output, "squared_error")
    check_pair(ACTIVATIONS.parse(output), LOSSES.parse(loss))
    return output, loss


def _preferred_outputs(dataset: Dataset) -> tuple[str, ...]:
    if dataset.classes is None:
        return ("identity",)
    return ("sigmoid",) if len(dataset.classes) == 2 else ("softmax",)


def _task(dataset: Dataset, output: str, loss: str, threshold: float) -> Task:
    if dataset.classes is None:
        n_outputs = 1 if dataset.y.ndim == 1 else dataset.y.shape[1]
        if loss == "cross_entropy" or output == "softmax":
            raise DataError(
                f"y must hold class labels for output {output} with loss {loss}, got real numbers; "
                "use output identity with squared_error, or make y integers or texts"
            )
        if loss == "binary_cross_entropy" and not 0 <= dataset.y.min() <= dataset.y.max() <= 1:
            raise DataError(
                "y must lie between 0 and 1 for loss binary_cross_entropy, got "
                f"{dataset.y.min():g} to {dataset.y.max():g}; use squared_error"
            )
        return Task("regression", n_outputs)
    if len(dataset.classes) == 2 and output != "softmax":
        return Task("binary", 1, dataset.classes, threshold)
    return Task("multiclass", len(dataset.classes), dataset.classes)
