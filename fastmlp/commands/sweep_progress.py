"""Progress of a sweep on stderr: a live table on a terminal, else a line for each cell."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..base.notebook import LiveHtml, in_notebook
from ..reports import page
from ..reports.tables import Table, number
from ..sweeps.leaderboard import Leaderboard, Trial, label, value_text
from ..sweeps.progress import Standing, Watcher
from ..sweeps.reports.tables import ranking_table
from ..training.pace import time_text
from ..training.progress import is_live, live_console, terminal_width
from .running import print_line

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHOWN = 12
_BAR = 60
_REFRESH_SECONDS = 0.5


def start_text(standing: Standing) -> str:
    """Return how many cells there are, and how many of them are done already."""
    title = f"{standing.title}: " if standing.title else ""
    done = standing.n_cells - standing.n_missing
    kept = f", {done:,} of them done before" if done else ""
    return f"{title}{standing.n_cells:,} cells{kept}"


def progress_text(standing: Standing) -> str:
    """Return how many cells have finished, the time so far, and the time left."""
    left = standing.seconds_left
    text = f"{start_text(standing)}; {standing.done:,} of {standing.n_missing:,} finished"
    text += "" if left is None else f", {time_text(left)} left"
    return f"{text}, {time_text(standing.elapsed)} so far"


class SweepLines(Watcher):
    """A line for each cell."""

    def on_start(self, standing: Standing, board: Leaderboard) -> None:
        print_line(start_text(standing))

    def on_trial(self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]) -> None:
        shown = [f"{standing.done}/{standing.n_missing}"]
        if standing.done < standing.n_missing and standing.seconds_left is not None:
            shown.append(f"{time_text(standing.seconds_left)} left")
        shown.append(_cell_text(trial, standing.axes))
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
        print_line("  ".join(shown))


class LiveTable(Watcher):
    """Overall progress, time left and the best trials so far, rewritten in place."""

    def on_start(self, standing: Standing, board: Leaderboard) -> None:
        from rich.live import Live

        self.standing, self.board = standing, board
        self.shown_at, self.cost = time.perf_counter(), 0.0
        self.live = Live(
            get_renderable=self.render, console=live_console(), transient=True,
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
        """Return the progress and below it the table; a low terminal shows the top."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table as Grid
        from rich.text import Text

        standing = self.standing
        above = Grid.grid()  # a bar by itself ends no line
        above.add_row(Text(progress_text(standing)))
        width = min(_BAR, self._width())
        above.add_row(
            ProgressBar(total=standing.cost or 1, completed=standing.cost_done, width=width)
        )
        table = Grid(box=None, header_style="bold", pad_edge=False)
        ranking = ranking_table(self.board, _SHOWN)
        kept = fitting_columns(ranking, len(self.board.axes), self._width())
        for i in kept:
            is_axis = 0 < i <= len(self.board.axes)
            table.add_column(ranking.header[i], justify="left" if is_axis else "right")
        for row in ranking.rows:
            table.add_row(*(Text(row[i]) for i in kept))
        return Group(above, Text(), table)

    def _width(self) -> int:
        """Return the terminal's width, which may have changed."""
        width = terminal_width(sys.stderr)
        if hasattr(self, "live"):
            self.live.console.width = width
        return width


def fitting_columns(table: Table, n_axes: int, width: int) -> list[int]:
    """Return the columns of a ranking that fit a terminal, rank and first metric first."""
    widths = [max(map(len, column)) + 2 for column in zip(table.header, *table.rows, strict=True)]
    worth = sorted(range(len(widths)), key=lambda i: (i not in (0, n_axes + 1), i))
    kept, free = [], width + 2
    for i in worth:
        if widths[i] <= free:
            kept.append(i)
            free -= widths[i]
    return sorted(kept)


class NotebookTable(Watcher):
    """Overall progress and the best trials so far, in an element of a notebook."""

    def on_start(self, standing: Standing, board: Leaderboard) -> None:
        self.standing = standing
        self.live = LiveHtml(self._view(board))
        self.shown_at, self.cost = time.perf_counter(), 0.0

    def on_trial(self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]) -> None:
        now = time.perf_counter()
        if now - self.shown_at > max(_REFRESH_SECONDS, 10 * self.cost):
            self.live.update(self._view(board()))
            self.shown_at = time.perf_counter()
            self.cost = self.shown_at - now

    def on_end(self, standing: Standing, board: Leaderboard) -> None:
        self.live.update(self._view(board))

    def _view(self, board: Leaderboard) -> str:
        standing = self.standing
        bar = (
            f'<progress value="{standing.cost_done:.6g}" max="{standing.cost or 1:.6g}"></progress>'
        )
        text = page.paragraph(progress_text(standing))
        return page.fragment(bar + text + page.table(*ranking_table(board, _SHOWN)))


class SweepProgress(Watcher):
    """Progress of a sweep: a table in a notebook or on a terminal, else a line for each cell."""

    def __init__(self) -> None:
        self.shown = sweep_progress()

    def on_start(self, standing: Standing, board: Leaderboard) -> None:
        self.shown.on_start(standing, board)

    def on_trial(self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]) -> None:
        self.shown.on_trial(trial, standing, board)

    def on_end(self, standing: Standing, board: Leaderboard) -> None:
        self.shown.on_end(standing, board)


def sweep_progress() -> Watcher:
    """Return the watcher that suits the notebook, or stderr."""
    if in_notebook():
        return NotebookTable()
    return LiveTable() if is_live(sys.stderr) else SweepLines()


def _cell_text(trial: Trial, axes: list[str]) -> str:
    values = ((axis, value_text(trial.settings.get(axis))) for axis in axes)
    return " ".join(f"{label(axis)}={text}" for axis, text in values if text)
