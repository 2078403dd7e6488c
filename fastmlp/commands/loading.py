"""The model that a command is given: a file, or a run folder that holds one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..base.errors import ConfigError
from ..model.predictor import Predictor


def load_model(path: Path, threshold: float | None = None) -> Predictor:
    """Return a saved model, with another threshold if one is given.

    Raises
    ------
    ConfigError
        If the threshold is not between 0 and 1, or the model has none.
    DataError
        If the file is missing or damaged.
    """
    predictor = Predictor.load(path / "model.safetensors" if path.is_dir() else path)
    if threshold is None:
        return predictor
    task = predictor.task
    if task.kind not in ("binary", "multilabel"):
        raise ConfigError(
            f"--threshold goes with two classes or several labels, this model does {task.kind}; "
            "leave it out"
        )
    if not 0 < threshold < 1:
        raise ConfigError(f"--threshold must be between 0 and 1, got {threshold}")
    return predictor.replace(task=dataclasses.replace(task, threshold=threshold))
