"""Progress on stderr: one live line on a terminal that can rewrite it, else a line per epoch."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from ..base.notebook import in_notebook
from .events import EVENTS, Callback
from .notebook_progress import NotebookProgress
from .pace import GAP, Pace, epoch_text, model_text, time_text
from .run import Run

if TYPE_CHECKING:
    from rich.console import Console


_WIDTH = 80  # if the terminal's is not known


def is_live(stream: TextIO) -> bool:
    """Whether a stream is a terminal that can rewrite a line."""
    # POSIX systems name the kind of terminal; on Windows all kinds can.
    kind = os.environ.get("TERM", "" if os.name == "posix" else "any")
    return stream.isatty() and kind.lower() not in ("", "dumb", "unknown")


def terminal_width(stream: TextIO) -> int:
    """Return the width of a terminal: ``$COLUMNS``, else its own answer, else 80."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and 0 < int(given) < 10**6:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    except (OSError, ValueError):  # not the system's, or closed
        return _WIDTH


def live_console() -> Console:
    """Return a rich console for stderr, which :func:`is_live`."""
    from rich.console import Console

    # is_live has decided; rich's own environment variables might turn progress off.
    return Console(
        stderr=True, force_terminal=True, force_interactive=True, width=terminal_width(sys.stderr)
    )


def fitting(parts: list[str], width: int) -> str:
    """Join parts of a line, the most important first, as far as they fit."""
    line = ""
    for part in filter(None, parts):
        longer = f"{line}{GAP}{part}" if line else part
        line = longer if len(longer) <= width or not line else line
    return line


def _line(run: Run, pace: Pace, row: dict[str, Any] | None, width: int) -> str:
    """Return the state of a run as a line of a terminal: epoch, loss and time left come first.

    Parameters
    ----------
    run : Run
    pace : Pace
    row : dict or None
        Of the last finished epoch; None during the first.
    width : int
    """
    loss, left = run.train_loss if row is None else row["train_loss"], pace.seconds_left(run)
    epoch = f"epoch {max(1, run.epoch)}/{run.config.epochs}"
    parts = [model_text(run), epoch, f"loss {loss:.4f}"]
    parts.append("" if left is None else f"{time_text(left)} left")
    if row is not None and row["validation_loss"] is not None:
        accuracy = row["validation_accuracy"]
        shown = "" if accuracy is None else f" {accuracy:.4f}"
        parts.append(f"val {row['validation_loss']:.4f}{shown}")
    for scorer in run.scorers:
        if row is not None and row.get(scorer.column) is not None:
            parts.append(f"{scorer.name} {row[scorer.column]:.4f}")
    parts.append(f"{pace.speed(run) / 1000:,.1f}k samples/s")
    if row is not None and row["train_accuracy"] is not None:
        parts.append(f"accuracy {row['train_accuracy']:.4f}")
    return fitting(parts, width)


class PlainProgress(Callback):
    """A line after each epoch, complete in a file or pipe, cut to the width of a terminal."""

    reads_weights = False

    def on_setup(self, run: Run) -> None:
        if run.number == 1:
            self.pace = Pace()

    def on_train_begin(self, run: Run) -> None:
        self.pace.begin(run)

    def on_train_end(self, run: Run) -> None:
        self.pace.end(run)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        if sys.stderr.isatty():
            line = _line(run, self.pace, row, terminal_width(sys.stderr) - 1)
        else:
            epochs = run.config.epochs
            number = f"epoch {run.epoch:>{len(str(epochs))}}/{epochs}"
            speed = f"{self.pace.speed(run):,.0f} samples/s"
            left = f"{time_text(self.pace.seconds_left(run) or 0)} left"
            metrics = [scorer.column for scorer in run.scorers if scorer.column in row]
            parts = (model_text(run), number, epoch_text(row, metrics), speed, left)
            line = GAP.join(filter(None, parts))
        print(line, file=sys.stderr, flush=True)


class LiveProgress(Callback):
    """One line that is rewritten, as wide as the terminal."""

    reads_weights = False

    def on_setup(self, run: Run) -> None:
        if run.number > 1:
            return
        # Imported here, because importing rich takes 0.1 s; not in on_train_begin, which is timed.
        from rich.progress import Progress, TextColumn
        from rich.table import Column

        one_line = Column(no_wrap=True, overflow="crop")
        self.progress = Progress(
            TextColumn("{task.fields[line]}", markup=False, table_column=one_line),
            console=live_console(),
            transient=True,
        )
        self.task = self.progress.add_task("", line="")
        self.pace = Pace()
        self.rows: dict[int, dict[str, Any]] = {}  # the last ones, by number of the model

    def on_train_begin(self, run: Run) -> None:
        self.pace.begin(run)
        self.progress.start()

    def on_progress(self, run: Run) -> None:
        width = terminal_width(sys.stderr)  # windows are resized
        line = _line(run, self.pace, self.rows.get(run.number), width - 1)
        if run.number == self.pace.shown:
            self.progress.console.width = width
            self.progress.update(self.task, line=line)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        self.rows[run.number] = row
        self.on_progress(run)

    def on_train_end(self, run: Run) -> None:
        self.pace.end(run)
        if not self.pace.shown:
            self.progress.stop()


class Progress(Callback):
    """Progress: an element in a notebook, on stderr a live line on a terminal, else epoch lines."""

    reads_weights = False

    def __init__(self) -> None:
        self.shown = _progress_here()
        for event in EVENTS:
            setattr(self, event, getattr(self.shown, event))


def _progress_here() -> Callback:
    if in_notebook():
        return NotebookProgress()
    return LiveProgress() if is_live(sys.stderr) else PlainProgress()
