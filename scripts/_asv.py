"""Calling asv: its settings, what it runs, what it leaves. Standard library only."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import _environment
import _machine

ROOT = Path(_environment.ROOT)
FOLDER = ROOT / "asv_benchmarks"
SETTINGS = FOLDER / "asv.conf.json"
DERIVED = FOLDER / "env"  # all that can be made again: environments, kernels, results not kept
HTML = FOLDER / "html"

FAILURES = 2  # asv's exit code where a benchmark failed, and everything else went well
_KERNELS_KEPT = 6


class BenchError(Exception):
    """Something that ends the command; the message says what to do."""


def read_settings() -> dict[str, Any]:
    """Return asv.conf.json, whose lines may be comments."""
    text = SETTINGS.read_text(encoding="utf-8")
    settings: dict[str, Any] = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    return settings


def settings_with_results_in(results: Path) -> Path:
    """Write a copy of asv.conf.json whose results lie elsewhere, and return where it is."""
    settings = read_settings()
    for name, path in (
        ("repo", ROOT),
        ("benchmark_dir", FOLDER / "benchmarks"),
        ("env_dir", DERIVED),
        ("results_dir", results),
        ("html_dir", HTML),
    ):
        settings[name] = str(path)
    results.mkdir(parents=True, exist_ok=True)
    copy = results / "asv.conf.json"
    copy.write_text(json.dumps(settings, indent=4), encoding="utf-8")
    return copy


def asv(command: str, settings: Path, *arguments: str, **variables: str) -> int:
    """Run ``asv command`` and return its exit code."""
    call = [sys.executable, "-m", "asv", command, "--config", str(settings), *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(call, cwd=settings.parent, env=environment).returncode


def run(
    settings: Path, commits: Sequence[str], patterns: Sequence[str], machine: str, rounds: int
) -> bool:
    """Run benchmarks on commits, in rounds that take turns; return whether none failed."""
    _machine.introduce(machine)
    prune_kernels()
    return _measure(
        settings, commits, patterns, machine, "--interleave-rounds", "--attribute",
        f"rounds={rounds}",
    )  # fmt: skip


def run_round(
    settings: Path, commit: str, patterns: Sequence[str], machine: str, first: bool
) -> bool:
    """Run benchmarks on a commit once; return whether none failed.

    The first round replaces what the results hold of these benchmarks, later ones add samples.
    """
    added = [] if first else ["--append-samples"]
    return _measure(settings, [commit], patterns, machine, "--attribute", "rounds=1", *added)


def _measure(
    settings: Path, commits: Sequence[str], patterns: Sequence[str], machine: str, *options: str
) -> bool:
    DERIVED.mkdir(exist_ok=True)
    hashes = DERIVED / "commits.txt"
    hashes.write_text("\n".join(commits) + "\n", encoding="ascii")
    code = asv(
        "run", settings, f"HASHFILE:{hashes}", "--machine", machine, "--show-stderr",
        "--record-samples", *options, *selection(patterns),
    )  # fmt: skip
    if code not in (0, FAILURES):
        raise BenchError(f"asv ended with exit code {code}; its messages are above")
    return code == 0


def selection(patterns: Sequence[str]) -> list[str]:
    """Return asv's arguments that select benchmarks."""
    return [argument for pattern in patterns for argument in ("--bench", pattern)]


def results_of(results: Path, machine: str, commit: str, length: int = 8) -> Path:
    """Return the file of one commit's results."""
    found = sorted((results / machine).glob(f"{commit[:length]}-*.json"))
    if len(found) != 1:
        raise BenchError(
            f"{len(found)} result files for commit {commit[:length]}; asv's messages are above"
        )
    return found[0]


def prune_kernels(kept: int = _KERNELS_KEPT) -> None:
    """Remove compiled kernels of long ago: every state of the sources leaves a folder of them."""
    folders = (DERIVED / "kernels").glob("*")
    by_age = sorted(folders, key=lambda folder: folder.stat().st_mtime)
    for folder in by_age[:-kept]:
        shutil.rmtree(folder, ignore_errors=True)
