from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from fastmlp.reports import page


def test_texts_are_escaped_everywhere() -> None:
    evil = "<script>alert(1)</script>\"'&"
    parts = [
        page.page(evil, ""),
        page.section(evil, "x"),
        page.paragraph(evil),
        page.listing("x", [evil]),
        page.details(evil, ""),
        page.pairs([(evil, evil)]),
        page.table([evil], [[evil, evil]]),
        page.heat_table(np.array([[1]]), [evil]),
        page.picture(b"", evil),
        page.gallery([b""], [evil]),
    ]
    for part in parts:
        assert "&lt;script&gt;" in part
        assert "<script" not in part


def test_an_empty_section_is_left_out() -> None:
    assert page.section("Title", "", "") == ""
    assert page.figures([]) == page.gallery([], []) == ""


def test_cells_are_as_strong_as_their_share() -> None:
    table = page.heat_table(np.array([[3, 1], [0, 0]]), ["a", "b"])
    assert re.findall(r"114,178,([\d.]+)\)", table) == ["0.750", "0.250"]
    assert table.count("<td></td>") == 2  # what never happened, of a class that never occurs


def test_an_image_keeps_its_pixels() -> None:
    image = np.array([[-5.0, 0.0], [0.5, 9.0]])
    drawn = Image.open(io.BytesIO(page.image_png(image, (0, 1))))
    np.testing.assert_array_equal(np.asarray(drawn), [[0, 0], [128, 255]])
    shown = page.gallery([page.image_png(image, (0, 1))], ["one\ntwo"])
    content = base64.b64decode(re.findall(r"base64,([^\"]+)", shown)[0])
    assert Image.open(io.BytesIO(content)).size == (2, 2)


def test_a_constant_image_is_drawn() -> None:
    assert page.image_png(np.ones((2, 2)), (1, 1))
