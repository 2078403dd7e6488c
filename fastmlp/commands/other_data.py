"""Settings inferred from one dataset and used with another: ``--config old --data new``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..base.errors import ConfigError, DataError
from ..base.settings import AUTO
from ..base.toml import read_toml
from ..data.dataset import Dataset
from ..training.config import TrainConfig
from ..training.network_checks import as_input_shape
from ..training.resolve import resolve, resolve_settings

# Settings that depend on the task, with their defaults.
_OF_TASK = {
    "output_activation": AUTO,
    "loss": AUTO,
    "target_scale": TrainConfig.target_scale,
    "class_weight": "none",
    "label_smoothing": 0.0,
    "threshold": 0.5,
}


def is_other_data(options: argparse.Namespace) -> bool:
    """Return whether ``--data`` names other data than the file of ``--config``."""
    if options.config is None or "data" not in options:
        return False
    before = read_toml(options.config, "--config").get("data", options.data)
    return bool(before != options.data)


def _defaults_of_task(config: TrainConfig) -> dict[str, Any]:
    """Return ``auto`` for each setting of updates whose value is its task's default."""
    names = ("optimizer", "schedule", "clip_norm", "weight_init")
    by_task = resolve_settings(config.replace(**dict.fromkeys(names, AUTO)))
    return {name: AUTO for name in names if getattr(config, name) == getattr(by_task, name)}


def infer_again(
    config: TrainConfig,
    options: argparse.Namespace,
    load: Callable[[TrainConfig], Dataset],
    notify: Callable[[str], None],
) -> tuple[TrainConfig, Dataset]:
    """Load other data, and infer again the settings that do not fit them.

    Parameters
    ----------
    config : TrainConfig
        From the file, changed by the options given.
    options : Namespace
        Settings that they give are kept.
    load : callable
        Returns the dataset of a config.
    notify : callable
        Called with the settings that are inferred again.
    """
    free = config if "task" in options else config.replace(task=AUTO)
    dataset = load(free)
    changes: dict[str, Any] = {}
    if "task" not in options and config.task not in (AUTO, dataset.task):
        changes = {"task": AUTO, **_OF_TASK, **_defaults_of_task(config)}
    if config.split == "official" and not dataset.has_official_split:
        changes["split"] = AUTO
    if config.scale == "unit" and dataset.feature_range is None:
        changes["scale"] = AUTO
    shape = dataset.image_shape
    if config.input_shape and shape is not None and config.input_shape != as_input_shape(shape):
        changes["input_shape"] = ()
    kept = {name: value for name, value in changes.items() if name not in options}
    part = dataset.keep_classes(config.classes) if config.classes else dataset
    try:
        resolve(config.replace(**kept), part)
    except (ConfigError, DataError):  # output and loss were for another number of classes
        kept |= {k: v for k, v in _OF_TASK.items() if k not in options}
    differing = {k: getattr(config, k) for k, v in kept.items() if getattr(config, k) != v}
    if differing:
        shown = ", ".join(f"{name} (was {value})" for name, value in differing.items())
        notify(
            f"settings: inferred again for {options.data}, since {Path(options.config).name} is "
            f"for other data: {shown}"
        )
    return config.replace(**kept), dataset
