"""HTML pages in one file: light and dark, narrow and wide, nothing loaded from anywhere.

Every function that returns HTML takes plain texts and escapes them, unless it says ``html``.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from .images import to_unit

# Red and blue, visible on white and on black.
_POSITIVE, _NEGATIVE = (0.84, 0.3, 0.25), (0.2, 0.53, 0.8)


@cache
def css() -> str:
    """Return the style of all pages; its rules apply within an element of class ``fastmlp``."""
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def page(title: str, body_html: str, further_css: str = "") -> str:
    """Return a whole page; ``further_css`` is the style of what only this page has."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{css()}{further_css}</style>\n</head>\n"
        f'<body class="fastmlp">\n<main>\n<h1>{html.escape(title)}</h1>\n{body_html}\n</main>\n'
        "</body>\n</html>\n"
    )


def fragment(body_html: str) -> str:
    """Return HTML that can be embedded in another page, such as a notebook's."""
    return f'<style>\n{css()}</style>\n<div class="fastmlp">{body_html}</div>'


def section(title: str, *parts_html: str) -> str:
    """Return a heading and its content; nothing if the content is empty."""
    content = "\n".join(filter(None, parts_html))
    return f"<section>\n<h2>{html.escape(title)}</h2>\n{content}\n</section>" if content else ""


def paragraph(text: str) -> str:
    """Return a line of text."""
    return f"<p>{html.escape(text)}</p>"


def listing(title: str, items: Iterable[str]) -> str:
    """Return a line of texts that breaks only between them."""
    shown = ", ".join(f"<span>{html.escape(item)}</span>" for item in items)
    return f"<p>{html.escape(title)}: {shown}</p>"


def details(title: str, content_html: str) -> str:
    """Return what is shown on a click."""
    return f"<details><summary>{html.escape(title)}</summary>\n{content_html}\n</details>"


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Return names and their values, in as many columns as fit."""
    shown = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in items
    )
    return f'<dl class="pairs">{shown}</dl>'


def provenance(items: Sequence[tuple[str, str]]) -> str:
    """Return where results come from, small, for the top of a page; nothing without items."""
    return f'<div class="provenance">{pairs(items)}</div>' if items else ""


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table whose first column names the rows."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in header)
    body = "\n".join(f"<tr>{_row(row)}</tr>" for row in rows)
    return _wide(f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>")


def bar_table(
    header: Sequence[str], rows: Sequence[Sequence[object]], shares: Sequence[float]
) -> str:
    """Return a table whose rows end in bars; ``shares`` are their lengths, from 0 to 1."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in (*header, ""))
    body = "\n".join(
        f'<tr>{_row(row)}<td class="bar"><i style="width:{max(0.0, share):.1%}"></i></td></tr>'
        for row, share in zip(rows, shares, strict=True)
    )
    return _wide(
        f'<table class="bars"><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'
    )


def heat_table(matrix: np.ndarray, names: Sequence[str]) -> str:
    """Return a confusion matrix, cells coloured by their share of the row."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
    rows = [f'<tr><th class="corner">actual \\ predicted</th>{head}</tr>']
    for name, counts, shares in zip(names, matrix.tolist(), share.tolist(), strict=True):
        cells = "".join(map(_heat_cell, counts, shares))
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    return _wide(f'<table class="heat">{"".join(rows)}</table>')


def figures(svgs_html: Iterable[str]) -> str:
    """Return plots side by side, as many as fit."""
    plots = "".join(f"<figure>{svg}</figure>" for svg in svgs_html)
    return f'<div class="plots">{plots}</div>' if plots else ""


def picture(png: bytes, text: str) -> str:
    """Return a picture; ``text`` is its alternative text."""
    return f'<img class="picture" src="{_data(png)}" alt="{html.escape(text)}">'


def gallery(images: Sequence[bytes], captions: Sequence[str]) -> str:
    """Return small images with captions, as many in a row as fit.

    Parameters
    ----------
    images : sequence of bytes
        PNG files, see :func:`image_png`.
    captions : sequence of str
        Line ends are kept.
    """
    shown = "".join(
        f'<figure><img src="{_data(png)}" alt=""><figcaption>{html.escape(text)}</figcaption>'
        "</figure>"
        for png, text in zip(images, captions, strict=True)
    )
    return f'<div class="gallery">{shown}</div>' if shown else ""


def tiles(images: Sequence[bytes], text: str) -> str:
    """Return smaller images without captions; ``text`` is the alternative text of all."""
    name = html.escape(text)
    shown = "".join(f'<img src="{_data(png)}" alt="">' for png in images)
    return f'<div class="tiles" role="img" aria-label="{name}">{shown}</div>' if shown else ""


def image_png(image: np.ndarray, limits: tuple[float, float]) -> bytes:
    """Return an image, grey or in colours, as a PNG of one pixel per value, between the limits."""
    return _png(to_unit(image, limits))


def signed_png(image: np.ndarray, limit: float) -> bytes:
    """Return numbers as a PNG: 0 is transparent, positive numbers are red, negative ones blue.

    Parameters
    ----------
    image : ndarray, shape (height, width)
    limit : float
        The size of a number in the strongest colour.
    """
    pixels = np.empty((*image.shape, 4))
    pixels[..., :3] = np.where(image[..., np.newaxis] > 0, _POSITIVE, _NEGATIVE)
    pixels[..., 3] = to_unit(np.abs(image), (0.0, limit))
    return _png(pixels)


def _png(shares: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray((shares * 255).round().astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _row(cells: Sequence[object]) -> str:
    first, *rest = (html.escape(str(cell)) for cell in cells)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)


def _heat_cell(count: int, share: float) -> str:
    # The blue of the plots, as strong as the share, over whatever the page's colour is.
    strong = ";color:#fff" if share > 0.5 else ""
    style = f' style="background:rgba(0,114,178,{share:.3f}){strong}"' if count else ""
    return f"<td{style}>{count or ''}</td>"


def _wide(table_html: str) -> str:
    # A table wider than the window scrolls by itself, and the page does not.
    return f'<div class="wide">{table_html}</div>'


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
