"""The speed of a run and the time that it still needs, and texts on its progress."""

from __future__ import annotations

import time
from typing import Any

from .run import Run

GAP = "  "  # between parts of a line


def time_text(seconds: float | None) -> str:
    """Return a time such as 1:05 min or 42 s; an empty text for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02} h"
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"


def epoch_text(row: dict[str, Any]) -> str:
    """Return the losses and accuracies of an epoch."""
    names = {
        "train_loss": "loss",
        "train_accuracy": "accuracy",
        "validation_loss": "val loss",
        "validation_accuracy": "val accuracy",
    }
    shown = [f"{text} {row[name]:.4f}" for name, text in names.items() if row[name] is not None]
    return GAP.join(shown)


class Pace:
    """Speed of a run, and the time that it still needs."""

    def __init__(self, run: Run):
        self.started, self.rows_before = time.perf_counter(), _rows(run)

    def speed(self, run: Run) -> float:
        """Return rows per second in this process; 0 before the first row."""
        elapsed = time.perf_counter() - self.started
        return (_rows(run) - self.rows_before) / elapsed if elapsed else 0.0

    def seconds_left(self, run: Run) -> float | None:
        speed, rows = self.speed(run), run.config.epochs * run.n_train
        return (rows - _rows(run)) / speed if speed else None


def _rows(run: Run) -> int:
    """Return the number of rows done by the run, including earlier processes."""
    return max(0, run.epoch - 1) * run.n_train + run.rows_done
