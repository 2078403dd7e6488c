#!/usr/bin/env python3
"""Measure what a user waits for before training starts, from a clone and from a wheel.

Makes an empty environment for each way of installing, runs every case in a process of its own, and
prints a Markdown table of medians in seconds. The environments take turns in every round. Each
process is reported on stderr when it ends; one that fails has no figure in the table, and the exit
code is then 1. MNIST is found as by fastmlp train. Use it on a machine that does nothing else:

    scripts/build_wheel
    python scripts/cold_start.py --wheel dist/fastmlp-*.whl --before /path/to/an/older/clone
    python scripts/cold_start.py --rounds 1 --only digits
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

_FIT = """
from sklearn.datasets import load_iris
from fastmlp import MLPClassifier
MLPClassifier(random_state=0).fit(*load_iris(return_X_y=True))
"""


class Case(NamedTuple):
    """What a process does, and whether it finds kernels that were compiled before."""

    name: str
    arguments: tuple[str, ...]
    is_cold: bool


def _train(*options: str) -> tuple[str, ...]:
    return ("-m", "fastmlp.train", *options, "--no-out")


_IMPORT = ("-c", "import fastmlp; fastmlp.fit, fastmlp.MLPClassifier")
_DIGITS, _ESTIMATOR = _train("--data", "digits"), ("-W", "ignore", "-c", _FIT)
CASES = (
    Case("`import fastmlp`", ("-c", "import fastmlp"), False),
    Case("import of `fit` and `MLPClassifier`", _IMPORT, False),
    Case("`--data digits`, cold", _DIGITS, True),
    Case("`--data digits`, warm", _DIGITS, False),
    Case("first `MLPClassifier().fit`, cold", _ESTIMATOR, True),
    Case("first `MLPClassifier().fit`, warm", _ESTIMATOR, False),
    *(
        Case(f"an epoch of MNIST, {mode}, cold",
             _train("--data", "mnist", "--mode", mode, "--epochs", "1"), True)
        for mode in ("stochastic", "minibatch", "batch")
    ),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clone", type=Path, default=ROOT, help="default: this clone")
    parser.add_argument("--wheel", type=Path, help="default: none, only the clone is measured")
    parser.add_argument("--before", type=Path, metavar="CLONE", help="an older clone, to compare")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose names contain TEXT")
    options = parser.parse_args(arguments)
    cases = [case for case in CASES if options.only in case.name]
    if options.rounds < 1 or not cases:
        parser.error("--rounds must be at least 1, and --only must fit a case: "
                     + ", ".join(case.name for case in CASES))  # fmt: skip
    given = {"before": options.before, "clone": options.clone, "wheel": options.wheel}
    sources = {name: source for name, source in given.items() if source is not None}
    for source in sources.values():
        if not source.exists():
            parser.error(f"{source} does not exist; build a wheel with scripts/build_wheel")
    with tempfile.TemporaryDirectory() as folder:
        pythons = {
            name: _environment(Path(folder) / name, source) for name, source in sources.items()
        }
        found = measure(cases, pythons, options.rounds, Path(folder))
    print(table(found, list(pythons)))
    print(f"\n{options.rounds} rounds, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    all_seconds = [one for of_case in found.values() for each in of_case.values() for one in each]
    return 1 if any(map(math.isnan, all_seconds)) else 0


def _environment(folder: Path, source: Path) -> str:
    """Make an environment with the package; return its Python."""
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(source.resolve())], check=True)
    return python


def measure(
    cases: Sequence[Case], pythons: Mapping[str, str], rounds: int, folder: Path
) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of each round by case and environment; the environments take turns."""
    found: dict[str, dict[str, list[float]]] = {case.name: {} for case in cases}
    for case in cases:
        for name, python in pythons.items():
            if not case.is_cold:  # not counted: fills the folder of kernels
                _seconds(python, case.arguments, folder / f"kernels of {name}")
    for _ in range(rounds):
        for case in cases:
            for name, python in pythons.items():
                with tempfile.TemporaryDirectory(dir=folder) as empty:
                    kernels = Path(empty) if case.is_cold else folder / f"kernels of {name}"
                    seconds = _seconds(python, case.arguments, kernels)
                print(f"{seconds:8.2f} s  {name}: {case.name}", file=sys.stderr, flush=True)
                found[case.name].setdefault(name, []).append(seconds)
    return found


def _seconds(python: str, arguments: Sequence[str], kernels: Path) -> float:
    """Return how long a process takes that keeps its kernels in a folder; NaN if it fails."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(kernels)}
    environment.pop("PYTHONPATH", None)
    started = time.perf_counter()
    done = subprocess.run(
        [python, *arguments], env=environment, cwd=kernels.parent, capture_output=True,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    seconds = time.perf_counter() - started
    if done.returncode:
        print(f"{' '.join(arguments)} failed:\n{done.stderr}", file=sys.stderr, flush=True)
        return math.nan
    return seconds


def table(found: Mapping[str, Mapping[str, Sequence[float]]], names: Sequence[str]) -> str:
    """Return a Markdown table of medians, in seconds; a case that failed has none."""
    lines = [f"| seconds | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for case, seconds in found.items():
        medians = (
            "failed" if any(map(math.isnan, seconds[name])) else
            f"{statistics.median(seconds[name]):.2f}" for name in names
        )  # fmt: skip
        lines.append(f"| {case} | {' | '.join(medians)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
