"""Measuring commits in turns and keeping their figures, resumable after an interruption.

Standard library only; asv does the measuring, a commit and a round at a call.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import _asv
import _history
import _machine
import _verdict

# Interleaved rounds over all commits, so that other load on the machine affects all alike.
ROUNDS = 2
# Cached kernels of this number of other commits are kept on disk.
_KERNELS_BESIDE = 4


class Journal:
    """The finished rounds of each commit, in a file that is written after each round.

    Parameters
    ----------
    folder : path
        Folder of the samples.
    suite : str
        Digest of the benchmarks. If it differs, the samples are not comparable and are removed.
    """

    def __init__(self, folder: Path, suite: str):
        self.path = folder / "journal.json"
        self.content: dict[str, Any] = {"suite": suite, "done": {}}
        if self.path.exists():
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["suite"] == suite:
                self.content = content
                return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def rounds(self, commit: str) -> int:
        """Return how many rounds of a commit are done."""
        return int(self.content["done"].get(commit, 0))

    def note(self, commit: str) -> None:
        """Count a round of a commit."""
        self.content["done"][commit] = self.rounds(commit) + 1
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(self.content), encoding="utf-8")
        beside.replace(self.path)


def record(commits: Sequence[str], patterns: Sequence[str], machine: str) -> list[str]:
    """Measure commits and keep their figures in the repository; return what failed.

    Parameters
    ----------
    commits : sequence of str
        Full hashes.
    patterns : sequence of str
        The benchmarks.
    machine : str
    """
    folder = _asv.DERIVED / "results" / f"record-{machine}"
    journal = Journal(folder, suite_digest(patterns))
    settings = _asv.settings_with_results_in(folder)
    _machine.introduce(machine)
    _asv.prune_kernels(len(commits) + _KERNELS_BESIDE)
    turns = [(n, commit) for n in range(ROUNDS) for commit in _in_turn(commits, n)]
    left = [(n, commit) for n, commit in turns if journal.rounds(commit) <= n]
    if len(left) < len(turns):
        print(f"Resuming: {len(turns) - len(left)} of {len(turns)} measurements are done")
    words = {name[:8]: text for name, text in _history.milestones().items()}
    for number, (n, commit) in enumerate(left, len(turns) - len(left) + 1):
        title = words.get(commit[:8], "")
        print(f"\n[{number}/{len(turns)}] round {n + 1}: {commit[:8]} {title}", flush=True)
        if n == 0:
            _take_kept(folder / machine, machine, commit)
        _asv.run_round(settings, commit, patterns, machine, first=n == 0)
        journal.note(commit)
    failures = _keep(folder, machine)
    shutil.rmtree(folder)
    return failures


def _in_turn(commits: Sequence[str], n: int) -> Sequence[str]:
    """Return the commits in the order of a round: there and back, as a machine gets warm."""
    return commits[::-1] if n % 2 else commits


def suite_digest(patterns: Sequence[str]) -> str:
    """Return a digest of the benchmarks' code, of the versions pinned and of the selection."""
    digest = hashlib.sha256(json.dumps([list(patterns), ROUNDS]).encode())
    for path in [_asv.SETTINGS, *sorted((_asv.FOLDER / "benchmarks").glob("*.py"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _take_kept(folder: Path, machine: str, commit: str) -> None:
    """Start from the figures that the repository has: asv replaces those that it measures."""
    folder.mkdir(exist_ok=True)
    for path in (_asv.FOLDER / "results" / machine).glob(f"{commit[:8]}-*.json"):
        if _history.comparable(json.loads(path.read_text(encoding="utf-8"))["requirements"]):
            shutil.copy(path, folder)


def _keep(folder: Path, machine: str) -> list[str]:
    """Copy figures to the repository, without samples; return the benchmarks that failed."""
    kept = _asv.FOLDER / "results"
    (kept / machine).mkdir(parents=True, exist_ok=True)
    failures = []
    for path in sorted((folder / machine).glob("*-*.json")):
        content = without_samples(json.loads(path.read_text(encoding="utf-8")))
        (kept / machine / path.name).write_text(json.dumps(content), encoding="utf-8")
        figures = _verdict.read_figures(path)
        failures += [f"{name} on {path.name[:8]}" for name, f in figures.items() if f.failed]
    shutil.copy(folder / machine / "machine.json", kept / machine)
    _keep_descriptions(folder / "benchmarks.json", kept)
    return failures


def _keep_descriptions(path: Path, kept: Path) -> None:
    """Copy asv's descriptions of benchmarks with figures: the site shows all it is given."""
    named = {"version"}
    for results in kept.glob("*/*-*.json"):
        named |= json.loads(results.read_text(encoding="utf-8"))["results"].keys()
    known = json.loads(path.read_text(encoding="utf-8"))
    content = {name: entry for name, entry in known.items() if name in named}
    text = json.dumps(content, indent=4, sort_keys=True) + "\n"
    (kept / "benchmarks.json").write_text(text, encoding="utf-8")


def without_samples(content: dict[str, Any]) -> dict[str, Any]:
    """Return asv's results with medians and quartiles only: they are enough for the site."""
    end = content["result_columns"].index("samples")
    return {**content, "results": {name: row[:end] for name, row in content["results"].items()}}
