"""Plots of the effect of settings on the results, each drawn into a given axes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...reports.plots import BLUE, GREEN, INK, VERMILLION, colour_bar, tick, tidy
from ..leaderboard import Configuration, Leaderboard, label, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of Okabe and Ito (2008), too.
COLOURS = (BLUE, VERMILLION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", INK)
_LONGEST = 18


def heat_map(board: Leaderboard, rows: str, columns: str, axes: Axes) -> None:
    """Draw the ranking's metric for two axes of the grid, the mean over all others.

    Parameters
    ----------
    board : Leaderboard
    rows, columns : str
        Two of ``board.axes``.
    axes : matplotlib.axes.Axes
    """
    names = [board.values(rows), board.values(columns)]
    means = np.full([len(values) for values in names], np.nan)
    for (i, row), (j, column) in ((a, b) for a in enumerate(names[0]) for b in enumerate(names[1])):
        found = [
            value
            for entry in board.good
            if entry.settings.get(rows, _NONE) == row
            and entry.settings.get(columns, _NONE) == column
            and (value := entry.mean(board.rank_by)) is not None
        ]
        if found:
            means[i, j] = statistics.fmean(found)
    image = axes.imshow(
        means, cmap="viridis" if board.higher_is_better else "viridis_r", aspect="auto"
    )
    for axis, values in ((axes.xaxis, names[1]), (axes.yaxis, names[0])):
        axis.set_ticks(range(len(values)), [_tick(value) for value in values])
    axes.tick_params(axis="x", rotation=30 if len(names[1]) > 2 else 0)
    axes.set_xlabel(label(columns))
    axes.set_ylabel(label(rows))
    if means.size <= 100:
        middle = np.nanmean([np.nanmin(means), np.nanmax(means)])
        for (i, j), value in np.ndenumerate(means):
            if np.isfinite(value):
                is_light = (value > middle) == board.higher_is_better
                colour = "black" if is_light else "white"
                axes.text(j, i, f"{value:.4g}", ha="center", va="center", color=colour, fontsize=8)
    colour_bar(image, label(board.rank_by))


def parallel_coordinates(board: Leaderboard, axes: Axes) -> None:
    """Draw a line for each configuration through its value on each axis, the best in front."""
    from matplotlib import colormaps

    names = [*board.axes, board.rank_by]
    values = {axis: board.values(axis) for axis in board.axes}
    scores = [entry.mean(board.rank_by) or 0.0 for entry in board.good]
    low, high = min(scores), max(scores)
    colours = colormaps["viridis" if board.higher_is_better else "viridis_r"]
    for entry, score in reversed(list(zip(board.good, scores, strict=True))):
        height = (score - low) / (high - low or 1.0)
        points = [position(entry.settings, axis, values[axis]) for axis in board.axes]
        best = entry is board.good[0]
        axes.plot(
            range(len(names)), [*points, height],
            color=VERMILLION if best else colours(height), linewidth=2.5 if best else 1,
            alpha=1 if best else 0.7, zorder=3 if best else 2,
        )  # fmt: skip
    for x, axis in enumerate(board.axes):
        axes.axvline(x, color=INK, linewidth=0.8, zorder=1)
        shown = values[axis]
        for value in shown if len(shown) <= 12 else (shown[0], shown[-1]):
            axes.text(
                x, position({axis: value}, axis, shown), f" {_tick(value)}", fontsize=8,
                va="center", ha="left",
                zorder=4, bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
                color=INK,
            )  # fmt: skip
    end = len(names) - 1
    axes.axvline(end, color=INK, linewidth=0.8, zorder=1)
    for height, score in ((0, low), (1, high)):
        axes.text(end, height, f" {score:.4f}", fontsize=8, va="center", color=INK)
    axes.set_xticks(range(len(names)), [label(name) for name in names])
    axes.set_yticks([])
    axes.set_xlim(-0.05, end + 0.25)
    axes.spines[:].set_visible(False)


def metric_over_rate(board: Leaderboard, by: str | None, axes: Axes) -> None:
    """Draw the ranking's metric over the learning rate, with the spread over all other settings.

    Parameters
    ----------
    board : Leaderboard
        ``learning_rate`` is one of its axes.
    by : str or None
        An axis; a line for each of its values.
    axes : matplotlib.axes.Axes
    """
    for colour, value in zip(COLOURS, board.values(by) if by else [None], strict=False):
        entries = [e for e in board.good if by is None or e.settings.get(by, _NONE) == value]
        rates = sorted({rate_of(entry) for entry in entries})
        groups = [[e for e in entries if rate_of(e) == rate] for rate in rates]
        found = [[v for e in group for v in e.values(board.rank_by)] for group in groups]
        _spread(rates, found, axes, colour, _tick(value) if by else "")
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel(label(board.rank_by))
    if by:
        axes.legend(frameon=False, fontsize="small", title=label(by))
    axes.set_title("mean and standard deviation over all other settings", fontsize=9)
    tidy(axes)


def comparison(board: Leaderboard, axis: str, quantity: str, axes: Axes) -> None:
    """Draw the mean of each value of an axis over configurations, and their spread.

    Amounts such as times are bars from 0. Metrics are points, on an axis that shows how they
    differ.

    Parameters
    ----------
    board : Leaderboard
    axis : str
        One of ``board.axes``.
    quantity : str
        A metric, or one of ``AMOUNTS``.
    axes : matplotlib.axes.Axes
    """
    groups = measured(board, axis, quantity)
    means = [statistics.fmean(group) for group in groups.values()]
    errors = [statistics.stdev(group) if len(group) > 1 else 0.0 for group in groups.values()]
    names = [tick(name, _LONGEST) for name in groups]
    if quantity in AMOUNTS:
        bar_chart(names, means, AMOUNTS[quantity][0], axes, errors)
    else:
        point_chart(names, means, label(quantity), axes, errors)


def measured(board: Leaderboard, axis: str, quantity: str) -> dict[str, list[float]]:
    """Return a quantity of the configurations with each value of an axis, by the value's text."""
    _, measure = AMOUNTS.get(quantity, ("", lambda entry: entry.mean(quantity)))
    groups = {
        value_text(value): [
            found
            for entry in board.good
            if entry.settings.get(axis, _NONE) == value and (found := measure(entry)) is not None
        ]
        for value in board.values(axis)
    }
    return {name: group for name, group in groups.items() if group}


