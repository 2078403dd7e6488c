"""The curves of a configuration as a small SVG, a hundredth of the size of a plotting library's.

A page may have hundreds of them; ``page.css`` sets their colours.
"""

from __future__ import annotations

import html
import math

from ..leaderboard import Configuration

WIDTH, HEIGHT = 340, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 22, 26
_PARTS = ("train", "validation")


def curve_svg(entry: Configuration, metric: str) -> str:
    """Return training and validation values over the epochs, a line for each seed.

    Parameters
    ----------
    entry : Configuration
    metric : {"loss", "accuracy"}

    Returns
    -------
    str
        An SVG element; empty where nothing was recorded.
    """
    curves = [
        (part, trial.history[f"{part}_{metric}"])
        for part in _PARTS
        for trial in entry.trials
        if any(value is not None for value in trial.history.get(f"{part}_{metric}", ()))
    ]
    if not curves:
        return ""
    values = [value for _, curve in curves for value in curve if value is not None]
    low, high = _rounded(min(values), max(values))
    longest = max(len(curve) for _, curve in curves)
    lines = "".join(_line(part, curve, longest, low, high) for part, curve in curves)
    label = html.escape(f"{metric} of configuration {entry.rank}")
    return (
        f'<svg class="curves" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{_frame(metric, longest, low, high)}{lines}</svg>"
    )


def _frame(metric: str, longest: int, low: float, high: float) -> str:
    """Return the lines across, their values, and the numbers of the first and the last epoch."""
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = [f'<text x="{_LEFT}" y="13">{metric}</text>']
    for share in (0, 0.5, 1):
        y = _y(low + share * (high - low), low, high)
        text = f"{low + share * (high - low):.4g}"
        parts.append(f'<path class="grid" d="M{_LEFT} {y}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 4}" text-anchor="end">{text}</text>')
    for epoch in {1, longest}:
        x = _x(epoch, longest)
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{epoch}</text>')
    return "".join(parts)


def _line(part: str, curve: list[float | None], longest: int, low: float, high: float) -> str:
    points = [
        (_x(epoch, longest), _y(value, low, high))
        for epoch, value in enumerate(curve, start=1)
        if value is not None
    ]
    if len(points) == 1:
        return f'<circle class="{part}" cx="{points[0][0]}" cy="{points[0][1]}" r="2.5"/>'
    path = "L".join(f"{x} {y}" for x, y in points)
    return f'<path class="{part}" d="M{path}"/>'


def _x(epoch: int, longest: int) -> float:
    share = (epoch - 1) / (longest - 1) if longest > 1 else 0.5
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _y(value: float, low: float, high: float) -> float:
    return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _BOTTOM - _TOP), 1)


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Return limits of at most two digits around values."""
    spread = high - low or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(spread)) / 2
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    return (low, high) if high > low else (low - step, high + step)
