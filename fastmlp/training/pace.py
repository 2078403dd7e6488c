"""The speed of a run and the time that it still needs, and texts on its progress."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from .run import Run
from .scorers import VALIDATION

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


def epoch_text(row: dict[str, Any], metrics: Iterable[str] = ()) -> str:
    """Return the losses and accuracies of an epoch, and the metrics in some columns."""
    names = {
        "train_loss": "loss",
        "train_accuracy": "accuracy",
        "validation_loss": "val loss",
        "validation_accuracy": "val accuracy",
    }
    names |= {name: name.removeprefix(VALIDATION) for name in metrics}
    shown = [f"{text} {row[name]:.4f}" for name, text in names.items() if row[name] is not None]
    return GAP.join(shown)


class Pace:
    """Speed of a run, or of all models of an ensemble, and the time that it still needs."""

    def __init__(self) -> None:
        self._started = 0.0
        self._before: dict[int, int] = {}  # rows done in earlier processes, by number of the model
        self._rows: dict[int, int] = {}
        self._ended: set[int] = set()

    def begin(self, run: Run) -> None:
        """Start to count the rows of a run."""
        if not self._before:
            self._started = time.perf_counter()
        self._before[run.number] = self._rows[run.number] = _rows(run)

    def end(self, run: Run) -> None:
        """Expect no more rows of a run."""
        self._ended.add(run.number)

    @property
    def shown(self) -> int:
        """The number of the model to show, the first that trains; 0: none trains."""
        return min(self._rows.keys() - self._ended, default=0)

    def speed(self, run: Run) -> float:
        """Return rows per second in this process; 0 before the first row."""
        self._rows[run.number] = _rows(run)
        elapsed = time.perf_counter() - self._started
        done = sum(self._rows.values()) - sum(self._before.values())
        return done / elapsed if elapsed else 0.0

    def seconds_left(self, run: Run) -> float | None:
        """Return the time that the epochs of the settings still need; None before the first row."""
        speed, rows = self.speed(run), run.config.epochs * run.n_train
        left = (
            rows - self._rows.get(number, 0)
            for number in range(1, run.config.n_models + 1)
            if number not in self._ended
        )
        return sum(left) / speed if speed else None


def model_text(run: Run) -> str:
    """Return the number of a model of an ensemble; an empty text for a single model."""
    n_models = run.config.n_models
    return f"model {run.number}/{n_models}" if n_models > 1 else ""


def _rows(run: Run) -> int:
    """Return the number of rows done by the run, including earlier processes."""
    return max(0, run.epoch - 1) * run.n_train + run.rows_done
