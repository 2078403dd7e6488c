"""The folder that a run leaves: settings, history, metrics, timings, the model, pictures, a page.

Files that hold results hold no times, thread counts or paths, so that the same run gives the same
bytes anywhere; timings are in a separate file, and on the page.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import tomli_w

from ..base.errors import ConfigError, check_type
from ..base.files import encoded, remove_partial, write_atomically, write_text
from ..base.folders import contents, lock_folder, make_folder, remove_files
from ..base.json_values import to_json
from ..data.dataset import Dataset
from ..training.callbacks import CsvLog
from ..training.checkpoints import remove_checkpoints
from ..training.config import TrainConfig
from ..training.result import TrainResult
from .evaluation import RunEvaluation, evaluate_run
from .importance import SECONDS, with_importance
from .pictures import PICTURES, draw_pictures
from .provenance import run_provenance
from .run_page import run_page

CHECKPOINTS = "checkpoints"  # a folder in it
# Files that a run may write; those of an older run are removed.
FILES = (
    "config.toml", "history.csv", "iterations.csv", "metrics.json", "timings.json",
    "model.safetensors", "report.html", *PICTURES,
)  # fmt: skip


class RunFolder:
    """A folder created before training, so that one that is not writable is detected in time.

    It is locked against other runs until it is closed.

    Parameters
    ----------
    path : path-like or None
        None: ``runs/NAME-DATE-TIME``.
    config : TrainConfig
        Resolved; written at once.
    overwrite : bool, default False
        Whether the folder may exist and hold files. Those of an older run are removed.
    resume : bool, default False
        Whether it may hold files of this run, which is resumed. They are kept until :meth:`resume`.
    name : str, default "--out"
        What messages call it.

    Attributes
    ----------
    path : Path
    log : Callback
        Writes ``history.csv`` as it grows, a row per epoch; of an ensemble, ``history-1.csv`` and
        so on.

    Raises
    ------
    ConfigError
        If the folder holds files and ``overwrite`` is false, cannot be written to, or is in use.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        config: TrainConfig,
        overwrite: bool = False,
        resume: bool = False,
        name: str = "--out",
    ):
        path = path if path is not None else unused_folder(config.data)
        self.path, self._name, self._config = make_folder(path, name), name, config
        self._lock = lock_folder(self.path, name)
        self.log = CsvLog(self.path / "history.csv")
        if not resume:
            with ExitStack() as failing, self._failures_named():
                failing.callback(self.close)
                self._begin(overwrite)
                failing.pop_all()

    def close(self) -> None:
        """Unlock the folder."""
        self._lock.release()

    def resume(self) -> None:
        """Prepare the folder of a run that is resumed."""
        with self._failures_named():
            remove_partial(self.path)
            self._write_text("config.toml", to_toml(self._config))

    def _begin(self, overwrite: bool) -> None:
        if not overwrite and contents(self.path):
            raise ConfigError(
                f"{self._name} {self.path} must be a new or empty folder, and it holds files; "
                "choose another, or add --overwrite (in Python: overwrite=True)"
            )
        if overwrite:  # its checkpoints first: a run that is under way holds them
            remove_checkpoints(self.path / CHECKPOINTS)
            of_models = sorted(self.path.glob("history-*.csv"))
            remove_files([*(self.path / file for file in FILES), *of_models], self._name)
        # If folders cannot be locked, "x" admits one of two runs that start at the same time.
        with (self.path / "config.toml").open("xb") as file:
            file.write(encoded(to_toml(self._config)))

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"{self._name} {self.path} cannot be written to: {error.strerror}; choose another "
                "folder, or write none"
            ) from None

    def write(self, result: TrainResult, extra_timings: dict[str, Any]) -> None:
        """Write the model, what was recorded, and what training itself has found."""
        result.predictor.save(self.path / "model.safetensors")
        # Once more as a whole: training may have ended before its first epoch.
        self._write_text("history.csv", result.history.to_csv())
        for number, model in enumerate(result.models, start=1):
            self._write_text(f"history-{number}.csv", model.history.to_csv())
        if result.config.log_every:
            self._write_text("iterations.csv", result.iterations.to_csv())
        self._write_json("metrics.json", metrics_of(result))
        parts = {"phase_seconds": result.phase_seconds, "layer_seconds": result.layer_seconds}
        self._write_json("timings.json", {**result.timings, **parts, **extra_timings})

    def write_evaluation(self, evaluation: RunEvaluation, plots: bool = True) -> None:
        """Add the metrics on each set, the pictures and the page.

        Parameters
        ----------
        evaluation : RunEvaluation
        plots : bool, default True
            False: no pictures, and none on the page.
        """
        metrics = {**metrics_of(evaluation.result), "sets": evaluation.metrics()}
        self._write_json("metrics.json", metrics)
        pictures = draw_pictures(evaluation) if plots else None
        for name, content in (pictures or {}).items():
            write_atomically(self.path / name, content)
        origin = run_provenance(evaluation.result, evaluation.fingerprint)
        self._write_text("report.html", run_page(evaluation, pictures, origin))

    def _write_text(self, name: str, text: str) -> None:
        write_text(self.path / name, text)

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        self._write_text(name, to_json(values, indent=2) + "\n")


