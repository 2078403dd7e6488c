"""Plots of histories, confusions, thresholds and regressions, each into an axes that is given.

Colours are those of Okabe and Ito (2008), which the colour-blind can tell apart. What is drawn in
``INK`` and ``PALE`` takes other colours on a dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
INK, PALE = "#222324", "#c7c8c9"
PARTS = (("train", "training", BLUE), ("validation", "validation", VERMILLION))
# Values that spread over more than this are shown on a logarithmic scale.
_LINEAR_SPREAD = 30
# Maximum number of classes for which cells show counts and all ticks have names.
_MOST_NUMBERED = 25
_MOST_POINTS = 5000
TICKS_OF_TARGETS = 4  # labels of more would overlap
_LONGEST_NAME = 16


def loss_curves(
    history: Any,
    axes: Axes,
    best_epoch: int | None = None,
    x: str = "epoch",
    models: Sequence[Any] = (),
) -> None:
    """Draw training and validation loss.

    Parameters
    ----------
    history : History or mapping of str to list
        With columns ``x``, ``train_loss`` and ``validation_loss``; a validation loss that is always
        None is left out.
    axes : matplotlib.axes.Axes
    best_epoch : int, optional
        Marked by a line.
    x : {"epoch", "iteration"}, default "epoch"
    models : sequence of History, default ()
        Of an ensemble whose mean ``history`` is; drawn faintly.
    """
    _curves(history, axes, "loss", best_epoch, x, models)


def accuracy_curves(
    history: Any,
    axes: Axes,
    best_epoch: int | None = None,
    x: str = "epoch",
    models: Sequence[Any] = (),
) -> None:
    """Draw training and validation accuracy; parameters as for :func:`loss_curves`."""
    _curves(history, axes, "accuracy", best_epoch, x, models)


def metric_curve(history: Any, axes: Axes, column: str, best_epoch: int | None = None) -> None:
    """Draw a column of numbers, such as validation_roc_auc; parameters as :func:`loss_curves`."""
    pairs = zip(history["epoch"], history[column], strict=True)
    found = [(x, float(y)) for x, y in pairs if isinstance(y, (int, float))]
    if not found:
        return
    epochs, values = zip(*found, strict=True)
    _, name, colour = PARTS[1]
    axes.plot(epochs, values, color=colour, label=name, **_marker(values))
    _mark_best(axes, best_epoch)
    _finish_curves(axes, "epoch", column.removeprefix("validation_").replace("_", " "), values)
    _legend(axes)


def rate_curve(history: Any, axes: Axes) -> None:
    """Draw the learning rate of each epoch's first update.

    Parameters
    ----------
    history : History or mapping of str to list
        With columns ``epoch`` and ``learning_rate``.
    axes : matplotlib.axes.Axes
    """
    rates = history["learning_rate"]
    axes.plot(history["epoch"], rates, color=GREEN, **_marker(rates))
    _finish_curves(axes, "epoch", "learning rate", rates)
    if axes.get_yscale() == "linear":
        axes.set_ylim(0, 1.1 * max(rates))


def confusion_matrix(matrix: Any, names: Sequence[str], axes: Axes) -> None:
    """Draw counts, coloured by their share of the actual class.

    Parameters
    ----------
    matrix : array_like of int, shape (n_classes, n_classes)
        Rows are the actual classes, columns the predicted ones.
    names : sequence of str
    axes : matplotlib.axes.Axes
    """
    _heat_map(np.asarray(matrix), names, names, axes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")


def label_matrix(matrices: Any, names: Sequence[str], axes: Axes) -> None:
    """Draw the confusions of several labels, a row for each.

    Parameters
    ----------
    matrices : array_like of int, shape (n_labels, 2, 2)
        As :func:`sklearn.metrics.multilabel_confusion_matrix` returns them.
    names : sequence of str
    axes : matplotlib.axes.Axes
    """
    columns = ("true\nnegative", "false\npositive", "false\nnegative", "true\npositive")
    _heat_map(np.asarray(matrices).reshape(-1, 4), names, columns, axes)
    axes.set_ylabel("label")


def roc_curve(positive: Any, score: Any, axes: Axes, threshold: float | None = None) -> None:
    """Draw the share of positives found over that of negatives taken for positive.

    Parameters
    ----------
    positive : array_like of bool, shape (n,)
        Both values must occur.
    score : array_like, shape (n,)
        Higher for the positive class.
    axes : matplotlib.axes.Axes
    threshold : float, optional
        Marked by a point.
    """
    from sklearn import metrics

    false_share, true_share, _ = metrics.roc_curve(positive, score)
    area = metrics.roc_auc_score(positive, score)
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1)
    axes.plot(false_share, true_share, color=BLUE, label=f"area {area:.4f}")
    if threshold is not None:
        positive, found = np.asarray(positive, bool), np.asarray(score) >= threshold
        _mark(axes, found[~positive].mean(), found[positive].mean(), threshold)
    _finish_unit_square(axes, "false positive rate", "true positive rate (recall)", "lower right")


def precision_recall_curve(
    positive: Any, score: Any, axes: Axes, threshold: float | None = None
) -> None:
    """Draw precision over recall; parameters as for :func:`roc_curve`."""
    from sklearn import metrics

    precision, recall, _ = metrics.precision_recall_curve(positive, score)
    average = metrics.average_precision_score(positive, score)
    axes.plot(recall, precision, color=BLUE, label=f"average precision {average:.4f}")
    if threshold is not None:
        positive, found = np.asarray(positive, bool), np.asarray(score) >= threshold
        if found.any():
            _mark(axes, found[positive].mean(), positive[found].mean(), threshold)
    _finish_unit_square(axes, "recall", "precision", "lower left")


def predicted_over_actual(y: Any, predicted: Any, axes: Axes) -> None:
    """Draw predictions against actual values, a point per row (a sample of many rows).

    Parameters
    ----------
    y, predicted : array_like, shape (n,)
    axes : matplotlib.axes.Axes
    """
    y, predicted = np.asarray(y, float), np.asarray(predicted, float)
    shown = slice(None, None, -(-len(y) // _MOST_POINTS))
    ends = [min(y.min(), predicted.min()), max(y.max(), predicted.max())]
    axes.plot(ends, ends, color=PALE, linewidth=1, label="exact")
    axes.scatter(
        y[shown], predicted[shown], s=9, alpha=0.7, color=BLUE, linewidths=0, rasterized=True
    )
    axes.set_xlabel("actual")
    axes.set_ylabel("predicted")
    axes.locator_params(axis="x", nbins=TICKS_OF_TARGETS)
    _legend(axes, "upper left")
    tidy(axes)


def residuals(y: Any, predicted: Any, axes: Axes) -> None:
    """Draw how often which error occurs.

    Parameters
    ----------
    y, predicted : array_like, shape (n,)
    axes : matplotlib.axes.Axes
    """
    errors = np.asarray(predicted, float) - np.asarray(y, float)
    low, high = errors.min(), errors.max()
    width = 1e-6 * max(abs(low), abs(high)) or 1.0  # bins need some, also of errors all the same
    ends = (low, high) if high - low > width else (low - width, high + width)
    axes.hist(errors, bins=min(50, max(10, len(errors) // 20)), range=ends, color=BLUE)
    axes.axvline(0, color=INK, linewidth=1, linestyle="--")
    axes.set_xlabel("predicted - actual")
    axes.locator_params(axis="x", nbins=TICKS_OF_TARGETS)
    axes.set_ylabel("rows")
    tidy(axes)


def short_name(name: str, most: int) -> str:
    """Return a name shortened to a maximum length."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _curves(
    history: Any, axes: Axes, quantity: str, best_epoch: int | None, x: str, models: Sequence[Any]
) -> None:
    shown = []
    for part, name, colour in PARTS:
        for model in models:
            values = model[f"{part}_{quantity}"]
            axes.plot(model[x], values, color=colour, alpha=0.3, linewidth=0.7)
            shown += [value for value in values if value is not None]
        values = history[f"{part}_{quantity}"]
        if any(value is not None for value in values):
            axes.plot(history[x], values, color=colour, label=name, **_marker(values))
            shown += [value for value in values if value is not None]
    _mark_best(axes, best_epoch)
    _finish_curves(axes, "update" if x == "iteration" else x, quantity, shown)
    _legend(axes)


