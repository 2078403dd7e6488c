"""Records of cells, made by hand."""

from __future__ import annotations

from typing import Any

from fastmlp.sweeps.leaderboard import Trial


def trial(accuracy: float | None, status: str = "finished", **settings: Any) -> Trial:
    """A record; its history leads up to its accuracy."""
    config = {"epochs": 3, "seed": 0, "learning_rate": 0.1, **settings}
    history, metrics = {}, {}
    if accuracy is not None:
        accuracies = [accuracy - 0.2, accuracy - 0.1, accuracy]
        losses = [1 - value for value in accuracies]
        history = {
            "epoch": [1, 2, 3], "train_loss": losses, "validation_loss": losses,
            "train_accuracy": accuracies, "validation_accuracy": accuracies,
        }  # fmt: skip
        metrics = {
            "validation_accuracy": accuracy, "validation_loss": 1 - accuracy,
            "train_accuracy": accuracy, "train_loss": 1 - accuracy, "epochs_run": 3,
            "n_parameters": 10,
        }  # fmt: skip
    key = "-".join(f"{name}={value}" for name, value in sorted(config.items()))
    timings = {"train_seconds": 1.5, "inference_seconds": 0.01, "inference_rows": 100}
    error = "" if status == "finished" else "it went <wrong>"
    return Trial(key, settings, config, status, error, history, {}, metrics, timings)
