"""Fonts of figures: those for other scripts where installed, else readable escapes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of Linux, Windows and macOS; matplotlib's own font has Latin, Greek and Cyrillic letters.
_OTHER_SCRIPTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK KR",
    "Noto Sans JP", "Noto Sans SC", "Noto Sans KR", "Source Han Sans", "Source Han Sans SC",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAexGothic", "IPAGothic",
    "TakaoPGothic", "NanumGothic", "Microsoft YaHei", "SimHei", "Yu Gothic", "Meiryo", "MS Gothic",
    "Malgun Gothic", "PingFang SC", "Hiragino Sans", "Heiti TC", "Apple SD Gothic Neo",
    "Arial Unicode MS", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari",
    "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Thai", "Nirmala UI", "Segoe UI", "Tahoma",
)  # fmt: skip


@cache
def families() -> list[str]:
    """Return the families of fonts for figures; the first that has a character draws it."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["sans-serif", *(name for name in _OTHER_SCRIPTS if name in installed)]


def escape_missing(figure: Figure) -> None:
    """Replace characters that no installed font has, which would be drawn as boxes, by escapes."""
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_majorticklabels()]
            shown = [readable(label) for label in labels]
            if shown != labels:
                axis.set_ticks(axis.get_majorticklocs(), shown)
    for text in _texts(figure, Text):
        if not text.get_text().isascii():
            text.set_text(readable(text.get_text()))


def readable(text: str) -> str:
    """Return a text, its characters that no installed font has as ``\\uXXXX``."""
    if text.isascii():
        return text
    shown = _characters()
    return "".join(
        c if ord(c) in shown or c.isspace() else c.encode("ascii", "backslashreplace").decode()
        for c in text
    )


@cache
def _characters() -> frozenset[int]:
    """Return the code points that the fonts of figures have."""
    from matplotlib import font_manager

    found: set[int] = set()
    for family in families():
        font = font_manager.get_font(
            font_manager.findfont(font_manager.FontProperties(family=[family]))
        )
        found.update(font.get_charmap())
    return frozenset(found)


def _texts(figure: Figure, kind: type) -> Iterable[Any]:
    found: Iterable[Any] = figure.findobj(kind)
    return found
