"""The command line of scripts/bench, with asv stubbed: passes, exit codes, settings, names."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# --- settings, and arguments of asv --------------------------------------------------------------


def test_asv_reads_the_settings_as_we_do(asv: Any) -> None:
    json5 = pytest.importorskip("json5", reason="asv's own reader")
    settings = asv.read_settings()
    assert settings == json5.loads(asv.SETTINGS.read_text())
    assert settings["environment_type"] == "virtualenv"


def test_every_version_is_pinned(asv: Any) -> None:
    for name, versions in asv.read_settings()["matrix"]["req"].items():
        assert [re.fullmatch(r"[\d.]+", version) is not None for version in versions] == [True], (
            name
        )


def test_a_copy_of_the_settings_holds_no_relative_folder(asv: Any, tmp_path: Path) -> None:
    copy = asv.settings_with_results_in(tmp_path / "some where")
    settings = json.loads(copy.read_text())
    for name in ("repo", "benchmark_dir", "env_dir", "results_dir", "html_dir"):
        assert Path(settings[name]).is_absolute()
    assert settings["results_dir"] == str(tmp_path / "some where")
    assert (Path(settings["benchmark_dir"]) / "kernels.py").exists()


def test_a_machine_is_known_by_the_name_given_and_no_other(bench: Any, home: Path) -> None:
    introduce = bench._machine.introduce
    introduce("two cores")
    path = home / ".asv-machine.json"
    known = json.loads(path.read_text())
    assert known["version"] == 1 and known["two cores"]["machine"] == "two cores"
    assert platform.node() not in path.read_text()
    known["two cores"]["ram"] = "8 GB"
    path.write_text(json.dumps(known))
    introduce("two cores")
    introduce("other")
    known = json.loads(path.read_text())
    assert known["two cores"]["ram"] == "8 GB" and set(known) == {"version", "two cores", "other"}


def test_only_the_latest_kernels_are_kept(asv: Any) -> None:
    for age in range(9):
        folder = asv.DERIVED / "kernels" / f"k{age}"
        folder.mkdir(parents=True)
        os.utime(folder, (1e9 - age, 1e9 - age))
    asv.prune_kernels()
    assert sorted(p.name for p in (asv.DERIVED / "kernels").iterdir()) == [
        f"k{age}" for age in range(6)
    ]


# --- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["main"], "two commits"),
        (["a", "b", "c"], "two commits"),
        (["--quick", "HEAD"], "take no commits"),
        (["--publish", "HEAD"], "take no commits"),
        (["--machine", "zen3-2cores"], "needs --record"),
        (["--record", "--machine", "../x"], "lower-case letters"),
        (["--quick", "--publish"], "not allowed with"),
    ],
)
def test_wrong_usage_is_explained(
    bench: Any, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        bench.main(arguments)
    assert stop.value.code == 2
    assert complaint in capsys.readouterr().err


def test_help_shows_every_mode(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--help"])
    text = capsys.readouterr().out
    for mode in ("BASE HEAD", "--quick", "--record", "--publish", "--bench", "exit codes"):
        assert mode in text


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1), (2, 1), (-9, 1)])
def test_quick_fails_where_any_benchmark_does(
    bench: Any, asv: Any, home: Path, monkeypatch: pytest.MonkeyPatch, code: int, expected: int
) -> None:
    calls: list[Any] = []

    def call(*arguments: Any, **variables: str) -> int:
        calls.append((arguments, variables))
        return code

    monkeypatch.setattr(asv, "asv", call)
    assert bench.main(["--quick", "--bench", "kernels"]) == expected
    ((arguments, variables),) = calls
    assert arguments[0] == "run" and arguments[-2:] == ("--bench", "kernels")
    assert {"--quick", "--python=same"} <= set(arguments)
    assert variables["FASTMLP_BENCH_STRICT"] == "1"  # nothing may be skipped unnoticed


def test_there_must_be_results_to_publish(
    bench: Any, asv: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(asv, "FOLDER", tmp_path)
    assert bench.main(["--publish"]) == 1
    assert "--record" in capsys.readouterr().err


def test_an_unknown_commit_is_named(
    bench: Any, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["HEAD", "no-such-commit"]) == 1
    assert "no-such-commit" in capsys.readouterr().err


# --- comparing -----------------------------------------------------------------------------------


class Passes:
    """Stands in for asv: leaves result files with one pass's figures after the other."""

    def __init__(self, asv: Any, passes: list[dict[str, tuple[Any, Any]]]):
        self.asv, self.passes = asv, passes
        self.asked: list[list[str]] = []
        self.commits: set[tuple[str, ...]] = set()

    def __call__(
        self, settings: Path, commits: list[str], patterns: list[str], machine: str, rounds: int
    ) -> bool:
        figures = self.passes[len(self.asked)]
        self.asked.append(list(patterns))
        self.commits.add(tuple(commits))
        chosen = {
            name: pair
            for name, pair in figures.items()
            if not patterns or any(re.search(pattern, name) for pattern in patterns)
        }
        folder = settings.parent / machine
        folder.mkdir()
        for place, commit in enumerate(commits):
            results = {name: [[pair[place]], [], "v"] for name, pair in chosen.items()}
            content = {"result_columns": ["result", "params", "version"], "results": results}
            (folder / f"{commit[:8]}-env.json").write_text(json.dumps(content))
        units = {name: {"unit": "seconds"} for name in chosen}
        (settings.parent / "benchmarks.json").write_text(json.dumps(units))
        return all(pair[1] is not None for pair in chosen.values())


