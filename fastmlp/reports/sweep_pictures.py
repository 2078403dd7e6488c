"""The pictures of a sweep, each a figure, by the name of its file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from . import sweep_plots
from .figures import new_figure, png, style
from .leaderboard import Configuration, Leaderboard
from .pictures import Panel, figure_of
from .plots import short_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "configurations"
MOST_PANELS = 120  # of the overview
MOST_PAIRS = 21  # of axes: seven axes have so many
MOST_BARS = 12
_COLUMNS = 6
# From so many configurations on, several processes draw: they take a second or two to start.
_MANY = 60


def sweep_figures(board: Leaderboard) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield the pictures that there are of a sweep as a whole, by name, and what draws each."""
    if not board.good:
        return
    yield "overview.png", partial(overview, board)
    for (rows, columns), panel in heat_panels(board):
        yield f"heat-{rows}-{columns}.png", partial(_single, panel, 5.4, 4.2)
    if board.axes and len(board.good) > 1:
        yield "parallel.png", partial(_single, parallel_panel(board), *parallel_size(board))
    if panels := rate_panels(board):
        yield "rates.png", partial(_several, panels, 2)
    if panels := bar_panels(board):
        yield f"{bar_axis(board)}s.png", partial(_several, panels, 4)


def draw_sweep(board: Leaderboard) -> Iterator[tuple[str, bytes]]:
    """Yield every picture, PNG, by the name of its file."""
    with style():
        for name, draw in sweep_figures(board):
            yield name, png(draw())
    entries = board.configurations
    names = configuration_names(board)
    tasks = [(entry, board.axes, board.has_accuracy) for entry in entries]
    if len(entries) < _MANY:
        drawn: list[bytes] = list(itertools.starmap(_configuration_png, tasks))
    else:
        from joblib import Parallel, delayed

        drawn = Parallel(n_jobs=-1, backend="loky")(delayed(_configuration_png)(*t) for t in tasks)
    for name, content in zip(names, drawn, strict=True):
        yield f"{FOLDER}/{name}.png", content


def configuration_names(board: Leaderboard) -> list[str]:
    """Return a name for each configuration, as a file may have it."""
    names: list[str] = []
    for entry in board.configurations:
        text = "-".join(re.findall(r"[\w.=]+", entry.name(board.axes)))[:100]
        names.append(text if text not in names else f"{text}-{entry.trials[0].key}")
    return names


def configuration_figure(entry: Configuration, axes: list[str], has_accuracy: bool) -> Figure:
    """Return the curves of a configuration: its loss and, where there is one, its accuracy."""
    # Placed by hand, which takes half as long as finding room.
    from matplotlib.figure import Figure

    metrics = ["loss", "accuracy"] if has_accuracy else ["loss"]
    figure = Figure(figsize=(3.9 * len(metrics), 3.0))
    for place, metric in enumerate(metrics, start=1):
        sweep_plots.metric_curves(entry, metric, figure.add_subplot(1, len(metrics), place))
    wide = len(metrics) > 1
    figure.subplots_adjust(0.09 if wide else 0.17, 0.15, 0.985, 0.9, 0.24)
    title = short_name(f"{entry.rank}  {entry.name(axes)}", 90)
    figure.suptitle(title, fontsize=10, parse_math=False)
    return figure


def overview(board: Leaderboard) -> Figure:
    """Return the ranking's metric of each configuration over the epochs, as small panels."""
    from matplotlib.figure import Figure

    entries = board.configurations[:MOST_PANELS]
    metric = board.rank_by
    columns = min(_COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    figure = Figure(figsize=(2.1 * columns + 0.6, 1.45 * rows + 0.9))
    curves = [
        value
        for entry in entries
        for trial in entry.trials
        for value in trial.history.get(metric, ())
        if value is not None
    ]
    shared = None
    for place, entry in enumerate(entries, start=1):
        axes = figure.add_subplot(rows, columns, place, sharex=shared, sharey=shared)
        shared = shared or axes
        title = short_name(entry.name(board.axes), 36)
        sweep_plots.small_multiple(entry, metric, title, axes)
        axes.label_outer()
    if shared is not None and curves:
        # A diverged one, or a first epoch, must not flatten all others.
        low, high = np.quantile(curves, [0.02, 0.98])
        shared.set_ylim(low - 0.05 * (high - low or 1), high + 0.08 * (high - low or 1))
    height = figure.get_figheight()
    figure.subplots_adjust(
        0.5 / figure.get_figwidth(), 0.45 / height, 0.99, 1 - 0.65 / height, 0.12, 0.32
    )
    more = len(board.configurations) - len(entries)
    note = f", the best {len(entries)} of {len(board.configurations)}" if more else ""
    figure.suptitle(f"{metric.replace('_', ' ')} by epoch{note}")
    return figure


def heat_panels(board: Leaderboard) -> Iterator[tuple[tuple[str, str], Panel]]:
    """Yield the heat map of each pair of axes whose values meet."""
    shown = [axis for axis in board.axes if len(board.values(axis)) <= 40]
    for pair in itertools.islice(itertools.combinations(shown, 2), MOST_PAIRS):
        if any(all(axis in entry.settings for axis in pair) for entry in board.good):
            yield pair, partial(sweep_plots.heat_map, board, *pair)


def parallel_panel(board: Leaderboard) -> Panel:
    """Return what draws parallel coordinates."""
    return partial(sweep_plots.parallel_coordinates, board)


def parallel_size(board: Leaderboard) -> tuple[float, float]:
    """Return the size of parallel coordinates in inches."""
    return 1.9 * len(board.axes) + 2.4, 4.4


def rate_panels(board: Leaderboard) -> list[Panel]:
    """Return what draws the effect of the learning rate, where it is an axis."""
    if "learning_rate" not in board.axes or not board.good:
        return []
    others = [axis for axis in board.axes if axis != "learning_rate"]
    few = [axis for axis in others if len(board.values(axis)) <= len(sweep_plots.COLOURS)]
    by = "mode" if "mode" in few else few[0] if few else None
    return [
        partial(sweep_plots.metric_over_rate, board, by),
        partial(sweep_plots.curves_by_rate, board),
    ]


def bar_axis(board: Leaderboard) -> str | None:
    """Return the axis to compare by: the mode, else the first of few values."""
    few = [axis for axis in board.axes if len(board.values(axis)) <= MOST_BARS]
    return "mode" if "mode" in few else few[0] if few else None


def bar_panels(board: Leaderboard) -> list[Panel]:
    """Return bar charts of accuracy, parameters, training and inference time."""
    axis = bar_axis(board)
    if axis is None or not board.good:
        return []
    quantities = (board.rank_by, "n_parameters", "train_seconds", "inference")
    return [partial(sweep_plots.bars, board, axis, quantity) for quantity in quantities]


def _configuration_png(entry: Configuration, axes: list[str], has_accuracy: bool) -> bytes:
    with style():
        return png(configuration_figure(entry, axes, has_accuracy))


def _single(panel: Panel, width: float, height: float) -> Figure:
    figure = new_figure(width, height)
    panel(figure.add_subplot())
    return figure


def _several(panels: list[Panel], columns: int) -> Figure:
    figure = figure_of(panels, columns, 4.2 if columns == 2 else 2.9, 3.4)
    assert figure is not None
    return figure
