"""The text of the page and of the plots of every task."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import fastmlp
from fastmlp.commands.tables import evaluation_lines, result_lines
from fastmlp.reports.evaluation import RunEvaluation, evaluate_run
from fastmlp.reports.figures import style
from fastmlp.reports.pictures import (
    curve_panels,
    draw_pictures,
    panel_figure,
    spaced,
    without_data,
)
from fastmlp.reports.run_page import run_page
from fastmlp.reports.tables import number
from toys import blobs, lines, settings

VOID = {"img", "meta", "br"}
EXPECTED = {
    "images": {
        "calibration",
        "curves",
        "confusion",
        "samples",
        "predictions",
        "mistakes",
        "weights",
    },
    "binary": {"calibration", "curves", "confusion", "roc"},
    "blobs": {"calibration", "curves", "confusion"},
    "labels": {"curves", "confusion"},
    "numbers": {"curves", "predictions"},
    "two numbers": {"curves", "predictions"},
    "colours": {
        "calibration",
        "curves",
        "confusion",
        "samples",
        "predictions",
        "mistakes",
        "weights",
        "feature-maps",
    },
    "ensemble of labels": {"curves", "confusion", "spread"},
    "ensemble of numbers": {"curves", "predictions", "spread"},
}
EXPECTED["ensemble"] = EXPECTED["images"] | {"spread"}


class Tags(HTMLParser):
    """Checks that tags are closed in the order in which they were opened."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return request.node.callspec.params["evaluation"]


@pytest.mark.parametrize(
    ("evaluation", "of"),
    [
        ("ensemble", "the probability of the predicted class"),
        ("ensemble of labels", "the probability of each label"),
        ("ensemble of numbers", "the predicted values"),
    ],
    indirect=["evaluation"],
)
def test_page_and_terminal_show_the_models_of_an_ensemble(
    evaluation: RunEvaluation, of: str
) -> None:
    result, part = evaluation.result, evaluation.judged
    _, spread = result.predictor.predict(np.asarray(part.X), return_std=True)
    assert part.spread is not None and np.array_equal(part.spread, spread)
    assert part.metrics["spread"] == pytest.approx(spread.mean())
    page = " ".join(run_page(evaluation, draw_pictures(evaluation)).split())
    terminal = "\n".join([*result_lines(result), *evaluation_lines(evaluation)])
    note = f"the standard deviation between the models of {of}. On the test set its median is"
    for text in (page, terminal):
        assert note in text
        for model in result.models:
            assert str(model.config.seed) in text
            assert number(model.metrics["test_loss"]) in text
    assert "3 models of such layers have" in page


@pytest.mark.parametrize("evaluation", ["ensemble"], indirect=True)
def test_curves_of_models_are_drawn_faintly_below_their_mean(evaluation: RunEvaluation) -> None:
    result = evaluation.result
    with style():
        axes = panel_figure(next(curve_panels(result)), 4, 3).axes[0]
    faint = [line for line in axes.lines if line.get_alpha() is not None]
    assert len(faint) == 2 * len(result.models)
    curves = [line.get_ydata().tolist() for line in faint[:3]]
    assert curves == [model.history["train_loss"] for model in result.models]
    (mean,) = (line for line in axes.lines if line.get_label() == "training")
    np.testing.assert_allclose(mean.get_ydata(), np.mean(curves, axis=0))


def test_each_task_has_its_plots_and_complete_page(evaluation: RunEvaluation, name: str) -> None:
    pictures = draw_pictures(evaluation)
    assert {file.removesuffix(".png") for file in pictures} == EXPECTED[name]
    for content in pictures.values():
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
        assert pixels.min() < 100 and pixels.max() == 255  # something is drawn on the white
    text = run_page(evaluation, pictures)
    assert not Tags(text).open
    assert "svg" in Tags(text).seen
    for title in ("Summary", "Training", "Layers", "Settings", "Timing"):
        assert f"<h2>{title}</h2>" in text
    assert ("<h2>Classes</h2>" in text) == evaluation.judged.task.has_accuracy


def test_a_page_loads_nothing(bars: RunEvaluation) -> None:
    text = run_page(bars, draw_pictures(bars))
    assert not re.search(r"<(script|link|iframe)|url\((?!#)|@import", text)
    for address in re.findall(r"(?:src|href)=\"([^\"]*)", text):
        assert address.startswith(("data:image/png;base64,", "#"))


def test_plots_on_page_use_only_colours_of_curves(
    bars: RunEvaluation,
) -> None:
    svgs = re.findall(r"<svg.*?</svg>", run_page(bars, {}), re.DOTALL)
    assert len(svgs) == 3  # loss, accuracy, calibration; the rate is constant
    for svg in svgs:
        ElementTree.fromstring(svg)
        colours = set(re.findall(r"#[0-9a-fA-F]{6}\b", svg.lower()))
        assert colours <= {"#0072b2", "#d55e00", "#009e73"}
        assert "var(--accent, #0072B2)" in svg
        assert "currentColor" in svg
        assert not re.search(r"<svg[^>]* (width|height)=", svg)
        assert "metadata" not in svg


