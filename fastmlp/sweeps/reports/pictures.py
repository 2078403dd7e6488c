"""The plots of a sweep, each a figure, by file name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from ...base.cpus import usable_cpus
from ...reports.figures import png, style
from ...reports.pictures import Panel, figure_of, panel_figure
from ...reports.plots import short_name
from ..leaderboard import Configuration, Leaderboard
from . import curves, plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "configurations"
MOST_PANELS = 120  # of the overview
MOST_PAIRS = 21  # pairs of seven axes
MOST_BARS = 12
_COLUMNS = 6
# Number of configurations from which several processes draw: they take a second or two to start.
_MANY = 60


def sweep_figures(board: Leaderboard) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield name and drawing function of each plot of the whole sweep."""
    if not board.good:
        return
    yield "overview.png", partial(overview, board)
    for (rows, columns), panel in heat_panels(board):
        yield f"heat-{rows}-{columns}.png", partial(panel_figure, panel, 5.4, 4.2)
    if board.axes and len(board.good) > 1:
        yield "parallel.png", partial(panel_figure, parallel_panel(board), *parallel_size(board))
    if panels := rate_panels(board):
        yield "rates.png", partial(_several, panels, 2)
    if panels := comparison_panels(board):
        axis = str(compared_axis(board))
        yield f"{axis if axis.endswith('s') else axis + 's'}.png", partial(_several, panels, 4)


def draw_sweep(board: Leaderboard) -> Iterator[tuple[str, bytes]]:
    """Yield every plot as PNG, by file name."""
    with style():
        for name, draw in sweep_figures(board):
            yield name, png(draw())
    entries = board.configurations
    parts = _stretches(entries, 1 if len(entries) < _MANY else usable_cpus())
    tasks = [(part, board.axes, board.has_accuracy) for part in parts]
    if len(parts) == 1:
        drawn = [_configuration_pngs(*task) for task in tasks]
    else:
        from joblib import Parallel, delayed

        drawn = Parallel(n_jobs=len(parts), backend="loky")(
            delayed(_configuration_pngs)(*task) for task in tasks
        )
    contents = itertools.chain.from_iterable(drawn)
    for name, content in zip(configuration_names(board), contents, strict=True):
        yield f"{FOLDER}/{name}.png", content


def configuration_names(board: Leaderboard) -> list[str]:
    """Return a file name for each configuration."""
    names: list[str] = []
    for entry in board.configurations:
        text = "-".join(re.findall(r"[\w.=]+", entry.name(board.axes)))[:100]
        names.append(text if text not in names else f"{text}-{entry.trials[0].key}")
    return names


class ConfigurationFigure:
    """The curves of a configuration: loss and, if there is one, accuracy.

    One figure is reused for all configurations, since most of the time goes into ticks.

    Parameters
    ----------
    axes : list of str
        The settings that tell configurations apart.
    has_accuracy : bool
    """

    def __init__(self, axes: list[str], has_accuracy: bool):
        from matplotlib.figure import Figure

        self.axes = axes
        metrics = ["loss", "accuracy"] if has_accuracy else ["loss"]
        # With fixed positions, which takes half as long as automatic layout.
        self.figure = Figure(figsize=(3.9 * len(metrics), 3.0))
        left = 0.09 if has_accuracy else 0.17
        self.figure.subplots_adjust(left, 0.15, 0.985, 0.9, 0.24)
        self.panels = {
            metric: self.figure.add_subplot(1, len(metrics), number)
            for number, metric in enumerate(metrics, start=1)
        }
        for metric, panel in self.panels.items():
            curves.finish_curves(metric, panel)

    def draw(self, entry: Configuration) -> Figure:
        """Return the figure, with the curves of a configuration."""
        for metric, panel in self.panels.items():
            for artist in [*panel.lines, *panel.collections]:
                artist.remove()
            curves.metric_curves(entry, metric, panel)
            panel.relim()
            panel.autoscale_view()
        title = short_name(f"{entry.rank}  {entry.name(self.axes)}", 90)
        self.figure.suptitle(title, fontsize=10, parse_math=False)
        return self.figure


