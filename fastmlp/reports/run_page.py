"""``report.html``, one page with everything about a run; and its view in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from . import page
from .columns import column_table, judged_columns, mistake_table
from .evaluation import EvaluatedPart, Importance, RunEvaluation
from .figures import style, svg
from .filters import example_maps, first_filters, map_limits
from .pictures import (
    Panel,
    calibration_panels,
    confusion_figure,
    curve_panels,
    mistake_captions,
    panel_figure,
    ranking_panels,
    regression_panels,
    spread_panels,
)
from .tables import (
    METRIC_NAMES,
    class_table,
    layer_table,
    model_table,
    models_note,
    number,
    output_table,
    parameters_text,
    part_table,
    setting_pairs,
    spread_note,
    summary_pairs,
    timing_pairs,
    units_note,
)

if TYPE_CHECKING:
    from ..model.network import Network
    from ..training.config import TrainConfig
    from ..training.result import TrainResult

MOST_MISTAKES = 24
MOST_COLUMNS = 30  # whose importance is shown
# A confusion matrix of more classes fits no table: its picture is shown instead.
MOST_HEAT_CLASSES = 30


def run_page(
    evaluation: RunEvaluation,
    pictures: dict[str, bytes] | None,
    provenance: Sequence[tuple[str, str]] = (),
) -> str:
    """Return a page about a run, in HTML.

    Parameters
    ----------
    evaluation : RunEvaluation
    pictures : dict of str to bytes or None
        As drawn for the run folder, by name; None for a page without plots and images.
    provenance : sequence of (str, str), optional
        On top of the page.
    """
    result, judged = evaluation.result, evaluation.judged
    network = result.predictor.network
    sections = (
        page.provenance(provenance),
        _summary(evaluation),
        page.section("Importance of columns", *_importance(evaluation.importance)),
        page.section("Columns", _columns(evaluation)),
        page.section("Training", plots_html(curve_panels(result), pictures)),
        page.section("Models", *_models(evaluation, pictures)),
        page.section("Confusions", *confusions_html(judged, pictures)),
        page.section("Thresholds", plots_html(ranking_panels(judged), pictures)),
        page.section("Calibration", plots_html(calibration_panels(judged), pictures)),
        page.section("Classes", *classes_html(evaluation)),
        page.section("Outputs", *_outputs_html(judged)),
        page.section("Predictions", _regression(judged, pictures)),
        page.section(_mistakes_title(judged), _mistakes(evaluation, pictures)),
        *((_first_layer(evaluation), _feature_maps(evaluation)) if pictures is not None else ()),
        page.section(
            "Layers",
            page.table(*layer_table(network)),
            page.paragraph(_parameters(network, result.predictor.n_models)),
        ),
        page.section("Settings", settings_html(result.config, evaluation.changed)),
        page.section("Timing", page.pairs(timing_pairs(result))),
    )
    return page.page(_title(judged, result), "\n".join(filter(None, sections)))


def result_fragment(result: TrainResult) -> str:
    """Return a run's summary and curves, as a notebook shows them."""
    metrics = [
        (name.replace("_", " "), number(value))
        for name, value in result.metrics.items()
        if value is not None
    ]
    return page.fragment(
        page.pairs([*summary_pairs(result), *metrics]) + plots_html(curve_panels(result), {})
    )


def _parameters(network: Network, n_models: int) -> str:
    return "; ".join(filter(None, [parameters_text(network), models_note(network, n_models)]))


def _models(evaluation: RunEvaluation, pictures: dict[str, bytes] | None) -> Iterator[str]:
    """Yield the metrics of each model of an ensemble, and how far they are apart."""
    if not evaluation.result.models:
        return
    yield page.table(*model_table(evaluation.result))
    if evaluation.judged.spread is not None:
        yield page.paragraph(spread_note(evaluation.judged))
        yield plots_html(spread_panels(evaluation.judged), pictures)


def settings_html(config: TrainConfig, changed: Sequence[str]) -> str:
    """Return the settings that differ from their defaults, and the others on a click."""
    pairs = setting_pairs(config)
    shown = [pair for pair in pairs if pair[0] in changed]
    others = [pair for pair in pairs if pair[0] not in changed]
    if not shown:
        note = page.paragraph("All settings have their defaults.")
    else:
        note = page.paragraph("Different from the defaults:") + page.pairs(shown)
    return note + page.details("settings at their defaults", page.pairs(others))


def _title(judged: EvaluatedPart, result: TrainResult) -> str:
    classes = ", ".join(result.config.classes)
    data = PurePath(result.data["name"]).name + (f" ({classes})" if classes else "")
    score = "accuracy" if "accuracy" in judged.metrics else "r2"
    return f"{data}: {judged.name} {METRIC_NAMES[score]} {number(judged.metrics[score])}"


def _summary(evaluation: RunEvaluation) -> str:
    note = (
        "By the weights that were kept, on each whole set. (The training figures of the history "
        "are means over an epoch, while the weights changed.)"
    )
    units = units_note(evaluation.judged, evaluation.result.config)
    return page.section(
        "Summary",
        page.pairs(summary_pairs(evaluation.result)),
        page.table(*part_table(evaluation.parts)),
        page.paragraph(f"{note} {units[:1].upper()}{units[1:]}." if units else note),
    )


def plots_html(panels: Iterable[Panel], pictures: dict[str, bytes] | None) -> str:
    """Return plots side by side; nothing on a page without pictures."""
    return "" if pictures is None else page.figures(map(_svg, panels))