def _mark_best(axes: Axes, epoch: int | None) -> None:
    if epoch is not None:
        axes.axvline(epoch, color=INK, linewidth=1, linestyle="--", label=f"best epoch {epoch}")


def _marker(values: Sequence[Any]) -> dict[str, Any]:
    # A curve of one epoch is a point.
    return {"marker": "o", "markersize": 3} if len(values) <= _LINEAR_SPREAD else {}


def _finish_curves(axes: Axes, x: str, y: str, values: Sequence[float]) -> None:
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    if values and 0 < _LINEAR_SPREAD * min(values) < max(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    whole_ticks(axes)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    tidy(axes)


def _finish_unit_square(axes: Axes, x: str, y: str, legend: str) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    _legend(axes, legend)
    tidy(axes)


def _mark(axes: Axes, x: float, y: float, threshold: float) -> None:
    label = f"threshold {threshold:g}"
    axes.plot([x], [y], "o", color=VERMILLION, label=label, clip_on=False, zorder=3)


def _legend(axes: Axes, location: Any = "best") -> None:
    axes.legend(frameon=False, fontsize="small", loc=location)


def whole_ticks(axes: Axes) -> None:
    """Put the ticks of the x axis at whole numbers, such as epochs."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))


def tidy(axes: Axes) -> None:
    """Give an axes a pale grid and no frame."""
    axes.grid(color=PALE, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _heat_map(counts: np.ndarray, rows: Sequence[str], columns: Sequence[str], axes: Axes) -> None:
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap=_shades(BLUE), vmin=0, vmax=1)
    for axis, names in ((axes.xaxis, columns), (axes.yaxis, rows)):
        step = -(-len(names) // _MOST_NUMBERED)
        axis.set_ticks(range(0, len(names), step), [tick(name) for name in names[::step]])
    if max(map(len, columns)) > 3 and len(columns) > 4:
        axes.tick_params(axis="x", rotation=90)
    if len(rows) <= _MOST_NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if share[row, column] > 0.5 else INK
            if count:
                axes.text(column, row, str(count), ha="center", va="center", color=colour)
    colour_bar(image, "share of the row")


def _shades(colour: str) -> Any:
    """Return a colour map from transparent to a colour, for pages of any theme."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    ends = [(*to_rgb(colour), opacity) for opacity in (0, 1)]
    return LinearSegmentedColormap.from_list("shades", ends)


def colour_bar(image: AxesImage, label: str) -> None:
    """Draw the scale of a heat map beside it."""
    bar = image.axes.figure.colorbar(image, ax=image.axes, fraction=0.046, pad=0.03)
    bar.set_label(label)


def tick(name: str, most: int = _LONGEST_NAME) -> str:
    """Return a name as the text of a tick, shortened to a maximum length."""
    return short_name(name, most).replace("$", r"\$")  # no formula
