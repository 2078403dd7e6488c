"""The pictures of a run, each a figure, or none where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..training.scorers import VALIDATION
from ..training.setting_checks import MONITORS
from . import diagnostic_plots, plots
from .evaluation import EvaluatedPart, RunEvaluation, SomeRows
from .figures import new_figure, png, style
from .filters import EXAMPLE, feature_map_figure, filter_figure
from .images import grid_size, image_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..training.history import History
    from ..training.result import TrainResult

MOST_IMAGES = 40
MOST_OUTPUTS = 4
_OF_REGRESSION = (
    plots.predicted_over_actual, diagnostic_plots.residuals_over_predictions, plots.residuals,
)  # fmt: skip
Panel = Callable[["Axes"], None]


def draw_pictures(evaluation: RunEvaluation) -> dict[str, bytes]:
    """Return the pictures, PNG, by the names of their files."""
    pictures = {}
    with style():
        for name, draw in PICTURES.items():
            figure = draw(evaluation)
            if figure is not None:
                pictures[name] = png(figure)
    return pictures


def without_data(evaluation: RunEvaluation) -> RunEvaluation:
    """Return an evaluation that keeps of the features only the rows that pictures show.

    So that the data can be freed before there are reports: the libraries that make them take more
    memory than MNIST does.
    """
    parts = [
        replace(part, X=SomeRows(part.X, _shown_rows(evaluation, part)))
        for part in evaluation.parts
    ]
    return replace(evaluation, parts=parts)


def _shown_rows(evaluation: RunEvaluation, part: EvaluatedPart) -> np.ndarray:
    if evaluation.image_shape is None:
        return np.sort(part.worst(MOST_IMAGES)) if part is evaluation.judged else np.empty(0, int)
    if part.task.classes is None:
        return np.array([EXAMPLE])
    return np.union1d(spaced(len(part.y)), part.mistakes(MOST_IMAGES))


def curve_panels(result: TrainResult) -> Iterator[Panel]:
    """Yield a function for each plot of a history, which draws it into an axes."""
    history, best = result.history, result.best_epoch
    if not len(history):
        return
    draws = [plots.loss_curves]
    if result.predictor.task.has_accuracy:
        draws.append(plots.accuracy_curves)
    models = [model.history for model in result.models]
    for draw in draws:
        yield partial(draw, history, best_epoch=best, models=models)
    for column in history.columns:
        if column.startswith(VALIDATION) and column not in MONITORS:
            yield partial(_metric_panel, history, column, best)
    if len(set(history["learning_rate"])) > 1:
        yield lambda axes: plots.rate_curve(history, axes)
    if len(result.iterations):
        models = [model.iterations for model in result.models]
        for draw in draws:
            yield partial(draw, result.iterations, x="iteration", models=models)


def spread_panels(part: EvaluatedPart) -> Iterator[Panel]:
    """Yield the function that draws how far the models of an ensemble are apart."""
    spread = part.spread
    if spread is not None and np.isfinite(spread).all():
        yield lambda axes: diagnostic_plots.spread_histogram(spread, axes)


def _metric_panel(history: History, column: str, best: int | None, axes: Axes) -> None:
    plots.metric_curve(history, axes, column, best)


def ranking_panels(part: EvaluatedPart) -> Iterator[Panel]:
    """Yield the functions that draw the separation of two classes, if both occur."""
    classes = part.task.classes
    if part.metrics.get("roc_auc") is None or classes is None or len(classes) > 2:
        return
    positive, score = part.y == classes[1], part.outputs[:, 0]
    for draw in (plots.roc_curve, plots.precision_recall_curve):
        yield partial(draw, positive, score, threshold=part.task.threshold)


def calibration_panels(part: EvaluatedPart) -> Iterator[Panel]:
    """Yield the function that draws the calibration of probabilities of classes."""
    if part.metrics.get("ece") is None or part.task.classes is None:
        return
    numbers = np.searchsorted(part.task.classes, part.y)
    probabilities = part.task.probabilities(part.outputs)
    yield partial(diagnostic_plots.reliability_diagram, numbers, probabilities)


def regression_panels(part: EvaluatedPart) -> Iterator[Panel]:
    """Yield the functions that draw predictions and errors of the first outputs."""
    if not np.isfinite(part.predicted).all():
        return
    y = part.y.reshape(len(part.y), -1)
    predicted = part.predicted.reshape(y.shape)
    for j in range(min(y.shape[1], MOST_OUTPUTS)):
        for draw in _OF_REGRESSION:

            def panel(axes: Axes, j: int = j, draw: Callable[..., None] = draw) -> None:
                draw(y[:, j], predicted[:, j], axes)
                if y.shape[1] > 1:
                    axes.set_title(part.target_names[j] if part.target_names else f"output {j}")

            yield panel


def spaced(n: int, most: int = MOST_IMAGES) -> np.ndarray:
    """Return rows spread evenly over all: data are often in the order of their classes."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)


