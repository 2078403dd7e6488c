"""How data, settings and models show themselves in a notebook."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp.reports.evaluation import RunEvaluation
from toys import blobs, lines, tags


class Balanced(HTMLParser):
    """Checks that tags are closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def shown(thing: object) -> str:
    text: str = thing._repr_html_()  # type: ignore[attr-defined]
    Balanced(text)
    assert text.startswith("<style>") and '<div class="fastmlp">' in text
    return text.partition("</style>")[2]


def test_dataset_shows_classes_and_first_rows() -> None:
    text = shown(blobs())
    assert "blobs" in text and "classification" in text
    assert text.count("<tr>") == 1 + 3 + 1 + 5  # classes, then rows


def test_table_shows_its_columns() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"<size>": [1.5, None, 2.5] * 4, "colour": ["red", "blue", "red"] * 4})
    text = shown(fastmlp.Dataset(frame, [0, 1, 1] * 4))
    assert "&lt;size&gt;" in text and "category" in text and "blue" in text and "1.5" in text


def test_images_targets_labels_and_sparse_rows() -> None:
    digits = shown(fastmlp.load_dataset("digits"))
    assert digits.count("<img") == 12 and "10.1%" in digits
    numbers = shown(lines(n_outputs=2))
    assert "median" in numbers and "target 1" in numbers
    assert "multilabel" in shown(tags())
    sparse = fastmlp.Dataset(scipy.sparse.csr_array(np.eye(6)), np.arange(6) % 2)
    assert "float64 sparse" in shown(sparse)


def test_config_shows_changed_settings_first() -> None:
    text = shown(fastmlp.TrainConfig(epochs=7, optimizer="adam"))
    first, _, others = text.partition("<details>")
    assert "<dt>epochs</dt><dd>7</dd>" in first and "adam" in first
    assert "batch_size" in others and "batch_size" not in first
    assert "All settings have their defaults." in shown(fastmlp.TrainConfig())


def test_model_shows_task_and_layers(evaluation: RunEvaluation) -> None:
    predictor = evaluation.result.predictor
    text = shown(predictor)
    assert predictor.task.describe().replace("&", "&amp;") in text
    assert text.count("<tr>") == len(predictor.network.layers) + 2


def test_fragment_takes_the_colours_of_the_notebook() -> None:
    style = fastmlp.TrainConfig()._repr_html_().partition("</style>")[0]
    assert "--jp-content-font-color1" in style and "--vscode-editor-foreground" in style
    assert "currentColor" in style
