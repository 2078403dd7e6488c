"""Figures without a window: made in one style, written as PNG or as SVG for a page of any theme.

Not by matplotlib.pyplot, which keeps figures alive and may look for a display.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._folders import cache_folder, is_temporary
from .fonts import escape_missing, families
from .plots import BLUE, INK, PALE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120
_STYLE: Any = {
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 10,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",  # texts stay texts, which a page can show in its own colour
    "svg.hashsalt": "fastmlp",  # the same figure, the same bytes
}

# What a page of another theme shows in another colour.
_ON_PAGE = {
    INK: "currentColor",
    PALE: "var(--pale, #8888)",
    BLUE.lower(): f"var(--accent, {BLUE})",
}


@contextmanager
def style() -> Iterator[None]:
    """Make and write figures in the style of fastmlp."""
    # Without a folder for its list of fonts, matplotlib would make the list in every process.
    if is_temporary(folder := cache_folder("matplotlib")):
        os.environ.setdefault("MPLCONFIGDIR", str(folder))
    import matplotlib

    with matplotlib.rc_context({**_STYLE, "font.family": families()}), warnings.catch_warnings():
        # A browser has other fonts than matplotlib.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, with automatic layout."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """Return a figure as PNG, on white."""
    escape_missing(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()


def svg(figure: Figure) -> str:
    """Return a figure as an SVG element; its width and its ink are those of the page around it."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    file = io.StringIO()
    figure.savefig(file, format="svg", dpi=DPI, metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Two figures of a page must not share the names of their groups.
    text = re.sub(r'<g id="[^"]*">', "<g>", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for colour, on_page in _ON_PAGE.items():
        text = text.replace(colour, on_page)
    return text
