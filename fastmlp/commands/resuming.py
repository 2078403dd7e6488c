"""A run's folder and its checkpoints: started or resumed."""

# Heavy imports are in the functions: settings are read before Numba may be imported.

from __future__ import annotations

import argparse
import dataclasses
import tomllib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError
from ..training.config import TrainConfig

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..reports.run_folder import RunFolder
    from ..training.ensemble import Ensemble
    from ..training.loop import Loop
    from ..training.run import Run


def settings_of_run(folder: Path) -> dict[str, Any]:
    """Return the settings of the run in a folder; empty if there is no run yet.

    Raises
    ------
    ConfigError
        If the folder contains files, but not a run.
    """
    path = folder / "config.toml"
    try:
        if not folder.exists() or _is_new(folder):
            return {}
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--resume {folder} must be the folder of a run, or a new one, and its config.toml "
            f"cannot be read: {getattr(error, 'strerror', None) or error}; choose another"
        ) from None
    missing = {field.name for field in dataclasses.fields(TrainConfig)} - set(settings)
    if missing:
        raise ConfigError(
            f"--resume {folder} needs all settings in its config.toml, and it has no "
            f"{min(missing)}: the run was ended before it started; start it again with --out and "
            "--overwrite"
        )
    return settings


def _is_new(folder: Path) -> bool:
    """Whether a folder has no files, except those of a run that was killed before it started."""
    return folder.is_dir() and not any(
        path.is_file() and not path.name.startswith(".") for path in folder.rglob("*")
    )


def open_run(
    options: argparse.Namespace, run: Run, dataset: Dataset
) -> tuple[RunFolder | None, Loop | Ensemble]:
    """Return a run's folder, and its loop, which resumes from a checkpoint with --resume.

    The caller closes both the folder and the loop's checkpoints after the run's files are written.

    Raises
    ------
    ConfigError
        If the folder cannot be used, or contains another run.
    DataError
        If its checkpoints are damaged.
    """
    from ..reports.run_folder import CHECKPOINTS, RunFolder
    from ..training.fit import loop_of, open_checkpoints
    from ..training.identity import identity

    if options.no_out:
        return None, loop_of(run)
    is_resumed = options.resume is not None
    folder = (
        RunFolder(options.resume, run.config, resume=True, name="--resume")
        if is_resumed
        else RunFolder(options.out, run.config, options.overwrite)
    )
    with ExitStack() as failing:
        failing.callback(folder.close)
        checkpoints = None
        if is_resumed or options.checkpoint_every is not None:
            checkpoints = open_checkpoints(
                folder.path / CHECKPOINTS,
                options.checkpoint_every,
                identity(run.config, dataset),
                is_resumed,
            )
            failing.callback(checkpoints.close)
        loop = loop_of(run, checkpoints)
        if is_resumed:  # the checkpoints have shown that it is the folder of this run
            folder.resume()
        failing.pop_all()
    return folder, loop
