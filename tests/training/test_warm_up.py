"""After a warm-up nothing is left to compile, whatever is trained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import NullCache

from fastmlp.kernels.steps.general_step import train_batches
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.training.kernel_folder import kept_in
from fastmlp.training.warm_up import warm_up

TESTS = Path(__file__).parents[1]

WARMED = """
from every_kind import Runs, state
from fastmlp.training.warm_up import warm_up
for done in warm_up(["float32"], threads=2):
    pass
before = state()
assert len(before) > 20
Runs().every_kind()
print(*sorted(name for name, _ in state() - before))
"""
FRESH = """
from every_kind import Runs, compiled
Runs().every_kind()
print(*sorted(compiled()))
"""


def printed_by(script: str) -> str:
    """What a fresh process prints that keeps compiled kernels where the tests do."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_after_a_warm_up_no_run_needs_another_kernel() -> None:
    assert printed_by(WARMED) == ""
    # All of that came to the disk, too.
    assert printed_by(FRESH) == ""


def test_groups_are_reported_with_their_times() -> None:
    done = list(warm_up(["float32"], threads=1))
    assert {group.dtype for group in done} == {"float32"}
    assert done[0].what == f"{len(ACTIVATIONS.names())} activations"
    assert [group.what for group in done[-2:]] == ["general step, evaluation", "per-sample step"]
    assert all(group.seconds >= 0 for group in done)


def test_cache_folder_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept_in()
    assert folder is not None and any(Path(folder).iterdir())
    monkeypatch.setattr(train_batches, "_cache", NullCache())
    assert kept_in() is None
