"""Where results come from, on top of pages and in no file that promises equal bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fastmlp
from fastmlp.base.command import command_text, set_command
from fastmlp.base.cpus import cpu_name
from fastmlp.commands.running import run_command
from fastmlp.reports.provenance import provenance
from fastmlp.train import main
from toys import blobs, settings


@pytest.fixture(autouse=True)
def _no_command() -> None:
    """Parsers that other tests called leave theirs behind."""
    set_command("", [])


def test_page_of_a_command_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    options = ["--data", "moons(n=60)", "--epochs", "2", "--seed", "7", "--hidden", "4"]
    assert main([*options, "--out", str(folder), "--quiet"]) == 0
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert f"fastmlp {fastmlp.__version__}" in text
    assert "fastmlp train --data &#x27;moons(n=60)&#x27; --epochs 2 --seed 7" in text
    assert re.search(r"<dt>data</dt><dd>moons[^<]*, fingerprint [0-9a-f]{32}", text)
    assert re.search(r"<dt>date</dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d</dd>", text)
    assert "<dt>seed</dt><dd>7</dd>" in text and "<dt>threads</dt>" in text
    top, _, rest = text.partition("<h2>Summary</h2>")
    assert "fingerprint" in top and "fingerprint" not in rest
    for name in ("metrics.json", "config.toml", "history.csv"):
        content = (folder / name).read_text(encoding="utf-8")
        assert "fingerprint" not in content and "python -m" not in content
    assert command_text() == ""  # nothing is left behind


def test_page_shows_changed_settings_first(tmp_path: Path) -> None:
    dataset = blobs()
    config = settings(epochs=3, learning_rate=0.25)
    folder = fastmlp.save_run(fastmlp.fit(config, dataset), dataset, tmp_path / "run")
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "called from Python" in text
    section = text.partition("<h2>Settings</h2>")[2]
    first, _, others = section.partition("<details>")
    assert "<dt>learning_rate</dt><dd>0.25</dd>" in first and "<dt>epochs</dt><dd>3</dd>" in first
    assert "<dt>split</dt>" not in first and "<dt>split</dt><dd>80-20</dd>" in others


def test_command_is_known_only_while_it_runs() -> None:
    def work() -> int:
        set_command("python -m fastmlp.train", ["--data", "a b.csv"])
        assert command_text() == "python -m fastmlp.train --data 'a b.csv'"
        return 0

    assert run_command(work) == 0
    assert command_text() == ""


def test_consecutive_seeds_are_a_range() -> None:
    pairs = dict(provenance([0, 1, 2, 5], [("a", "12"), ("b", "34")], "one"))
    assert pairs["seeds"] == "0-2, 5"
    assert cpu_name() in pairs["machine"]
