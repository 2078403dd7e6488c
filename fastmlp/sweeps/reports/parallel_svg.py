"""Parallel coordinates of a sweep as SVG, and the data for the script that makes them interactive.

``sweep.css`` sets the colours, ``sweep.js`` adds brushes, hovering and the comparison of curves.
"""

from __future__ import annotations

import html
import json
import statistics
from collections.abc import Sequence
from typing import Any

from ...reports.plots import short_name
from ...reports.tables import number
from ..leaderboard import Configuration, Leaderboard, label, value_text
from .plots import position

_STEP, _LEFT, _RIGHT = 190, 24, 150
_TOP, _HEIGHT, _BOTTOM = 36, 300, 30  # gaps are drawn in the margin below
_MOST_TICKS = 12
_LONGEST = 22  # characters of a tick
_MOST_POINTS = 200  # of a curve
_DIGITS = 5
_PART = "validation_"


class ParallelPlot:
    """A line for each configuration through its value on each axis.

    Parameters
    ----------
    board : Leaderboard
    shown : sequence of Configuration
        With figures, the best first; at least one.
    """

    def __init__(self, board: Leaderboard, shown: Sequence[Configuration]):
        self.board, self.shown = board, shown
        self._values = {axis: board.values(axis) for axis in board.axes}
        scores = [entry.mean(board.rank_by) or 0.0 for entry in shown]
        self._low, self._high = min(scores), max(scores)

    def svg(self) -> str:
        """Return the plot as an SVG element, the best configuration in front."""
        board = self.board
        width = _LEFT + _STEP * len(board.axes) + _RIGHT
        height = _TOP + _HEIGHT + _BOTTOM
        lines = "".join(map(self._line, reversed(self.shown)))
        axes = "".join(_axis(i, label(a), self._ticks(a)) for i, a in enumerate(board.axes))
        ends = dict.fromkeys([(0.0, self._low), (self._share(self._high), self._high)])
        ticks = [(share, f"{score:.4g}") for share, score in ends]
        axes += _axis(len(board.axes), label(board.rank_by), ticks)
        return (
            f'<svg class="parallel" id="parallel" viewBox="0 0 {width} {height}" role="img" '
            f'style="min-width: {0.85 * width:.0f}px" '
            f'aria-label="configurations by their settings and {label(board.rank_by)}">'
            f"{lines}{axes}</svg>"
        )

    def data(self) -> str:
        """Return the data of the plot and the validation curves, as JSON for a page."""
        board = self.board
        data = {
            "top": _TOP, "height": _HEIGHT, "bottom": _BOTTOM,
            "x": [_LEFT + _STEP * i for i in range(len(board.axes) + 1)],
            "metric": label(board.rank_by),
            "curve": _curve_name(board.rank_by),
            "runs": [
                {
                    "rank": entry.rank, "name": entry.name(board.axes),
                    "value": number(entry.mean(board.rank_by)),
                    "y": self._heights(entry), "curves": _curves(entry),
                }
                for entry in self.shown
            ],
        }  # fmt: skip
        # "</script>" within a name would end the element.
        return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")

    def _line(self, entry: Configuration) -> str:
        heights = enumerate(self._heights(entry))
        points = "L".join(f"{_LEFT + _STEP * i} {y}" for i, y in heights)
        share = self._share(entry.mean(self.board.rank_by))
        good = share if self.board.higher_is_better else 1 - share
        kind = "run best" if entry is self.shown[0] else "run"
        return (
            f'<path class="{kind}" data-rank="{entry.rank}" '
            f'stroke-opacity="{0.2 + 0.6 * good:.2f}" d="M{points}"/>'
        )

    def _heights(self, entry: Configuration) -> list[float]:
        """Return a configuration's position on each axis, from the top of the SVG."""
        shares = [position(entry.settings, axis, self._values[axis]) for axis in self.board.axes]
        return [_y(share) for share in (*shares, self._share(entry.mean(self.board.rank_by)))]

    def _share(self, score: float | None) -> float:
        return ((score or 0.0) - self._low) / (self._high - self._low or 1.0)

    def _ticks(self, axis: str) -> list[tuple[float, str]]:
        values = self._values[axis]
        shown = values if len(values) <= _MOST_TICKS else [values[0], values[-1]]
        return [(position({axis: v}, axis, values), value_text(v)) for v in shown]


def _y(share: float) -> float:
    return round(_TOP + (1 - share) * _HEIGHT, 1)


def _axis(index: int, name: str, ticks: Sequence[tuple[float, str]]) -> str:
    x = _LEFT + _STEP * index
    texts = "".join(
        f'<text x="{x + 6}" y="{_y(share) + 4:.1f}">{html.escape(short_name(text, _LONGEST))}'
        "</text>"
        for share, text in ticks
    )
    return (
        f'<g class="axis" data-axis="{index}"><path d="M{x} {_TOP}V{_TOP + _HEIGHT}"/>'
        f'<text class="name" x="{x - 8}" y="{_TOP - 16}">{html.escape(name)}</text>{texts}</g>'
    )


def _curves(entry: Configuration) -> dict[str, dict[str, Any]]:
    """Return the mean over seeds of each validation metric; some epochs of long runs.

    ``first`` is the first epoch, ``step`` the number of epochs between values.
    """
    columns = dict.fromkeys(name for trial in entry.trials for name in trial.history)
    found = {}
    for column in columns:
        if not column.startswith(_PART):
            continue
        curves = [trial.history[column] for trial in entry.trials if column in trial.history]
        means = [_mean(curves, epoch) for epoch in range(max(map(len, curves), default=0))]
        if all(mean is None for mean in means):
            continue
        step = -(-len(means) // _MOST_POINTS)
        first = (len(means) - 1) % step
        found[_curve_name(column)] = {
            "first": first + 1,
            "step": step,
            "values": means[first::step],
        }
    return found


def _mean(curves: Sequence[Sequence[Any]], epoch: int) -> float | None:
    values = [curve[epoch] for curve in curves if epoch < len(curve)]
    numbers = [value for value in values if isinstance(value, (int, float))]
    return float(f"{statistics.fmean(numbers):.{_DIGITS}g}") if numbers else None


def _curve_name(column: str) -> str:
    return column.removeprefix(_PART).replace("_", " ")
