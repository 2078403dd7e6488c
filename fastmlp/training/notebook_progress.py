"""Progress in a notebook: a bar, the last epoch, and the losses so far, updated in place."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ..base.notebook import LiveHtml
from .events import Callback
from .pace import Pace, epoch_text, model_text, time_text
from .run import Run

_SECONDS = 0.25  # between two updates: each is sent to the browser
_WIDTH, _HEIGHT = 320, 60
_MOST_POINTS = 160  # of a curve
_PARTS = {"train_loss": "#3a9bd9", "validation_loss": "#d55e00"}


class NotebookProgress(Callback):
    """An element of a notebook that is updated while a run trains."""

    reads_weights = False

    def on_setup(self, run: Run) -> None:
        if run.number == 1:
            self.pace = Pace()
            self.rows: dict[int, dict[str, Any]] = {}  # the last ones, by number of the model
            self.live: LiveHtml | None = None

    def on_train_begin(self, run: Run) -> None:
        self.pace.begin(run)
        self._update(run)

    def on_progress(self, run: Run) -> None:
        is_due = time.perf_counter() - self._updated_at >= _SECONDS
        if is_due and run.number == self.pace.shown:
            self._update(run)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        self.rows[run.number] = row
        self.on_progress(run)

    def on_train_end(self, run: Run) -> None:
        self.pace.end(run)
        if self.live is not None:  # it failed before training otherwise
            self._update(run)

    def _update(self, run: Run) -> None:
        view = _view(run, self.pace, self.rows.get(run.number))
        if self.live is None:
            self.live = LiveHtml(view)
        else:
            self.live.update(view)
        self._updated_at = time.perf_counter()


def _view(run: Run, pace: Pace, row: dict[str, Any] | None) -> str:
    """Return the state of a run in HTML, in the colours of the page around it."""
    epochs, left = run.config.epochs, pace.seconds_left(run)
    done = min(epochs, max(0, run.epoch - 1) + run.rows_done / max(1, run.n_train))
    loss = f"loss {run.train_loss:.4f}" if row is None else epoch_text(row)
    parts = [
        model_text(run),
        f"epoch {max(1, run.epoch)}/{epochs}",
        loss,
        f"{pace.speed(run):,.0f} samples/s",
    ]
    if left:
        parts.append(f"{time_text(left)} left")
    text = html.escape("   ".join(filter(None, parts)))
    return (
        f'<div><progress value="{done:.3f}" max="{epochs}" style="width:{_WIDTH}px"></progress>'
        f'<div style="font-variant-numeric:tabular-nums">{text}</div>'
        f"{_curves(run)}</div>"
    )


def _curves(run: Run) -> str:
    """Return the losses of all epochs as an SVG element; empty before the second epoch."""
    rows = run.history.rows[:: -(-len(run.history.rows) // _MOST_POINTS) or 1]
    columns = {name: [row[name] for row in rows] for name in _PARTS}
    values = [v for column in columns.values() for v in column if v is not None]
    if len(rows) < 2 or not values:
        return ""
    low, high = min(values), max(values)
    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>'
        for name, colour in _PARTS.items()
        if (points := " ".join(_points(columns[name], low, high)))
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="training and validation '
        f'loss">{lines}</svg>'
    )


def _points(values: Sequence[float | None], low: float, high: float) -> Iterator[str]:
    for i, value in enumerate(values):
        if value is not None:
            share = (value - low) / ((high - low) or 1.0)
            x = 2 + (_WIDTH - 4) * i / (len(values) - 1)
            yield f"{x:.1f},{_HEIGHT - 3 - (_HEIGHT - 6) * share:.1f}"
