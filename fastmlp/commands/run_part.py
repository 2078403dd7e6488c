"""The training, validation or test rows of a run, read again."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ..base.errors import ConfigError
from ..data.inputs import Inputs
from ..data.split import PARTS, parts
from ..training.config import TrainConfig
from ..training.datasets import dataset_of, selected_rows
from .resuming import settings_of_run


def read_part(options: argparse.Namespace, notify: Callable[[str], None]) -> Inputs:
    """Read the data of a run again, and return one of its parts.

    The file is read and split by the settings of the run. The rows are those of the run only if
    the file is the same.

    Parameters
    ----------
    options : Namespace
        With ``model``, the folder of the run; ``inputs``, its data; and ``part``.
    notify : callable
        Called with what is inferred from the file.

    Raises
    ------
    ConfigError
        If ``model`` is not the folder of a run, or the run has no such part.
    """
    folder: Path = options.model
    settings = settings_of_run(folder) if folder.is_dir() else {}
    if not settings:
        raise ConfigError(
            f"--part {options.part} needs the folder of a run as MODEL, since its config.toml "
            f"tells how the data were split, got {folder}; give that folder"
        )
    if len(options.inputs) > 1:
        raise ConfigError(
            f"--part {options.part} takes one INPUT, got {len(options.inputs)}; name the "
            "data of the run"
        )
    config = TrainConfig.from_dict(settings).replace(data=str(options.inputs[0]))
    dataset = dataset_of(config, notify=notify)
    dataset = selected_rows(dataset, config)
    split = parts(dataset, **config.split_settings)
    X, y = getattr(split, f"X_{PARTS[options.part]}"), getattr(split, f"y_{PARTS[options.part]}")
    if X is None:
        raise ConfigError(
            f"--part {options.part} must be a part of the run, which has none (split "
            f"{config.split}, validation {config.validation:g}); choose another part"
        )
    return Inputs(X, y)
