"""scripts/bench --record: turns, resuming, and what is kept; with asv stubbed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COLUMNS = ["result", "params", "version", "samples", "profile"]


class Rounds:
    """Replaces asv: measures 2.0, and is interrupted at one call if asked to.

    Parameters
    ----------
    interrupted_at : int
        0 for never.
    fails : bool
        Whether the benchmark fails.
    """

    def __init__(self, interrupted_at: int = 0, fails: bool = False):
        self.interrupted_at, self.fails = interrupted_at, fails
        self.calls: list[tuple[str, bool]] = []
        self.patterns: list[str] = []

    def __call__(
        self, settings: Path, commit: str, patterns: list[str], machine: str, first: bool
    ) -> bool:
        self.calls.append((commit, first))
        self.patterns = list(patterns)
        if len(self.calls) == self.interrupted_at:
            raise KeyboardInterrupt
        path = settings.parent / machine / f"{commit[:8]}-env.json"
        path.parent.mkdir(exist_ok=True)
        known = json.loads(path.read_text()) if path.exists() else {}
        results = known.get("results", {})
        value = None if self.fails else 2.0
        results["kernels.new"] = [[value], [], "v", [[2.0, 2.0]], "x"]
        pins = json.loads(settings.read_text())["matrix"]["req"]
        content = {
            "commit_hash": commit,
            "requirements": {name: versions[0] for name, versions in pins.items()},
            "result_columns": COLUMNS,
            "results": results,
        }
        path.write_text(json.dumps(content))
        (path.parent / "machine.json").write_text(json.dumps({"machine": machine}))
        names = ("kernels.new", "kernels.old", "kernels.never")
        known = {name: {"name": name} for name in names} | {"version": 2}
        (settings.parent / "benchmarks.json").write_text(json.dumps(known))
        return not self.fails


@pytest.fixture
def rounds(
    asv: Any, history: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Rounds]:
    def make(**options: Any) -> Rounds:
        stub = Rounds(**options)
        monkeypatch.setattr(asv, "run_round", stub)
        return stub

    return make


def figures(path: Path) -> Any:
    return json.loads(path.read_text())["results"]


def test_commits_take_turns_there_and_back(
    bench: Any, history: Any, rounds: Callable[..., Rounds]
) -> None:
    stub = rounds()
    a, b = history.commit("fastmlp/a.py", milestone=True), history.commit("fastmlp/b.py")
    assert bench.main(["--record"]) == 0
    assert stub.calls == [(a, True), (b, True), (b, False), (a, False)]
    assert stub.patterns == ["kernels"]


def test_commits_can_be_named(bench: Any, history: Any, rounds: Callable[..., Rounds]) -> None:
    stub = rounds()
    history.commit("fastmlp/a.py", milestone=True)
    head = history.commit("fastmlp/b.py")
    assert bench.main(["--record", "--bench", "memory", "HEAD", head]) == 0
    assert [commit for commit, _ in stub.calls] == [head, head]
    assert stub.patterns == ["memory"]


def test_other_benchmarks_are_recorded_of_all_milestones(
    bench: Any, history: Any, rounds: Callable[..., Rounds]
) -> None:
    stub = rounds()
    a, b = history.commit("fastmlp/a.py", milestone=True), history.commit("fastmlp/b.py")
    for commit in (a, b):
        history.record(commit, bench._machine.default_name())
    assert bench.main(["--record", "--bench", "memory"]) == 0
    assert {commit for commit, _ in stub.calls} == {a, b}


def test_interrupted_recording_resumes(
    bench: Any, history: Any, rounds: Callable[..., Rounds], capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = history.commit("fastmlp/a.py", milestone=True), history.commit("fastmlp/b.py")
    rounds(interrupted_at=3)
    assert bench.main(["--record", "--machine", "zen9"]) == 130
    assert "same command resumes" in capsys.readouterr().err
    assert not (history.folder / "results" / "zen9").exists()
    stub = rounds()
    assert bench.main(["--record", "--machine", "zen9"]) == 0
    assert stub.calls == [(b, False), (a, False)]
    assert "2 of 4 measurements are done" in capsys.readouterr().out
    assert len(list((history.folder / "results" / "zen9").glob("*-env.json"))) == 2


@pytest.mark.parametrize("change", ["benchmark", "pins", "selection"])
def test_samples_of_another_suite_are_not_resumed(
    bench: Any, history: Any, rounds: Callable[..., Rounds], change: str
) -> None:
    head = history.commit("fastmlp/a.py")
    rounds(interrupted_at=2)
    assert bench.main(["--record"]) == 130
    if change == "benchmark":
        (history.folder / "benchmarks" / "kernels.py").write_text("changed")
    elif change == "pins":
        settings = history.folder / "asv.conf.json"
        settings.write_text(settings.read_text().replace('"numba": ["', '"numba": ["9'))
    else:
        (history.folder / "recorded.txt").write_text("memory\n")
    stub = rounds()
    assert bench.main(["--record"]) == 0
    assert stub.calls == [(head, True), (head, False)]


def test_what_is_kept_has_no_samples_and_loses_no_older_figure(
    bench: Any, history: Any, rounds: Callable[..., Rounds], capsys: pytest.CaptureFixture[str]
) -> None:
    head = history.commit("fastmlp/a.py")
    path = history.record(head)
    rounds()
    assert bench.main(["--record", "--machine", "zen9", "HEAD"]) == 0
    assert figures(path) == {"kernels.old": [[1.0], [], "v"], "kernels.new": [[2.0], [], "v"]}
    kept = history.folder / "results"
    assert json.loads((kept / "zen9" / "machine.json").read_text()) == {"machine": "zen9"}
    # What has no figures would be an empty box on the site.
    named = {"kernels.old", "kernels.new", "version"}
    assert set(json.loads((kept / "benchmarks.json").read_text())) == named
    assert "git add asv_benchmarks/results" in capsys.readouterr().out
    assert not list(bench._asv.DERIVED.glob("results/*"))


def test_a_failing_benchmark_is_named_and_the_rest_is_kept(
    bench: Any, history: Any, rounds: Callable[..., Rounds], capsys: pytest.CaptureFixture[str]
) -> None:
    head = history.commit("fastmlp/a.py")
    rounds(fails=True)
    assert bench.main(["--record", "--machine", "zen9"]) == 1
    assert f"kernels.new on {head[:8]}" in capsys.readouterr().err
    assert len(list((history.folder / "results" / "zen9").glob("*-env.json"))) == 1


def test_nothing_is_measured_where_all_is_recorded(
    bench: Any, history: Any, rounds: Callable[..., Rounds], capsys: pytest.CaptureFixture[str]
) -> None:
    stub = rounds()
    history.record(history.commit("fastmlp/a.py", milestone=True))
    assert bench.main(["--record", "--machine", "zen9"]) == 0
    assert stub.calls == []
    assert "have a record on zen9" in capsys.readouterr().out


@pytest.mark.parametrize(("first", "added"), [(True, False), (False, True)])
def test_later_rounds_add_samples(
    asv: Any, monkeypatch: pytest.MonkeyPatch, first: bool, added: bool
) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(asv, "asv", lambda *arguments: calls.append(arguments) or 0)
    assert asv.run_round(asv.SETTINGS, "0" * 40, ["a", "b"], "zen9", first)
    (arguments,) = calls
    assert ("--append-samples" in arguments) == added
    assert "--record-samples" in arguments and "rounds=1" in arguments
    assert arguments[-4:] == ("--bench", "a", "--bench", "b")
