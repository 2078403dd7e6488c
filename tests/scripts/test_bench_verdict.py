"""From asv's result files to a verdict, with files and figures made up."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
COLUMNS = ["result", "params", "version", "samples", "profile"]


def load(name: str) -> ModuleType:
    """Return a module of scripts/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def verdict() -> ModuleType:
    return load("_verdict")


def change(verdict: Any, before: Any, after: Any, name: str = "b", threshold: float = 0.1) -> Any:
    """A change between samples, or between single values."""

    def figure(given: Any) -> Any:
        return verdict._figure(given[len(given) // 2], given) if given else verdict.FAILED

    return verdict.Change(name, figure(before), figure(after), threshold)


def test_figures_are_read_by_name_and_parameters(verdict: Any, tmp_path: Path) -> None:
    results = {
        "area.Case.time_it": [
            [2.0, math.nan, None, 5.0], [["'a'", "'b'"], ["1", "2"]], "v",
            [[3.0, 2.0, 1.5], None, None, [5.0]],
        ],
        "area.track_it": [[7.0], [], "v"],
        "area.time_failed": [None, [], "v"],
    }  # fmt: skip
    path = tmp_path / "abc-env.json"
    path.write_text(json.dumps({"result_columns": COLUMNS, "results": results}))
    figures = verdict.read_figures(path)
    assert set(figures) == {
        "area.Case.time_it('a', 1)", "area.Case.time_it('b', 1)", "area.Case.time_it('b', 2)",
        "area.track_it", "area.time_failed",
    }  # fmt: skip
    assert figures["area.Case.time_it('a', 1)"] == verdict.Figure(2.0, 1.5)
    assert figures["area.track_it"] == verdict.Figure(7.0, 7.0)
    assert figures["area.Case.time_it('b', 1)"].failed and figures["area.time_failed"].failed


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ([10.0, 11.0, 12.0], [20.0, 22.0, 24.0], "REGRESSION"),
        ([20.0, 22.0, 24.0], [10.0, 11.0, 12.0], "IMPROVEMENT"),
        ([10.0, 11.0, 12.0], [10.5, 11.5, 12.5], "SAME"),  # within the threshold
        ([10.0, 11.0, 12.0], [10.0, 22.0, 24.0], "SAME"),  # one sample was left in peace
        ([10.0, 11.0, 12.0], [20.0, 11.0, 24.0], "SAME"),
        ([10.0, 20.0, 24.0], [9.0, 11.0, 12.0], "IMPROVEMENT"),
        ([10.0, 20.0, 24.0], [9.5, 11.0, 12.0], "SAME"),
        ([3.0], [4.0], "REGRESSION"),
        ([0.0], [0.0], "SAME"),
        ([0.0], [1.0], "REGRESSION"),  # from no error to some
    ],
)
def test_a_change_moves_the_median_and_the_least(
    verdict: Any, before: list[float], after: list[float], direction: str
) -> None:
    before, after = sorted(before), sorted(after)
    assert change(verdict, before, after).direction == getattr(verdict, direction)


def test_what_only_one_commit_has_is_not_compared(verdict: Any) -> None:
    one = verdict.Figure(1.0, 1.0)
    before = {"old": one, "both": one, "mended": verdict.FAILED}
    after = {"new": one, "both": one, "mended": one}
    assert [c.name for c in verdict.compare(before, after, {})] == ["both"]


def test_the_worst_comes_first(verdict: Any) -> None:
    before = {name: verdict.Figure(1.0, 1.0) for name in "abc"}
    after = dict(zip("abc", (verdict.Figure(v, v) for v in (1.5, 3.0, 0.5)), strict=True))
    assert [c.name for c in verdict.compare(before, after, {})] == ["b", "a", "c"]


def test_the_largest_threshold_that_matches_counts(verdict: Any) -> None:
    thresholds = {".*": 0.1, r"cold_start\..*": 0.25, ".*small": 0.05}
    assert verdict.threshold_of("kernels.Forward", thresholds) == 0.1
    assert verdict.threshold_of("cold_start.small", thresholds) == 0.25
    assert verdict.threshold_of("kernels.Forward", {}) == 0.05  # asv's own default


def test_a_change_is_confirmed_by_the_same_side_only(verdict: Any) -> None:
    up, down, same = ([1.0], [2.0]), ([2.0], [1.0]), ([1.0], [1.0])
    first = [change(verdict, *up, name=n) for n in "abc"] + [change(verdict, *down, name="d")]
    again = [
        change(verdict, *up, name="a"),
        change(verdict, *down, name="b"),
        change(verdict, *same, name="c"),
        change(verdict, *down, name="d"),
        change(verdict, *up, name="e"),
    ]
    assert [c.name for c in verdict.confirmed(first, again)] == ["a", "d"]


def test_patterns_select_one_benchmark_each(verdict: Any) -> None:
    names = ["kernels.Forward.time_dense('784x128', 'float32')", "training.Fit.time_small_fit"]
    for name, pattern in zip(names, verdict.patterns_of(names), strict=True):
        assert [n for n in [*names, f"{name}s", f"x{name}"] if re.search(pattern, n)] == [name]


def test_the_table_shows_units_and_ratios(verdict: Any) -> None:
    changes = [
        change(verdict, [0.001], [0.0025], name="a.time('x')"),
        change(verdict, [5.0], [7.5], name="b.track"),
    ]
    lines = verdict.table(changes, {"a.time": "seconds", "b.track": "% wrong"})
    assert [line.split() for line in lines[1:]] == [
        ["a.time('x')", "1", "ms", "2.5", "ms", "2.50"],
        ["b.track", "5", "%", "wrong", "7.5", "%", "wrong", "1.50"],
    ]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.5, "seconds", "1.5 s"),
        (2.34567e-6, "seconds", "2.35 us"),
        (3e-12, "seconds", "0.003 ns"),
        (532e6, "bytes", "532 MB"),
        (0.0, "bytes", "0 B"),
        (0.1874, "nats", "0.187 nats"),
    ],
)
def test_quantities_have_fitting_units(verdict: Any, value: float, unit: str, shown: str) -> None:
    assert verdict.quantity(value, unit) == shown


def test_units_are_read_from_the_list_of_benchmarks(verdict: Any, tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    path.write_text(json.dumps({"a.time": {"unit": "seconds"}, "version": 2}))
    assert verdict.read_units(path) == {"a.time": "seconds"}
