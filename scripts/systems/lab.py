"""What all systems share: the data, runs through fastmlp's public interfaces, and a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import fastmlp
from fastmlp.base.settings import flag_of, rows
from fastmlp.reports.evaluation import RunEvaluation, evaluate_run

ROOT = Path(__file__).resolve().parents[2]
_QUICK_EPOCHS = 2
_QUICK_BATCH = 64
_QUICK_VALIDATION = 0.2

Item = TypeVar("Item")


class Trained(NamedTuple):
    """A run, its model's evaluation on each part of the data, and the name of its folder."""

    name: str
    result: fastmlp.TrainResult
    evaluation: RunEvaluation

    @property
    def test_accuracy(self) -> float:
        """Of the kept weights."""
        return float(self.result.metrics["test_accuracy"])

    @property
    def test_loss(self) -> float:
        """Of the kept weights."""
        return float(self.result.metrics["test_loss"])

    @property
    def seconds(self) -> float:
        """Of training, its evaluations included."""
        return float(self.result.timings["train_seconds"] or 0.0)


class Lab:
    """Runs trainings, sweeps and commands, and keeps their results in a folder.

    Parameters
    ----------
    folder : Path
    quick : bool
        Whether all runs are short and on the embedded digits, as a smoke test.
    seeds : int
        Number of seeds of the runs that are repeated with several.
    """

    def __init__(self, folder: Path, quick: bool, seeds: int):
        self.folder, self.quick, self.seeds = folder, quick, range(seeds)
        self.data_name = "digits" if quick else "mnist"

    @cached_property
    def dataset(self) -> fastmlp.Dataset:
        """MNIST, or the digits."""
        return fastmlp.load_dataset(self.data_name)

    def some(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return all items; in a quick lab only the first."""
        return items[:1] if self.quick else items

    def settings(self, **settings: Any) -> dict[str, Any]:
        """Return settings with the data's name; in a quick lab with fewer epochs and rows."""
        settings["data"] = self.data_name
        if self.quick:
            settings["epochs"] = min(settings["epochs"], _QUICK_EPOCHS)
            if "batch_size" in settings:  # the digits are few
                settings["batch_size"] = min(settings["batch_size"], _QUICK_BATCH)
            if settings.get("validation", 0) >= 1:
                settings["validation"] = _QUICK_VALIDATION
        return settings

    def fit(
        self, name: str, callbacks: Iterable[fastmlp.Callback] = (), **settings: Any
    ) -> Trained:
        """Train on the lab's data, and write a run folder of this name, with its pictures.

        Parameters
        ----------
        name : str
            May hold slashes.
        callbacks : iterable of Callback
        **settings
            Of the :class:`fastmlp.TrainConfig`.
        """
        config = fastmlp.TrainConfig(**self.settings(**settings))
        result = fastmlp.fit(config, self.dataset, callbacks=callbacks)
        fastmlp.save_run(
            result, self.dataset, self.folder / name, plots=not self.quick, overwrite=True
        )
        return Trained(name, result, evaluate_run(result, self.dataset))

    def sweep(self, name: str, grid: dict[str, Any]) -> fastmlp.SweepResult:
        """Sweep a grid over the lab's data, and write the sweep's folder."""
        return fastmlp.run_sweep(
            self.settings(**grid), out=self.folder / name, overwrite=True, plots=not self.quick
        )

    def command(self, name: str, line: list[str]) -> dict[str, Any]:
        """Run a :meth:`command_line`, and return its results with ``--json``.

        Raises
        ------
        RuntimeError
            If it fails.
        """
        more = ["--json", "--quiet", "--out", str(self.folder / name), "--overwrite"]
        done = subprocess.run(
            [sys.executable, *line, *more, *(["--no-plots"] if self.quick else [])],
            capture_output=True, encoding="utf-8", errors="replace",
            env={**os.environ, "PYTHONPATH": _search_path()},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(line)} failed: {done.stderr.strip()}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def command_line(self, *options: str, epochs: int) -> list[str]:
        """Return the arguments of a command line after the interpreter's name."""
        epochs = min(epochs, _QUICK_EPOCHS) if self.quick else epochs
        data = ["--data", self.data_name]
        return ["-m", "fastmlp.train", *data, *options, "--epochs", str(epochs)]

    def line_of(self, **settings: Any) -> list[str]:
        """Return the :meth:`command_line` that trains as :meth:`fit` does; no setting a bool."""
        settings, known = self.settings(**settings), rows(fastmlp.TrainConfig)
        options = [
            text
            for name, value in settings.items()
            if name not in ("data", "epochs")
            for text in (flag_of(name, known[name]), _option_text(value))
        ]
        return self.command_line(*options, epochs=settings["epochs"])


def _option_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _search_path() -> str:
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
