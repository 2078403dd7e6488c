"""A sweep as it goes on, on stderr: a live table on a terminal, a line for each cell elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..reports.leaderboard import Leaderboard, Trial, label, value_text
from ..reports.sweep_tables import ranking_table
from ..reports.tables import number
from ..sweeps.watching import Standing, Watcher
from .running import print_line

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHOWN = 12
_REFRESH_SECONDS = 0.5


def start_text(standing: Standing) -> str:
    """Return how many cells there are, and how many of them are done already."""
    title = f"{standing.title}: " if standing.title else ""
    done = standing.n_cells - standing.n_missing
    kept = f", {done:,} of them done before" if done else ""
    return f"{title}{standing.n_cells:,} cells{kept}"


def time_text(seconds: float | None) -> str:
    """Return a time, such as 1:05 min or 42 s; nothing for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02} h"
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"


class SweepLines(Watcher):
    """A line for each cell."""

    def on_start(self, standing: Standing, board: Leaderboard) -> None:
        print_line(start_text(standing))

    def on_trial(self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]) -> None:
        shown = [f"{standing.done}/{standing.n_missing}", _cell_text(trial, standing.axes)]
        if trial.is_good:
            for name, text in (
                ("validation_accuracy", "val accuracy"),
                ("validation_loss", "loss"),
            ):
                if trial.metrics.get(name) is not None:
                    shown.append(f"{text} {number(trial.metrics[name])}")
            shown.append(f"{trial.seconds or 0:.2f} s")
        else:
            shown.append(f"{trial.status}: {trial.error}")
        if standing.done < standing.n_missing:
            shown.append(f"{time_text(standing.seconds_left)} left")
        print_line("  ".join(shown))


class LiveTable(Watcher):
    """The best so far, overall progress and time left, rewritten in place."""

    def on_start(self, standing: Standing, board: Leaderboard) -> None:
        from rich.console import Console
        from rich.live import Live

        self.standing, self.board = standing, board
        self.shown_at, self.cost = time.perf_counter(), 0.0
        self.live = Live(
            get_renderable=self.render, console=Console(stderr=True), transient=True,
            refresh_per_second=4,
        )  # fmt: skip
        self.live.start()

    def on_trial(self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]) -> None:
        # Ranking thousands of cells takes a while: no more than a tenth of the time goes to it.
        now = time.perf_counter()
        if now - self.shown_at > max(_REFRESH_SECONDS, 10 * self.cost):
            self.board = board()
            self.shown_at = time.perf_counter()
            self.cost = self.shown_at - now

    def on_end(self, standing: Standing, board: Leaderboard) -> None:
        self.live.stop()

    def render(self) -> RenderableType:
        """Return the table and the bar below it."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        header, rows = ranking_table(self.board, _SHOWN)
        table = Table(box=None, header_style="bold", pad_edge=False)
        for i, name in enumerate(header):
            table.add_column(name, justify="left" if 0 < i <= len(self.board.axes) else "right")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        standing = self.standing
        left = standing.seconds_left
        text = f"{start_text(standing)}; {standing.done:,} of {standing.n_missing:,} finished"
        text += f", {time_text(standing.elapsed)}"
        text += "" if left is None else f", {time_text(left)} left"
        bar = ProgressBar(total=standing.cost or 1, completed=standing.cost_done, width=60)
        below = Table.grid()  # a bar by itself ends no line
        below.add_row(bar)
        below.add_row(Text(text))
        return Group(table, Text(), below)


def sweep_progress() -> Watcher:
    """Return the watcher that suits stderr."""
    return LiveTable() if sys.stderr.isatty() else SweepLines()


def _cell_text(trial: Trial, axes: list[str]) -> str:
    values = ((axis, value_text(trial.settings.get(axis))) for axis in axes)
    return " ".join(f"{label(axis)}={text}" for axis, text in values if text)