@pytest.fixture
def passes(
    bench: Any, asv: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Passes]:
    def make(*figures: dict[str, tuple[Any, Any]]) -> Passes:
        stub = Passes(asv, list(figures))
        monkeypatch.setattr(asv, "run", stub)
        return stub

    return make


def test_regression_must_appear_in_every_pass(
    bench: Any, passes: Callable[..., Passes], capsys: pytest.CaptureFixture[str]
) -> None:
    stub = passes(
        {"slow": (1.0, 2.0), "noisy": (1.0, 1.5), "same": (1.0, 1.05)},
        {"slow": (1.0, 2.1), "noisy": (1.0, 1.0)},
        {"slow": (1.0, 1.9)},
    )
    assert bench.main(["HEAD", "HEAD"]) == 1
    assert stub.asked == [[], ["^noisy$", "^slow$"][::-1], ["^slow$"]]
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["slow", "1", "s", "1.9", "s", "1.90"] for line in lines)
    assert not any("noisy" in line or "Better" in line for line in lines)


def test_noise_raises_no_alarm(
    bench: Any, passes: Callable[..., Passes], capsys: pytest.CaptureFixture[str]
) -> None:
    stub = passes({"a": (1.0, 1.5), "b": (1.5, 1.0)}, {"a": (1.5, 1.0), "b": (1.0, 1.5)})
    assert bench.main(["HEAD", "HEAD"]) == 0
    assert len(stub.asked) == 2
    assert "Nothing changed" in capsys.readouterr().out


def test_no_second_pass_where_the_first_found_nothing(
    bench: Any, passes: Callable[..., Passes]
) -> None:
    stub = passes({"a": (1.0, 1.0)})
    assert bench.main(["--bench", "a", "HEAD", "HEAD"]) == 0
    assert stub.asked == [["a"]]


def test_what_got_faster_is_shown_and_no_alarm(
    bench: Any, passes: Callable[..., Passes], capsys: pytest.CaptureFixture[str]
) -> None:
    passes(*[{"fast": (2.0, 1.0)}] * 3)
    assert bench.main(["HEAD", "HEAD"]) == 0
    out = capsys.readouterr().out
    assert "Better, in all of 3 passes" in out and "0.50" in out and "Worse" not in out


def test_a_benchmark_that_fails_on_head_is_a_failure(
    bench: Any, passes: Callable[..., Passes], capsys: pytest.CaptureFixture[str]
) -> None:
    passes({"broken": (1.0, None), "mended": (None, 1.0)})
    assert bench.main(["HEAD", "HEAD"]) == 1
    errors = capsys.readouterr().err
    assert "broken" in errors and "mended" not in errors


def test_a_commit_is_compared_with_a_copy_of_itself(
    bench: Any, passes: Callable[..., Passes]
) -> None:
    stub = passes({"a": (1.0, 1.0)})
    assert bench.main(["HEAD", "HEAD"]) == 0
    ((first, second),) = stub.commits
    git = bench._git.git
    assert first != second
    assert git("rev-parse", f"{first}^{{tree}}") == git("rev-parse", f"{second}^{{tree}}")


def test_missing_result_files_are_asvs_error(bench: Any, asv: Any, tmp_path: Path) -> None:
    with pytest.raises(bench.BenchError, match="0 result files for commit 01234567"):
        asv.results_of(tmp_path, "machine", "0123456789")


def test_missing_commit_is_named(bench: Any) -> None:
    with pytest.raises(bench.BenchError, match="got 'nothere'; see git log"):
        bench._git.hash_of("nothere")
