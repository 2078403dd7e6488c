"""Runs that end at any moment, and what they leave once they have been gone on with."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import Callback, Dataset, TrainConfig, fit
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.schedules import SCHEDULES
from fastmlp.training import slice_length
from fastmlp.training.result import TrainResult
from fastmlp.training.run import Run
from toys import blobs, lines, noise, settings

MODES: dict[str, dict[str, Any]] = {
    "minibatch": {},
    "stochastic": {"mode": "stochastic", "learning_rate": 0.01},
    "batch": {"mode": "batch"},
    "accumulate": {"accumulate": True},
}
OPTIMIZER_SPECS = (
    *OPTIMIZERS.names(), "sgd(momentum=0.9)", "sgd(momentum=0.9, with_rate=true)",
    "adam(epsilon_hat=true)", "rmsprop(momentum=0.5)",
)  # fmt: skip
SCHEDULE_SPECS = {
    **{name: name for name in SCHEDULES.names()},
    "step": "step(every=1, factor=0.5)",
    "plateau": "plateau(patience=0, min_delta=0.05)",
    "adaptive": "adaptive(factor=0.5)",
    "cosine": "cosine(warmup=0.7)",
}
assert set(SCHEDULE_SPECS) == set(SCHEDULES.names())
SETTLING_ROWS = 1700  # several times what the per-sample step puts off


def config_of(optimizer: str, mode: str, schedule: str, **changes: Any) -> TrainConfig:
    """A short run that such a schedule and optimizer make a difference to."""
    usual = {"early_stopping": 2, "min_delta": 0.1, "epochs": 3, "learning_rate": 0.02}
    return settings(
        **{
            **usual, "optimizer": optimizer, "schedule": SCHEDULE_SPECS[schedule],
            **MODES[mode], **changes,
        }
    )  # fmt: skip


def bits(result: TrainResult) -> Any:
    """Everything that a run leaves behind, but for its timings."""
    network = result.predictor.network
    return (
        network.params.tobytes(), result.history.rows, result.iterations.rows, result.metrics,
        result.best_epoch, result.kept_epoch, result.updates_run, result.status,
    )  # fmt: skip


class Killed(BaseException):
    """What no part of a run catches."""


class EndAt(Callback):
    """Raises an exception at the moment number ``count``: after a slice, or after an epoch."""

    def __init__(self, count: int, error: type[BaseException] = Killed):
        self.count, self.error = count, error

    def on_progress(self, run: Run) -> None:
        self.count -= 1
        if self.count == 0:
            raise self.error

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        self.on_progress(run)


def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each slice be as short as can be."""
    monkeypatch.setattr(slice_length, "_SECONDS", 0.0)
    monkeypatch.setattr(slice_length, "_COPIES", 0)
    monkeypatch.setattr(slice_length, "_FIRST", 1)


def ended_again_and_again(
    config: TrainConfig,
    dataset: Dataset,
    folder: Path,
    moments: list[int],
    error: type[BaseException] = Killed,
    every: str = "0.000001s",
    **options: Any,
) -> TrainResult:
    """A run that is interrupted after a number of events, resumed, interrupted again, and so on."""
    for moment in moments:
        with contextlib.suppress(Killed):
            fit(
                config, dataset, callbacks=[EndAt(moment, error)],
                checkpoint_dir=folder, checkpoint_every=every, resume=True, **options,
            )  # fmt: skip
    return fit(config, dataset, checkpoint_dir=folder, resume=True, **options)


def datasets() -> dict[str, Dataset]:
    """Tiny data, by name."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (SETTLING_ROWS, 6)) * (rng.random((SETTLING_ROWS, 6)) < 0.3)
    labels = (pixels.sum(axis=1) > 300).astype(int)
    return {
        "blobs": blobs(170), "noise": noise(70), "lines": lines(150),
        "pixels": Dataset(pixels.astype(np.uint8), labels, feature_range=(0, 255)),
    }  # fmt: skip
