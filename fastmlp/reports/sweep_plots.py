"""Plots of a sweep, each into an axes that is given: what each setting does to the result."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .leaderboard import RANKINGS, Configuration, Leaderboard, label, value_text
from .plots import BLUE, GREEN, INK, PALE, VERMILLION, short_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of Okabe and Ito (2008), too.
COLOURS = (BLUE, VERMILLION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", INK)
PARTS = {"train": BLUE, "validation": VERMILLION}
_LONGEST = 18


def metric_curves(entry: Configuration, metric: str, axes: Axes) -> None:
    """Draw training and validation values of a configuration over the epochs.

    Parameters
    ----------
    entry : Configuration
        Of several seeds, the mean and all of them are drawn.
    metric : {"loss", "accuracy"}
    axes : matplotlib.axes.Axes
    """
    for part, colour in PARTS.items():
        _band(_curves(entry, f"{part}_{metric}"), axes, colour, "")


def finish_curves(metric: str, axes: Axes) -> None:
    """Name the axes and the colours of :func:`metric_curves`, once for all that are drawn."""
    from matplotlib.lines import Line2D

    axes.set_xlabel("epoch")
    axes.set_ylabel(metric)
    axes.legend(
        [Line2D([], [], color=colour) for colour in PARTS.values()], ["training", "validation"],
        frameon=False, fontsize="small", loc="upper right" if metric == "loss" else "lower right",
    )  # fmt: skip
    _tidy(axes)


def small_multiples(
    entries: Sequence[Configuration], names: Sequence[str], metric: str, columns: int, axes: Axes
) -> None:
    """Draw one metric of configurations over the epochs, each in a panel, on the same scales.

    On a logarithmic scale, accuracies as the share of errors: else the good ones were all alike.

    All in one axes, which takes a tenth of the time that an axes each would take.

    Parameters
    ----------
    entries : sequence of Configuration
    names : sequence of str
        Above each panel.
    metric : str
        A column of the history.
    columns : int
    axes : matplotlib.axes.Axes
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    curves = [[_errors(c, metric) for c in _curves(entry, metric)] for entry in entries]
    every = [value for group in curves for curve in group for value in curve]
    low, high = np.log(np.quantile(every, [0.0, 0.99]))
    longest = max((len(curve) for group in curves for curve in group), default=1)
    lines = []
    for place, (entry, name, group) in enumerate(zip(entries, names, curves, strict=True)):
        left, bottom = 1.08 * (place % columns), -1.4 * (place // columns)
        axes.add_patch(Rectangle((left, bottom), 1, 1, fill=False, edgecolor=PALE, linewidth=0.8))
        axes.text(left, bottom + 1.04, f"{entry.rank}  {name}", fontsize=7, parse_math=False)
        if not entry.good:
            axes.text(left + 0.5, bottom + 0.5, entry.status, ha="center", fontsize=8)
        if place % columns == 0:
            for height, value in ((0, low), (1, high)):
                axes.text(left - 0.03, bottom + height, f"{np.exp(value):.2g}", fontsize=6.5,
                          ha="right", va="center")  # fmt: skip
        for curve in group:
            x = left + np.arange(len(curve)) / max(1, longest - 1)
            y = np.clip((np.log(curve) - low) / (high - low or 1), 0, 1)
            lines.append(np.column_stack([x, bottom + y]))
    axes.add_collection(LineCollection(lines, colors=VERMILLION, linewidths=1.2))
    rows = -(-len(entries) // columns)
    axes.set_xlim(-0.25, 1.08 * columns - 0.06)
    axes.set_ylim(-1.4 * (rows - 1) - 0.05, 1.25)
    axes.set_axis_off()


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
    image = axes.imshow(means, cmap="viridis" if RANKINGS[board.rank_by] else "viridis_r")
    for axis, values in ((axes.xaxis, names[1]), (axes.yaxis, names[0])):
        axis.set_ticks(range(len(values)), [_tick(value) for value in values])
    axes.tick_params(axis="x", rotation=30 if len(names[1]) > 2 else 0)
    axes.set_xlabel(label(columns))
    axes.set_ylabel(label(rows))
    if means.size <= 100:
        middle = np.nanmean([np.nanmin(means), np.nanmax(means)])
        for (i, j), value in np.ndenumerate(means):
            if np.isfinite(value):
                is_light = (value > middle) == RANKINGS[board.rank_by]
                colour = "black" if is_light else "white"
                axes.text(j, i, f"{value:.4g}", ha="center", va="center", color=colour, fontsize=8)
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(label(board.rank_by))


def parallel_coordinates(board: Leaderboard, axes: Axes) -> None:
    """Draw a line for each configuration through its value on each axis, the best in front."""
    from matplotlib import colormaps

    names = [*board.axes, board.rank_by]
    values = {axis: board.values(axis) for axis in board.axes}
    scores = [entry.mean(board.rank_by) or 0.0 for entry in board.good]
    low, high = min(scores), max(scores)
    colours = colormaps["viridis" if RANKINGS[board.rank_by] else "viridis_r"]
    for entry, score in reversed(list(zip(board.good, scores, strict=True))):
        height = (score - low) / (high - low or 1.0)
        points = [_place(entry.settings.get(axis, _NONE), values[axis]) for axis in board.axes]
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
                x, _place(value, shown), f" {_tick(value)}", fontsize=8, va="center", ha="left",
                zorder=4, bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
                color="#222222",
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
        rates = sorted({_rate(entry) for entry in entries})
        groups = [[e for e in entries if _rate(e) == rate] for rate in rates]
        found = [[v for e in group for v in e.values(board.rank_by)] for group in groups]
        _spread(rates, found, axes, colour, _tick(value) if by else "")
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel(label(board.rank_by))
    if by:
        axes.legend(frameon=False, fontsize="small", title=label(by))
    _tidy(axes)


def curves_by_rate(board: Leaderboard, axes: Axes) -> None:
    """Draw the validation loss over the epochs: a line for each rate, a band for its spread."""
    rates = sorted({_rate(entry) for entry in board.good})
    rates = [rates[i] for i in np.unique(np.linspace(0, len(rates) - 1, len(COLOURS)).astype(int))]
    for colour, rate in zip(COLOURS, rates, strict=False):
        curves = [
            trial.history["validation_loss"]
            for entry in board.good
            if _rate(entry) == rate
            for trial in entry.good
        ]
        _band(curves, axes, colour, f"{rate:g}", lines=False)
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation loss")
    axes.legend(frameon=False, fontsize="small", title="learning rate")
    _tidy(axes)


def bars(board: Leaderboard, axis: str, quantity: str, axes: Axes) -> None:
    """Draw a bar for each value of an axis: the mean over configurations, and their spread.

    Parameters
    ----------
    board : Leaderboard
    axis : str
        One of ``board.axes``.
    quantity : str
        One of ``QUANTITIES``.
    axes : matplotlib.axes.Axes
    """
    text, measure = QUANTITIES[quantity]
    shown = board.values(axis)
    groups = [
        [measured for e in board.good if e.settings.get(axis, _NONE) == value
         and (measured := measure(e)) is not None]
        for value in shown
    ]  # fmt: skip
    kept = [(value, group) for value, group in zip(shown, groups, strict=True) if group]
    means = [statistics.fmean(group) for _, group in kept]
    errors = [statistics.stdev(group) if len(group) > 1 else 0.0 for _, group in kept]
    places = range(len(kept))
    axes.bar(places, means, color=COLOURS[0], width=0.65)
    axes.errorbar(places, means, errors, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
    for place, mean in zip(places, means, strict=True):
        axes.text(
            place, mean / 2, _short(mean), ha="center", va="center", color="white", fontsize=8
        )
    axes.set_xticks(
        places, [_tick(value) for value, _ in kept], rotation=30 if len(kept) > 4 else 0
    )
    axes.set_title(text)
    axes.set_ylim(bottom=0)
    _tidy(axes)


def _inference(entry: Configuration) -> float | None:
    seconds, rows = entry.mean("inference_seconds"), entry.mean("inference_rows")
    return None if seconds is None or not rows else 1e6 * seconds / rows


QUANTITIES: dict[str, tuple[str, Callable[[Configuration], float | None]]] = {
    "validation_accuracy": ("validation accuracy", lambda e: e.mean("validation_accuracy")),
    "validation_loss": ("validation loss", lambda e: e.mean("validation_loss")),
    "n_parameters": ("parameters", lambda e: e.mean("n_parameters")),
    "train_seconds": ("training time, s", lambda e: e.mean("train_seconds")),
    "inference": ("inference, µs a row", _inference),
}
_NONE = object()  # equal to no value


def _rate(entry: Configuration) -> float:
    return float(entry.trials[0].config["learning_rate"])


def _curves(entry: Configuration, column: str) -> list[list[float]]:
    found = [trial.history.get(column, []) for trial in entry.trials]
    return [values for values in found if values and values[0] is not None]


def _band(
    curves: list[list[float]], axes: Axes, colour: str, name: str, lines: bool = True
) -> None:
    """Draw the mean of curves of several lengths, and how far they spread."""
    if not curves:
        return
    longest = max(map(len, curves))
    table = np.full((len(curves), longest), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve
    epochs = np.arange(1, longest + 1)
    mean = np.nanmean(table, axis=0)
    marker: Any = {"marker": "o", "markersize": 2} if longest == 1 else {}
    axes.plot(epochs, mean, color=colour, label=name or None, linewidth=1.4, **marker)
    if len(curves) > 1:
        axes.fill_between(
            epochs, np.nanmin(table, axis=0), np.nanmax(table, axis=0), color=colour, alpha=0.15,
            linewidth=0,
        )  # fmt: skip
        for row in table if lines else ():
            axes.plot(epochs, row, color=colour, linewidth=0.5, alpha=0.5)


def _spread(
    x: Sequence[float], groups: list[list[float]], axes: Axes, colour: str, name: str
) -> None:
    """Draw means, and a band of a standard deviation to each side."""
    means = np.array([statistics.fmean(group) for group in groups])
    sides = np.array([statistics.stdev(g) if len(g) > 1 else 0.0 for g in groups])
    axes.plot(x, means, color=colour, marker="o", markersize=3, label=name or None)
    axes.fill_between(x, means - sides, means + sides, color=colour, alpha=0.15, linewidth=0)


def _place(value: Any, values: list[Any]) -> float:
    """Return where a value stands on its axis, from 0 to 1; what is not there, below it."""
    if value is _NONE:
        return -0.08
    return values.index(value) / max(1, len(values) - 1)


def _errors(curve: list[float], metric: str) -> np.ndarray:
    """Return what is left to gain, above 0 for a logarithmic scale."""
    values = np.asarray(curve, float)
    left: np.ndarray = np.maximum(1 - values if "accuracy" in metric else values, 1e-4)
    return left


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _tick(value: Any) -> str:
    return short_name(value_text(value), _LONGEST).replace("$", r"\$")  # no formula


def _tidy(axes: Axes) -> None:
    axes.grid(color=PALE, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
