"""Which commits have a record of their speed, which need one, and how a machine is named."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


# --- the lists in the repository -----------------------------------------------------------------


def test_milestones_are_commits_that_the_site_shows(bench: Any) -> None:
    if bench._git.git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("a shallow clone has no history")
    listed = list(bench._history.milestones())
    shown = bench._git.git("rev-list", "--first-parent", "--reverse", "HEAD").split()
    places = [[c[: len(name)] for c in shown].index(name) for name in listed]
    assert len(listed) >= 12
    assert places == sorted(places)


def test_milestones_have_descriptions(bench: Any) -> None:
    for commit, words in bench._history.milestones().items():
        assert re.fullmatch(r"[0-9a-f]{8}", commit) and len(words.split()) >= 3


def test_recorded_patterns_cover_each_area(bench: Any) -> None:
    patterns = bench._history.patterns()
    areas = {pattern.split("\\.")[0] for pattern in patterns}
    assert {"kernels", "training", "tables", "prediction", "memory", "accuracy"} <= areas


# --- which commits are recorded ------------------------------------------------------------------


def test_milestones_and_head_without_a_record_are_wanted(bench: Any, history: Any) -> None:
    first = history.commit("fastmlp/kernels/a.py", milestone=True)
    second = history.commit("fastmlp/kernels/b.py", milestone=True)
    head = history.commit("fastmlp/kernels/c.py")
    assert bench._history.wanted("zen9") == [first, second, head]
    history.record(first)
    assert bench._history.wanted("zen9") == [second, head]
    assert bench._history.wanted("other") == [first, second, head]
    assert bench._history.wanted("zen9", again=True) == [first, second, head]


def test_head_is_wanted_once_where_it_is_a_milestone(bench: Any, history: Any) -> None:
    head = history.commit("fastmlp/a.py", milestone=True)
    assert bench._history.wanted("zen9") == [head]


def test_records_with_other_versions_do_not_count(bench: Any, history: Any) -> None:
    head = history.commit("fastmlp/a.py")
    history.record(head, numpy="1.0")
    assert bench._history.wanted("zen9") == [head]


def test_committing_a_record_does_not_make_head_new(bench: Any, history: Any) -> None:
    history.record(history.commit("fastmlp/a.py"))
    history.commit("asv_benchmarks/results/zen9/result.json")
    assert bench._history.wanted("zen9") == []
    history.commit("fastmlp/a.py")
    assert len(bench._history.wanted("zen9")) == 1


def test_missing_milestone_is_named(bench: Any, history: Any) -> None:
    (history.folder / "milestones.txt").write_text("0123abcd Long ago\n")
    with pytest.raises(bench.BenchError, match=r"'0123abcd'.*--unshallow"):
        bench._history.wanted("zen9")


# --- commits that changed kernels since the last record ------------------------------------------


def test_without_records_the_command_is_named(bench: Any, history: Any) -> None:
    assert "scripts/bench --record" in bench._history.kernel_changes()[0]


def test_commits_that_changed_kernels_since_the_last_record_are_named(
    bench: Any, history: Any
) -> None:
    history.record(history.commit("fastmlp/kernels/old.py"))
    assert bench._history.kernel_changes() == []
    history.commit("fastmlp/model/network.py")
    assert bench._history.kernel_changes() == []
    changed = history.commit("fastmlp/kernels/new.py")
    head, *named, command = bench._history.kernel_changes()
    assert "fastmlp/kernels/ changed" in head
    assert named == [f"  {changed[:7]} Change fastmlp/kernels/new.py"]
    assert "scripts/bench --record" in command


def test_a_record_of_any_machine_counts_and_the_latest_decides(bench: Any, history: Any) -> None:
    history.record(history.commit("fastmlp/kernels/a.py"), "zen9")
    changed = history.commit("fastmlp/kernels/b.py")
    assert len(bench._history.kernel_changes()) == 3
    history.record(changed, "other")
    assert bench._history.kernel_changes() == []


def test_long_lists_of_commits_are_cut(bench: Any, history: Any) -> None:
    history.record(history.commit("fastmlp/kernels/a.py"))
    for _ in range(bench._history.MOST_SHOWN + 3):
        history.commit("fastmlp/kernels/b.py")
    lines = bench._history.kernel_changes()
    assert len(lines) == bench._history.MOST_SHOWN + 3 and "and 3 more" in lines[-2]


def test_shallow_clone_names_missing_commits(
    bench: Any, history: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.record(history.commit("fastmlp/kernels/a.py"))
    history.commit("fastmlp/kernels/b.py")
    shallow = tmp_path / "shallow"
    address = history.root.as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", address, str(shallow)], check=True)
    monkeypatch.setattr(bench._environment, "ROOT", str(shallow))
    (line,) = bench._history.kernel_changes()
    assert "git fetch --unshallow" in line


def test_files_without_a_repository_are_no_failure(
    bench: Any, history: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.record(history.commit("fastmlp/kernels/a.py"))
    monkeypatch.setattr(bench._environment, "ROOT", str(tmp_path))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (line,) = bench._history.kernel_changes()
    assert "git fetch --unshallow" in line


def test_the_quick_run_names_them_and_does_not_fail(
    bench: Any, history: Any, home: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(bench._asv, "asv", lambda *_, **__: 0)
    history.record(history.commit("fastmlp/kernels/a.py"))
    history.commit("fastmlp/kernels/b.py")
    assert bench.main(["--quick"]) == 0
    out = capsys.readouterr().out
    assert "Change fastmlp/kernels/b.py" in out and "scripts/bench --record" in out


# --- names of machines ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "features", "cores", "name"),
    [
        ("znver4", {"avx2", "avx512f"}, 2, "zen4-2cores-avx512"),
        ("znver3", {"avx2"}, 2, "zen3-2cores"),
        ("skylake-avx512", {"avx512f"}, 1, "skylake-avx512-1core"),
        ("apple-m1", set(), 8, "apple-m1-8cores"),
        ("Some CPU (R)/7", set(), 4, "some-cpu-r-7-4cores"),
        ("", set(), 4, "cpu-4cores"),
    ],
)
def test_a_machine_is_named_by_its_cpu_and_cores(
    bench: Any, kind: str, features: set[str], cores: int, name: str
) -> None:
    assert bench._machine.name_of(kind, features, cores) == name


def test_the_default_name_is_accepted_and_is_not_the_hosts(bench: Any) -> None:
    name = bench._machine.default_name()
    assert name != platform.node()
    assert bench._parse(["--record", "--machine", name]).machine == name