def overview(board: Leaderboard) -> Figure:
    """Return the ranking's metric of each configuration over the epochs, as small panels."""
    from matplotlib.figure import Figure

    entries = board.configurations[:MOST_PANELS]
    columns = min(_COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    figure = Figure(figsize=(2.1 * columns + 0.5, 1.45 * rows + 0.5))
    axes = figure.add_axes((0, 0, 1, 1 - 0.4 / figure.get_figheight()))
    names = [short_name(board.short_name(entry), 36) for entry in entries]
    metric = "validation_accuracy" if board.has_accuracy else "validation_loss"
    curves.small_multiples(entries, names, metric, columns, axes)
    more = len(board.configurations) - len(entries)
    note = f", the best {len(entries)} of {len(board.configurations)}" if more else ""
    errors = "1 - validation accuracy" if board.has_accuracy else "validation loss"
    figure.suptitle(f"{errors} by epoch, on the same logarithmic scale{note}")
    return figure


def heat_panels(board: Leaderboard) -> Iterator[tuple[tuple[str, str], Panel]]:
    """Yield the heat map of each pair of axes with common configurations."""
    shown = [axis for axis in board.axes if len(board.values(axis)) <= 40]
    for pair in itertools.islice(itertools.combinations(shown, 2), MOST_PAIRS):
        if any(all(axis in entry.settings for axis in pair) for entry in board.good):
            yield pair, partial(plots.heat_map, board, *pair)


def parallel_panel(board: Leaderboard) -> Panel:
    """Return the function that draws parallel coordinates."""
    return partial(plots.parallel_coordinates, board)


def parallel_size(board: Leaderboard) -> tuple[float, float]:
    """Return the size of parallel coordinates in inches."""
    return 1.9 * len(board.axes) + 2.4, 4.4


def rate_panels(board: Leaderboard) -> list[Panel]:
    """Return the functions that draw the effect of the learning rate, if it is an axis."""
    if "learning_rate" not in board.axes or not board.good:
        return []
    others = [axis for axis in board.axes if axis != "learning_rate"]
    few = [axis for axis in others if len(board.values(axis)) <= len(plots.COLOURS)]
    by = "mode" if "mode" in few else few[0] if few else None
    return [
        partial(plots.metric_over_rate, board, by),
        partial(curves.curves_by_rate, board),
    ]


def compared_axis(board: Leaderboard) -> str | None:
    """Return the axis to compare by: the mode, else the first of few values."""
    few = [axis for axis in board.axes if len(board.values(axis)) <= MOST_BARS]
    return "mode" if "mode" in few else few[0] if few else None


def comparison_panels(board: Leaderboard) -> list[Panel]:
    """Return charts of the ranking's metric, parameters, training and inference time.

    A quantity that is the same for all configurations has none.
    """
    axis = compared_axis(board)
    if axis is None or not board.good:
        return []
    quantities = (board.rank_by, "n_parameters", "train_seconds", "inference")
    return [
        partial(plots.comparison, board, axis, quantity)
        for quantity in quantities
        if plots.differs(board, axis, quantity)
    ]


def _stretches(entries: list[Configuration], n: int) -> list[list[Configuration]]:
    size = -(-len(entries) // n)
    return [entries[i : i + size] for i in range(0, len(entries), size)]


def _configuration_pngs(
    entries: list[Configuration], axes: list[str], has_accuracy: bool
) -> list[bytes]:
    with style():
        figure = ConfigurationFigure(axes, has_accuracy)
        return [png(figure.draw(entry)) for entry in entries]


def _several(panels: list[Panel], columns: int) -> Figure:
    figure = figure_of(panels, columns, 4.2 if columns == 2 else 2.9, 3.4)
    assert figure is not None
    return figure