def figure_of(panels: list[Panel], columns: int, width: float, height: float) -> Figure | None:
    """Return a figure of panels side by side, each of a size in inches; None without any."""
    if not panels:
        return None
    rows = -(-len(panels) // columns)
    figure = new_figure(width * min(columns, len(panels)), height * rows)
    for number, panel in enumerate(panels, start=1):
        panel(figure.add_subplot(rows, min(columns, len(panels)), number))
    return figure


def panel_figure(panel: Panel, width: float, height: float) -> Figure:
    """Return a figure of one panel, of a size in inches."""
    figure = new_figure(width, height)
    panel(figure.add_subplot())
    return figure


def _curves(evaluation: RunEvaluation) -> Figure | None:
    return figure_of(list(curve_panels(evaluation.result)), 3, 3.9, 3.2)


def _confusion(evaluation: RunEvaluation) -> Figure | None:
    part = evaluation.judged
    return confusion_figure(part) if "confusion_matrix" in part.metrics else None


def confusion_figure(part: EvaluatedPart, most_inches: float = 14.0) -> Figure:
    """Return a figure of the confusion matrix of a part, which has classes or labels."""
    matrix = part.metrics["confusion_matrix"]
    names = [entry["class"] for entry in part.metrics["classes"]]
    side = min(most_inches, 2.5 + 0.42 * len(names))
    if part.task.kind == "multilabel":
        figure = new_figure(5, side)
        plots.label_matrix(matrix, names, figure.add_subplot())
    else:
        figure = new_figure(side + 1, side)
        plots.confusion_matrix(matrix, names, figure.add_subplot())
    figure.suptitle(f"{part.name} set, accuracy {part.metrics['accuracy']:.4f}")
    return figure


def _ranking(evaluation: RunEvaluation) -> Figure | None:
    return figure_of(list(ranking_panels(evaluation.judged)), 2, 4.2, 4)


def _spread(evaluation: RunEvaluation) -> Figure | None:
    return figure_of(list(spread_panels(evaluation.judged)), 1, 4.2, 3.2)


def _samples(evaluation: RunEvaluation) -> Figure | None:
    part = evaluation.parts[0]
    rows = spaced(len(part.y))
    return _grid(evaluation, part, rows, "training images", [_label(y) for y in part.y[rows]])


def _calibration(evaluation: RunEvaluation) -> Figure | None:
    return figure_of(list(calibration_panels(evaluation.judged)), 1, 4.2, 4)


def _predictions(evaluation: RunEvaluation) -> Figure | None:
    part = evaluation.judged
    if part.task.kind == "regression":
        return figure_of(list(regression_panels(part)), 3, 4.2, 3.6)
    rows = spaced(len(part.y))
    captions = [_caption(part, i) for i in rows]
    wrong = (part.predicted[rows] != part.y[rows]).tolist()
    return _grid(evaluation, part, rows, f"{part.name} images", captions, wrong)


def _mistakes(evaluation: RunEvaluation) -> Figure | None:
    part = evaluation.judged
    if part.task.classes is None:
        return None
    rows = part.mistakes(MOST_IMAGES)
    title = f"most confident mistakes, {part.name} set"
    return _grid(evaluation, part, rows, title, mistake_captions(part, rows))


def mistake_captions(part: EvaluatedPart, rows: np.ndarray) -> list[str]:
    """Return what is right, what was predicted, and with which confidence."""
    captions = [f"{_caption(part, i)}\nconfidence {part.confidence[i]:.3f}" for i in rows]
    if part.spread is None:
        return captions
    return [f"{text} ± {part.spread[i]:.3f}" for text, i in zip(captions, rows, strict=True)]


def _caption(part: EvaluatedPart, row: int) -> str:
    return f"actual {_label(part.y[row])}\npredicted {_label(part.predicted[row])}"


def _label(label: object) -> str:
    # What fits above an image, on one line.
    return plots.short_name(" ".join(str(label).split()), 12)


def _grid(
    evaluation: RunEvaluation,
    part: EvaluatedPart,
    rows: np.ndarray,
    title: str,
    captions: list[str],
    wrong: list[bool] | None = None,
) -> Figure | None:
    """Return a figure of images; None where rows are none, or have several labels."""
    if evaluation.image_shape is None or part.task.classes is None or not len(rows):
        return None
    lines = 1 + captions[0].count("\n")
    width, height = grid_size(len(rows), evaluation.image_shape, lines)
    figure = new_figure(max(4.0, 1.05 * width), 1.05 * height + 0.4)
    figure.suptitle(title)
    images = evaluation.images(part, rows)
    image_grid(images, figure.add_subplot(), captions, wrong or (), evaluation.feature_range)
    return figure


PICTURES: dict[str, Callable[[RunEvaluation], Figure | None]] = {
    "curves.png": _curves,
    "confusion.png": _confusion,
    "roc.png": _ranking,
    "calibration.png": _calibration,
    "spread.png": _spread,
    "samples.png": _samples,
    "predictions.png": _predictions,
    "mistakes.png": _mistakes,
    "weights.png": filter_figure,
    "feature-maps.png": feature_map_figure,
}