def differs(board: Leaderboard, axis: str, quantity: str) -> bool:
    """Whether a quantity differs between configurations, so that a plot of it tells something."""
    groups = measured(board, axis, quantity).values()
    return len({value for group in groups for value in group}) > 1


def point_chart(
    names: Sequence[str],
    values: Sequence[float],
    title: str,
    axes: Axes,
    errors: Sequence[float],
) -> None:
    """Draw a point for each value; parameters as for :func:`bar_chart`."""
    positions = range(len(values))
    axes.errorbar(
        positions, values, errors, fmt="o", color=BLUE, ecolor=INK, elinewidth=1, capsize=3
    )
    for position, value in zip(positions, values, strict=True):
        axes.annotate(
            _short(value), (position, value), (6, 0), textcoords="offset points", va="center",
            fontsize=8,
        )  # fmt: skip
    axes.set_xlim(-0.5, len(values) - 0.2)
    _name_positions(axes, names, title)


def _name_positions(axes: Axes, names: Sequence[str], title: str) -> None:
    axes.set_xticks(range(len(names)), names, rotation=30 if len(names) > 4 else 0)
    axes.set_title(title)
    tidy(axes)


def bar_chart(
    names: Sequence[str],
    values: Sequence[float],
    title: str,
    axes: Axes,
    errors: Sequence[float] | None = None,
) -> None:
    """Draw a bar for each value, with its number in it.

    Parameters
    ----------
    names : sequence of str
        Below the bars.
    values : sequence of float
    title : str
    axes : matplotlib.axes.Axes
    errors : sequence of float, optional
        To each side.
    """
    positions = range(len(values))
    axes.bar(positions, values, color=BLUE, width=0.65)
    if errors is not None:
        axes.errorbar(positions, values, errors, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
    for position, value in zip(positions, values, strict=True):
        axes.text(
            position, value / 2, _short(value), ha="center", va="center", color="white", fontsize=8
        )
    axes.set_ylim(bottom=0)
    _name_positions(axes, names, title)


def _inference(entry: Configuration) -> float | None:
    seconds, rows = entry.mean("inference_seconds"), entry.mean("inference_rows")
    return None if seconds is None or not rows else 1e6 * seconds / rows


AMOUNTS: dict[str, tuple[str, Callable[[Configuration], float | None]]] = {
    "n_parameters": ("parameters", lambda e: e.mean("n_parameters")),
    "train_seconds": ("training time, s", lambda e: e.mean("train_seconds")),
    "inference": ("inference, µs a row", _inference),
}
_NONE = object()  # equal to no value


def rate_of(entry: Configuration) -> float:
    """Return the learning rate of a configuration."""
    return float(entry.trials[0].config["learning_rate"])


def _spread(
    x: Sequence[float], groups: list[list[float]], axes: Axes, colour: str, name: str
) -> None:
    """Draw means, and a band of a standard deviation to each side."""
    means = np.array([statistics.fmean(group) for group in groups])
    sides = np.array([statistics.stdev(g) if len(g) > 1 else 0.0 for g in groups])
    axes.plot(x, means, color=colour, marker="o", markersize=3, label=name or None)
    axes.fill_between(x, means - sides, means + sides, color=colour, alpha=0.15, linewidth=0)


def position(settings: dict[str, Any], axis: str, values: list[Any]) -> float:
    """Return the position of a setting on its axis, from 0 to 1; below it if it does not apply.

    Parameters
    ----------
    settings : dict
    axis : str
    values : list
        All values on the axis, in order.
    """
    if axis not in settings:
        return -0.08
    return values.index(settings[axis]) / max(1, len(values) - 1)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _tick(value: Any) -> str:
    return tick(value_text(value), _LONGEST)