def _svg(panel: Panel) -> str:
    with style():
        return svg(panel_figure(panel, 4.2, 3.2))


def confusions_html(part: EvaluatedPart, pictures: dict[str, bytes] | None) -> Iterator[str]:
    """Yield the confusion matrix of a part, and which confusions are most frequent."""
    if part.task.classes is None:
        return
    matrix = np.array(part.metrics["confusion_matrix"])
    yield page.paragraph(f"Rows of the {part.name} set by actual and predicted class.")
    if len(matrix) <= MOST_HEAT_CLASSES:
        yield page.heat_table(matrix, [entry["class"] for entry in part.metrics["classes"]])
    elif pictures is not None:
        with style():
            yield page.figures([svg(confusion_figure(part, 6.5))])
    if part.metrics["confusions"]:
        yield page.listing("Most frequent", part.metrics["confusions"])


def classes_html(evaluation: RunEvaluation) -> Iterator[str]:
    """Yield the classification report of each part, the test part first."""
    for part in reversed(evaluation.parts):
        if "classes" not in part.metrics:
            return
        content = page.table(*class_table(part.metrics))
        title = f"{part.name} set"
        shown_at_once = part is evaluation.judged
        yield page.paragraph(title) + content if shown_at_once else page.details(title, content)


def _outputs_html(part: EvaluatedPart) -> Iterator[str]:
    """Yield the errors of each output, if a regression has several."""
    if "outputs" in part.metrics:
        yield page.paragraph(f"Errors on the {part.name} set, each in the units of its target.")
        yield page.table(*output_table(part.metrics))


def _regression(part: EvaluatedPart, pictures: dict[str, bytes] | None) -> str:
    if part.task.kind != "regression":
        return ""
    return plots_html(regression_panels(part), pictures)


def _columns(evaluation: RunEvaluation) -> str:
    """Return the kinds of a table's columns and what was done with their values."""
    encoding = evaluation.result.predictor.encoding
    if encoding is None or not evaluation.column_facts:
        return ""
    return page.table(*column_table(evaluation.column_facts, encoding))


def _importance(found: Importance | None) -> Iterator[str]:
    """Yield what was measured, and the most important columns with a bar each."""
    if found is None or not found.columns:
        return
    shown, n = found.columns[:MOST_COLUMNS], len(found.columns)
    rest = "" if n == found.n_columns else f" There was time for {n} of {found.n_columns} columns."
    yield page.paragraph(
        f"Rise of the loss if a column is shuffled, on {found.rows:,} rows of the {found.part} "
        f"set: mean and standard deviation of {max(c.repeats for c in shown)} repeats.{rest}"
    )
    largest = max(shown[0].mean, 0.0)
    yield page.bar_table(
        ("column", "rise of the loss", "sd"),
        [(c.name, f"{c.mean:.4g}", f"{c.sd:.2g}") for c in shown],
        [c.mean / largest if largest else 0.0 for c in shown],
    )
    if n > len(shown):
        names = ", ".join(column.name for column in found.columns[len(shown) :])
        yield page.details(f"{n - len(shown)} less important columns", page.paragraph(names))


def _mistakes_title(part: EvaluatedPart) -> str:
    return "Most confident mistakes" if part.task.has_accuracy else "Largest errors"


def _mistakes(evaluation: RunEvaluation, pictures: dict[str, bytes] | None) -> str:
    part = evaluation.judged
    rows = part.worst(MOST_MISTAKES)
    if not len(rows):
        return ""
    if evaluation.image_shape is None:
        return page.table(*mistake_table(part, rows, evaluation.feature_names))
    if part.task.classes is None:
        return ""
    if pictures is None:
        header, columns = judged_columns(part, rows)
        return page.table(header, zip(*columns, strict=True))
    return gallery_html(evaluation, part, rows, mistake_captions(part, rows))


def gallery_html(
    evaluation: RunEvaluation, part: EvaluatedPart, rows: np.ndarray, captions: Sequence[str]
) -> str:
    """Return some rows of a part as images, with captions."""
    images = evaluation.images(part, rows)
    limits = evaluation.feature_range or (images.min(), images.max())
    return page.gallery([page.image_png(image, limits) for image in images], captions)


def _first_layer(evaluation: RunEvaluation) -> str:
    filters = first_filters(evaluation)
    if filters is None:
        return ""
    if filters.images.ndim == 4:
        note = f"From {-filters.limit:.3g} (dark) to {filters.limit:.3g} (bright), in colours."
        limits = (-filters.limit, filters.limit)
        images = [page.image_png(image, limits) for image in filters.images]
    else:
        note = f"Positive weights are red, negative ones blue, strongest at {filters.limit:.3g}."
        images = [page.signed_png(image, filters.limit) for image in filters.images]
    title = f"{filters.title[0].upper()}{filters.title[1:]}"
    return page.section(
        "First layer", page.paragraph(f"{title}. {note}"), page.tiles(images, filters.title)
    )


def _feature_maps(evaluation: RunEvaluation) -> str:
    found = example_maps(evaluation)
    if found is None:
        return ""
    image = found.image[0]
    limits = evaluation.feature_range or (image.min(), image.max())
    parts = [
        page.paragraph(f"{found.title[0].upper()}{found.title[1:]}."),
        page.tiles([page.image_png(image, limits)], "the image"),
    ]
    for title, maps in found.layers:
        drawn = [page.image_png(each, map_limits(maps)) for each in maps]
        parts += [page.paragraph(title), page.tiles(drawn, title)]
    return page.section("Feature maps", *parts)
