"""Names in scripts that matplotlib's own font lacks."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastmlp.reports import fonts
from fastmlp.reports.figures import png, style, svg
from fastmlp.reports.plots import confusion_matrix

NAMES = ["猫", "Ω été", "犬$"]


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without further fonts."""
    monkeypatch.setattr(fonts, "_OTHER_SCRIPTS", ())
    for cached in (fonts.families, fonts._characters):
        cached.cache_clear()
        monkeypatch.setattr(fonts, cached.__name__, cached.__wrapped__)


def drawn() -> Figure:
    figure = Figure()
    confusion_matrix(np.eye(3, dtype=int), NAMES, figure.add_subplot())
    return figure


def test_pictures_escape_what_no_font_has(no_other_fonts: None) -> None:
    with style(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = drawn()
        png(figure)
        figure.savefig(io.BytesIO(), format="png")  # matplotlib itself finds every character
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["\\u732b", "Ω été", "\\u72ac\\$"]


def test_pages_keep_names_for_the_fonts_of_the_browser(no_other_fonts: None) -> None:
    with style():
        text = svg(drawn())
    assert "猫" in text and "犬" in text
