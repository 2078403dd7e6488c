"""Progress on stderr: one live line on a terminal, a line per epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from .callbacks import Callback

if TYPE_CHECKING:
    from .run import Run


def epoch_text(row: dict[str, Any]) -> str:
    """Return the losses and accuracies of an epoch."""
    names = {
        "train_loss": "loss",
        "train_accuracy": "accuracy",
        "validation_loss": "val loss",
        "validation_accuracy": "val accuracy",
    }
    shown = [f"{text} {row[name]:.4f}" for name, text in names.items() if row[name] is not None]
    return "  ".join(shown)


def _rows(run: Run) -> int:
    """Return how many rows the run has gone through, in earlier processes, too."""
    return max(0, run.epoch - 1) * run.n_train + run.rows_done


class PlainProgress(Callback):
    """A line after each epoch."""

    def on_train_begin(self, run: Run) -> None:
        self.started, self.rows_before = time.perf_counter(), _rows(run)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        speed = (_rows(run) - self.rows_before) / (time.perf_counter() - self.started)
        epochs = run.config.epochs
        left = (epochs - run.epoch) * run.n_train / speed
        print(
            f"epoch {run.epoch:>{len(str(epochs))}}/{epochs}  {epoch_text(row)}  "
            f"{speed:,.0f} samples/s  {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )


class LiveProgress(Callback):
    """One line that is rewritten, 80 columns wide: epoch, losses, speed and time left."""

    def on_setup(self, run: Run) -> None:
        # Not at the top, because importing rich takes a tenth of a second that other runs need not
        # spend; not in on_train_begin, because that is within the time measured.
        from rich.console import Console
        from rich.progress import Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            TextColumn("{task.fields[losses]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=Console(stderr=True),
            transient=True,
        )

    def on_train_begin(self, run: Run) -> None:
        total = run.config.epochs * run.n_train
        self.started, self.rows_before = time.perf_counter(), _rows(run)
        self.task = self.progress.add_task(
            "", total=total, completed=self.rows_before, epoch="1", losses="", speed=""
        )
        self.losses = ""
        self.progress.start()

    def on_progress(self, run: Run) -> None:
        rows = _rows(run)
        speed = (rows - self.rows_before) / (time.perf_counter() - self.started)
        self.progress.update(
            self.task,
            completed=rows,
            epoch=f"{run.epoch}/{run.config.epochs}",
            losses=self.losses or f"loss {run.train_loss:.4f}",
            speed=f"{speed / 1000:,.1f}k samples/s",
        )

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
        train_loss, train_accuracy, loss, accuracy = (
            "" if row[name] is None else f" {row[name]:.4f}" for name in names
        )
        validation = f"  val{loss}{accuracy}" if loss else ""
        self.losses = f"loss{train_loss}{train_accuracy}{validation}"
        self.on_progress(run)

    def on_train_end(self, run: Run) -> None:
        self.progress.stop()


class Progress(Callback):
    """Progress on stderr as suits it: a live line on a terminal, else a line per epoch."""

    def __init__(self) -> None:
        self.shown = LiveProgress() if sys.stderr.isatty() else PlainProgress()

    def on_setup(self, run: Run) -> None:
        self.shown.on_setup(run)

    def on_train_begin(self, run: Run) -> None:
        self.shown.on_train_begin(run)

    def on_progress(self, run: Run) -> None:
        self.shown.on_progress(run)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        self.shown.on_epoch_end(run, row)

    def on_train_end(self, run: Run) -> None:
        self.shown.on_train_end(run)
