"""The page of a sweep in a browser: filter, brush, hover, compare, and widths and themes."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser import found_in as found_in_page
from browser import needs_browser
from fastmlp.sweeps.leaderboard import rank
from fastmlp.sweeps.reports.page import sweep_page
from trials import trial

TRIALS = [
    trial(0.95, activation="relu", learning_rate=0.1),
    trial(0.9, activation="relu", learning_rate=0.5),
    trial(0.85, activation="tanh", learning_rate=0.1),
    trial(0.6, activation="tanh", learning_rate=0.5),
    trial(0.3, activation="</script><b>", learning_rate=0.1),
    trial(None, "diverged", activation="</script><b>", learning_rate=0.5),
]
HELPERS = """
const all = (selector) => [...document.querySelectorAll(selector)];
const rows = () => all("#ranking tbody tr").filter((row) => !row.hidden)
  .map((row) => Number(row.dataset.rank));
const svg = document.querySelector("#parallel");
const client = (x, y) => {
  const point = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  return { clientX: point.x, clientY: point.y, bubbles: true, view: window };
};
const compared = () => all("#comparison .curve").map((line) => Number(line.dataset.rank));
"""
INTERACTION = """
found.start = rows();
found.chosen = compared();
const search = document.querySelector("#filter"), clear = document.querySelector("#clear");
search.value = "tanh 0.1";
search.dispatchEvent(new Event("input"));
found.filtered = rows();
found.text = document.querySelector("#shown").textContent;
clear.click();
found.cleared = rows();

// The upper half of the axis of the metric.
const data = JSON.parse(document.querySelector("#sweep-data").textContent);
const x = data.x[2], overlay = document.querySelector('.brush[data-axis="2"] .overlay');
overlay.dispatchEvent(new MouseEvent("mousedown", client(x, data.top - 2)));
window.dispatchEvent(new MouseEvent("mousemove", client(x, data.top + 150)));
window.dispatchEvent(new MouseEvent("mouseup", client(x, data.top + 150)));
await new Promise((done) => setTimeout(done, 50)); // d3 ignores a click right after a drag
found.brushed = rows();
found.out = all("#parallel .out").map((line) => Number(line.dataset.rank)).sort();
clear.click();
found.unbrushed = rows();
found.selections = all(".selection").filter((each) => each.style.display !== "none").length;

const third = data.runs.find((run) => run.rank === 3);
const near = client((data.x[1] + data.x[2]) / 2, (third.y[1] + third.y[2]) / 2 + 1);
svg.dispatchEvent(new PointerEvent("pointermove", near));
found.hovered = all("#parallel .hover").map((line) => Number(line.dataset.rank));
found.row = all("#ranking tr.hover").map((row) => Number(row.dataset.rank));
found.tip = document.querySelector(".tip").textContent;
svg.dispatchEvent(new PointerEvent("pointerleave", near));
found.left = document.querySelector(".tip").hidden;

svg.dispatchEvent(new MouseEvent("click", near));
found.removed = compared();
document.querySelector('tr[data-rank="4"] input').click();
found.added = compared();
found.legend = all("#chosen li").length;
const before = document.querySelector("#comparison path.curve").getAttribute("d");
const metric = document.querySelector("#metric");
found.metrics = [...metric.options].map((option) => option.value);
metric.value = "loss";
metric.dispatchEvent(new Event("change"));
found.redrawn = document.querySelector("#comparison path.curve").getAttribute("d") !== before;
found.title = document.querySelector("h1").textContent;

const heading = all("#ranking thead button").find((b) => b.textContent === "validation loss");
heading.click();
heading.click();
found.sorted = rows();
"""


@needs_browser
def test_page_filters_hovers_and_compares(tmp_path: Path) -> None:
    board = rank(TRIALS, "validation_accuracy")
    page = sweep_page(board, {"validation_accuracy": 0.95})
    found = found_in_page(page, HELPERS + INTERACTION, tmp_path)
    everything = [1, 2, 3, 4, 5, 6]
    assert found["start"] == found["cleared"] == found["unbrushed"] == everything
    assert found["chosen"] == [1, 2, 3]
    assert found["filtered"] == [3] and found["text"] == "1 of 6 configurations"
    assert found["brushed"] == [1, 2, 3] and found["out"] == [4, 5]
    assert found["selections"] == 0
    assert found["hovered"] == found["row"] == [3]
    assert "tanh, 0.1" in found["tip"] and "validation accuracy 0.8500" in found["tip"]
    assert found["left"] is True
    assert found["removed"] == [1, 2] and found["added"] == [1, 2, 4] and found["legend"] == 3
    assert found["metrics"] == ["loss", "accuracy"] and found["redrawn"]
    assert found["title"].startswith("sweep of 6 configurations")
    assert found["sorted"][0] == 5


@needs_browser
@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1400])
def test_page_fits_every_width_and_theme(width: int, theme: str, tmp_path: Path) -> None:
    board = rank(TRIALS, "validation_accuracy")
    page = sweep_page(board, {"validation_accuracy": 0.95})
    script = """
    found.width = document.documentElement.scrollWidth;
    found.shown = document.documentElement.clientWidth;
    const light = (colour) => colour.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0);
    const style = getComputedStyle(document.body);
    found.paper = light(style.backgroundColor);
    found.ink = light(style.color);
    found.cut = [...document.querySelectorAll("#ranking td")].some(
      (cell) => cell.getBoundingClientRect().right > document.documentElement.clientWidth);
    """
    found = found_in_page(page, script, tmp_path, theme, width)
    assert found["width"] <= found["shown"]
    assert (found["paper"] > found["ink"]) == (theme == "light")
    assert not found["cut"]