def save_run(
    result: TrainResult,
    dataset: Dataset,
    path: str | os.PathLike[str] | None = None,
    *,
    plots: bool = True,
    overwrite: bool = False,
    importance_seconds: float = SECONDS,
) -> Path:
    """Write the folder that the command line leaves: model, history, metrics, pictures, a page.

    Parameters
    ----------
    result : TrainResult
    dataset : Dataset
        That was trained on.
    path : path-like, optional
        Default: ``runs/NAME-DATE-TIME``.
    plots : bool, default True
        False: no pictures, and none on the page.
    overwrite : bool, default False
        Whether the folder may exist and hold files; those of an older run are removed.
    importance_seconds : float, default 2
        Time in which to measure the importance of the columns of a table; 0: none.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigError
        If the folder holds files and ``overwrite`` is false, cannot be written to, or another run
        writes into it; and if ``importance_seconds`` is negative or not finite.
    """
    check_type("result", result, TrainResult, "what fit(config, dataset) returns")
    check_type("dataset", dataset, Dataset, "the dataset of the run, then the folder")
    check_seconds(importance_seconds)
    with closing(RunFolder(path, result.config, overwrite, name="path")) as folder:
        folder.write(result, {"threads": result.plan.threads})
        evaluation = with_importance(evaluate_run(result, dataset), importance_seconds)
        folder.write_evaluation(evaluation, plots)
    return folder.path


def check_seconds(seconds: float, name: str = "importance_seconds") -> None:
    """Raise ConfigError unless a time is finite and at least 0."""
    if not 0 <= seconds < math.inf:
        raise ConfigError(f"{name} must be at least 0 and finite, got {seconds}; 0 measures none")


def metrics_of(result: TrainResult) -> dict[str, Any]:
    """Return all results of a run that do not depend on the machine's speed."""
    described = result.to_dict()
    keys = ("data", "model", "status", "epochs_run", "best_epoch", "kept_epoch", *result.metrics)
    return {key: described[key] for key in (*keys, "models") if key in described}


def to_toml(config: TrainConfig) -> str:
    """Return the settings as ``--config`` takes them."""
    return tomli_w.dumps(_as_unicode(config.to_dict()))


def _as_unicode(value: Any) -> Any:
    """Return settings without the surrogates of file names that are not UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {name: _as_unicode(item) for name, item in value.items()}
    return [_as_unicode(item) for item in value] if isinstance(value, list | tuple) else value


def unused_folder(name: str) -> Path:
    """Return ``runs/NAME-DATE-TIME``, which is not there yet."""
    safe = "-".join(re.findall(r"[A-Za-z0-9_.]+", Path(name).name)).strip("-.")
    stem = f"{safe or 'run'}-{time.strftime('%Y%m%d-%H%M%S')}"
    path, count = Path("runs") / stem, 1
    while path.exists():
        count += 1
        path = Path("runs") / f"{stem}-{count}"
    return path
