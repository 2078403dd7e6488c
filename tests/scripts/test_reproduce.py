"""scripts/reproduce.py: the cases worked by hand, what it leaves, and how figures are judged."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastmlp import TrainConfig
from fastmlp.commands.options import config_from, parse_arguments

SCRIPTS = Path(__file__).parents[2] / "scripts"
Main = Callable[[list[str]], int]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Iterator[Main]:
    """The command line, importable as the script has it."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from systems.command import main

    yield main
    for name in [name for name in sys.modules if name.split(".")[0] == "systems"]:
        del sys.modules[name]


def summary(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return rows


def test_cases_worked_by_hand_are_exact(
    main: Main, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["C1", "E1", "--output", str(tmp_path)]) == 0
    rows = summary(tmp_path)
    assert [row["system"] for row in rows] == ["C1"] * 8 + ["E1"] * 20
    assert all(set(row) == {"system", "row", "reported", "ours", "ok", "note"} for row in rows)
    assert all(row["ok"] is True for row in rows)
    by_name = {row["row"]: row["ours"] for row in rows}
    assert by_name["loss"] == pytest.approx(0.6931471805599453, abs=1e-12)
    assert by_name["dW2, class 1 (three equal rows)"] == pytest.approx(
        0.44039853898894116, abs=1e-12
    )
    assert by_name["a: weights from x2 grow by"] == pytest.approx(6.664062e-6, abs=1e-12)
    assert by_name["b: weight from x1 to unit 2"] == 0.5
    assert "28 as good or better, 0 not" in capsys.readouterr().out


def test_a_figure_that_is_missed_shows_in_the_exit_code(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from systems import worked

    monkeypatch.setattr(worked, "_EXACT", -1.0)
    assert main(["C1", "--output", str(tmp_path)]) == 1
    assert {row["ok"] for row in summary(tmp_path)} == {False}


def test_a_quick_run_needs_no_mnist_and_compares_nothing_else(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "nowhere"))
    assert main(["A", "C3", "E2", "E3", "--quick", "--output", str(tmp_path)]) == 0
    rows = summary(tmp_path)
    assert {row["system"] for row in rows} == {"A", "C3", "E2", "E3"}
    assert {row["ok"] for row in rows} == {None}
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    links = {target.partition("#")[0] for target in re.findall(r'href="([^"]+)"', html)} - {""}
    assert {"A/sweep/report.html", "A/winner/report.html", "C3/report.html"} < links
    assert {"E2/seed-0/report.html", "E2/glorot_uniform/report.html"} < links
    assert "E3/seed-0/report.html" in links
    assert all((tmp_path / target).exists() for target in links)
    assert html.count("<h2>") == 5  # the overview, and each of the four
    assert html.count("<svg") > 10 and '<table class="heat">' in html


@pytest.mark.parametrize(("wrong", "answer"), [("E5", "'E5'"), ("everything", "known: A, B, C1")])
def test_an_unknown_system_is_refused(
    main: Main, wrong: str, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([wrong])
    assert caught.value.code == 2
    assert answer in capsys.readouterr().err


def test_no_seed_is_refused(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["E3", "--seeds", "0"])
    assert caught.value.code == 2
    assert "--seeds must be at least 1, got 0" in capsys.readouterr().err


@pytest.mark.parametrize("system", ["E2", "E3"])
def test_printed_command_line_has_the_settings_of_the_run(
    main: Main, tmp_path: Path, system: str
) -> None:
    from systems import convolutional
    from systems.lab import Lab

    settings = {"E2": convolutional.TWO_DIGITS, "E3": convolutional.TEN_DIGITS}[system]
    lab = Lab(tmp_path, quick=False, seeds=1)
    module, name, *options = lab.line_of(**settings, seed=3)
    assert (module, name) == ("-m", "fastmlp.train")
    expected = TrainConfig(**lab.settings(**settings, seed=3))
    assert config_from(parse_arguments(options)) == expected


def test_of_several_seeds_median_and_best_are_judged(main: Main) -> None:
    from systems.convolutional import _add_seeds
    from systems.report import Report

    report = Report("X", "title", judges=True)
    _add_seeds(report, "errors", 7, [9], "at most")
    _add_seeds(report, "errors", 7, [9, 6, 8], "at most", note="reported once")
    _add_seeds(report, "accuracy", 0.99, [0.98, 0.995, 0.991], "at least")
    assert [(row.name, row.ours, row.ok) for row in report.rows] == [
        ("errors", 9, False),
        ("errors, median of 3 seeds", 8, False),
        ("errors, best of them", 6, True),
        ("accuracy, median of 3 seeds", 0.991, True),
        ("accuracy, best of them", 0.995, True),
    ]
    assert report.rows[1].note == "by seed: 9, 6, 8; reported once"


@pytest.mark.parametrize(
    ("reported", "ours", "rule", "ok", "difference"),
    [
        (0.91, 0.95, "at least", True, "+0.0400"),
        (0.91, 0.90, "at least", False, "-0.0100"),
        (37, 15, "at most", True, "-22"),
        (0.5, 0.5, "equal", True, "0"),
        (0.5, 0.75, "equal", False, "+2.5e-01"),
        (60.0, 2.0, "faster", True, "30 times as fast"),
        (60.0, 90.0, "faster", False, "0.667 times as fast"),
        (0.91, 0.2, "", None, ""),
        (None, 0.2, "at least", None, ""),
        ("4 -> 9", "4 -> 9: 3", "equal", None, ""),
    ],
)
def test_how_a_figure_is_judged(
    main: Main, reported: Any, ours: Any, rule: Any, ok: bool | None, difference: str
) -> None:
    from systems.rows import Row

    row = Row("X", "row", reported, ours, rule)
    assert (row.ok, row.difference) == (ok, difference)
    assert row.has_failed == (ok is False)
    assert not Row("X", "row", reported, ours, rule, is_known_gap=True).has_failed