def test_a_page_without_pictures(evaluation: RunEvaluation) -> None:
    seen = Tags(run_page(evaluation, None)).seen
    assert "table" in seen
    assert not seen & {"img", "svg"}


def test_more_classes_than_fit_a_table_are_a_plot() -> None:
    dataset = blobs(n=320, n_classes=32)
    evaluation = evaluate_run(fastmlp.fit(settings(epochs=1), dataset), dataset)
    pictures = draw_pictures(evaluation)
    text = run_page(evaluation, pictures)
    assert 'class="heat"' not in text
    assert len(re.findall("<svg", text)) == 4


def test_names_of_classes_may_be_anything() -> None:
    names = np.array(["<b>&", "$x$ \\alpha", "字"])
    dataset = fastmlp.Dataset(blobs().X, names[blobs().y])
    evaluation = evaluate_run(fastmlp.fit(settings(epochs=1), dataset), dataset)
    text = run_page(evaluation, draw_pictures(evaluation))
    assert not Tags(text).open
    assert "&lt;b&gt;&amp;" in text


def test_the_same_run_gives_the_same_pictures(bars: RunEvaluation) -> None:
    assert draw_pictures(bars) == draw_pictures(bars)
    assert run_page(bars, {}) == run_page(bars, {})


def test_reports_need_only_some_rows_of_the_data(bars: RunEvaluation) -> None:
    slim = without_data(bars)
    assert draw_pictures(slim) == draw_pictures(bars)
    assert run_page(slim, {}) == run_page(bars, {})
    part, whole = slim.parts[0], bars.parts[0]
    rows = part.mistakes(3)
    np.testing.assert_array_equal(slim.images(part, rows), bars.images(whole, rows))
    others = np.setdiff1d(np.arange(len(part.y)), [*spaced(len(part.y)), *part.mistakes(40)])
    assert len(others)
    with pytest.raises(IndexError, match=r"among the \d+ kept, got \[\d+\]"):
        slim.images(part, others[:1])


def test_rows_that_are_no_images_are_not_kept() -> None:
    dataset = blobs()
    evaluation = without_data(evaluate_run(fastmlp.fit(settings(), dataset), dataset))
    with pytest.raises(IndexError):
        evaluation.parts[0].X[np.array([0])]


def test_a_result_shows_itself_in_a_notebook(bars: RunEvaluation) -> None:
    shown = bars.result._repr_html_()
    tags = Tags(shown)
    assert not tags.open and {"svg", "dl"} <= tags.seen
    assert "test accuracy" in shown and "bars" in shown


def priced(n_outputs: int | None = None, **changes: object) -> RunEvaluation:
    """A regression of targets of about 1e5."""
    data = lines(n_outputs=n_outputs)
    names = ("price",) if n_outputs is None else ("price", "rent")
    dataset = fastmlp.Dataset(data.X, 1e5 + 2e4 * data.y, name="houses", target_names=names)
    return evaluate_run(fastmlp.fit(settings(**changes), dataset), dataset)


def test_errors_are_in_the_units_of_the_targets() -> None:
    evaluation = priced()
    metrics = evaluation.metrics()["test"]
    part = evaluation.judged
    assert metrics["mae"] == pytest.approx(np.abs(part.predicted - part.y).mean())
    assert metrics["mae"] > 100 > metrics["loss"]
    assert evaluation.result.metrics["test_loss"] == pytest.approx(metrics["loss"], rel=1e-5)
    note = "MAE and RMSE are in the units of price; losses are of targets scaled by standard"
    page, printed = run_page(evaluation, None), evaluation_lines(evaluation)
    assert note in page and note in printed
    assert f"{metrics['rmse']:,.1f}" in page
    assert "squared_error, of targets scaled by standard" in page
    assert result_lines(evaluation.result)[-1] == "losses are of targets scaled by standard"


def test_unscaled_targets_are_not_reported() -> None:
    evaluation = priced(target_scale="none", learning_rate=1e-6)
    printed = evaluation_lines(evaluation)
    assert "MAE and RMSE are in the units of price" in printed
    assert not any("scaled" in line for line in result_lines(evaluation.result))


def test_classes_have_no_units(bars: RunEvaluation) -> None:
    texts = [run_page(bars, None), *evaluation_lines(bars), *result_lines(bars.result)]
    assert not any("units" in text or "of targets" in text for text in texts)


def test_each_output_has_its_row() -> None:
    evaluation = priced(2)
    printed = "\n".join(evaluation_lines(evaluation))
    for text in (run_page(evaluation, None), printed):
        assert all(name in text for name in ("price", "rent", "test set"))
    assert "<h2>Outputs</h2>" in run_page(evaluation, None)
    assert len(evaluation.judged.metrics["outputs"]) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "0.0000"), (0.5, "0.5000"), (-12.34567, "-12.3457"), (1e-5, "1e-05"),
     (45231.234, "45,231.2"), (-1234.5678, "-1,234.6"), (1.23456e9, "1.235e+09")],
)  # fmt: skip
def test_numbers_are_short_and_keep_their_digits(value: float | None, text: str) -> None:
    assert number(value) == text
