"""Curves of a sweep over the epochs, each plot into an axes that is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...reports.plots import BLUE, PALE, VERMILLION, tidy, whole_ticks
from ..leaderboard import Configuration, Leaderboard
from .plots import COLOURS, rate_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = {"train": BLUE, "validation": VERMILLION}


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
    whole_ticks(axes)
    axes.legend(
        [Line2D([], [], color=colour) for colour in PARTS.values()], ["training", "validation"],
        frameon=False, fontsize="small", loc="upper right" if metric == "loss" else "lower right",
    )  # fmt: skip
    tidy(axes)


def small_multiples(
    entries: Sequence[Configuration], names: Sequence[str], metric: str, columns: int, axes: Axes
) -> None:
    """Draw one metric of configurations over the epochs, each in a panel, on the same scales.

    The scale is logarithmic, with error rates for accuracies, so that good curves are distinct.

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
    for index, (entry, name, group) in enumerate(zip(entries, names, curves, strict=True)):
        left, bottom = 1.08 * (index % columns), -1.4 * (index // columns)
        axes.add_patch(Rectangle((left, bottom), 1, 1, fill=False, edgecolor=PALE, linewidth=0.8))
        axes.text(left, bottom + 1.04, f"{entry.rank}  {name}", fontsize=7, parse_math=False)
        if not entry.good:
            axes.text(left + 0.5, bottom + 0.5, entry.status, ha="center", fontsize=8)
        if index % columns == 0:
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


def curves_by_rate(board: Leaderboard, axes: Axes) -> None:
    """Draw the validation loss over the epochs: for each rate, that of its best configuration.

    A band shows the spread over seeds.
    """
    best: dict[float, Configuration] = {}
    for entry in board.good:
        best.setdefault(rate_of(entry), entry)
    rates = sorted(best)
    shown = np.unique(np.linspace(0, len(rates) - 1, len(COLOURS)).astype(int))
    for colour, rate in zip(COLOURS, [rates[i] for i in shown], strict=False):
        curves = _curves(best[rate], "validation_loss")
        _band(curves, axes, colour, f"{rate:.3g}", lines=False)
    axes.set_yscale("log")
    whole_ticks(axes)
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation loss")
    axes.set_title("the best configuration of each rate", fontsize=9)
    axes.legend(frameon=False, fontsize="small", title="learning rate")
    tidy(axes)


def _curves(entry: Configuration, column: str) -> list[list[float]]:
    found = [trial.history.get(column, []) for trial in entry.trials]
    return [values for values in found if values and values[0] is not None]


def _band(
    curves: list[list[float]], axes: Axes, colour: str, name: str, lines: bool = True
) -> None:
    """Draw the mean and the spread of curves of different lengths."""
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


def _errors(curve: list[float], metric: str) -> np.ndarray:
    """Return loss or error rate, above 0 for a logarithmic scale."""
    values = np.asarray(curve, float)
    left: np.ndarray = np.maximum(1 - values if "accuracy" in metric else values, 1e-4)
    return left
