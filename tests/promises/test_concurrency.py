"""Fits in many threads and processes at once: no abort, no deadlock, the bits of a run alone."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "concurrency.py"
LAYERS = ("omp", "workqueue", "tbb")
# In this order: other code is the first to use Numba's threads.
FORKED = ("child-of-another-library", "python-threads", "forked-child")


def crowd(layer: str, *places: str) -> None:
    """Train in some places on a threading layer; skip where it cannot be loaded."""
    if "forked-child" in places and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *places],
        capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip
    if "No threading layer could be loaded" in done.stderr:
        pytest.skip(f"no {layer} here")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{layer}\n"


@pytest.mark.parametrize("layer", LAYERS)
def test_eight_python_threads_and_forks_train_at_once(layer: str) -> None:
    crowd(layer, *FORKED)


def test_other_processes_train_at_once() -> None:
    crowd("workqueue", "spawned-child", "loky")


@pytest.mark.soak
@pytest.mark.parametrize("layer", LAYERS)
def test_other_processes_train_at_once_on_every_layer(layer: str) -> None:
    crowd(layer, "spawned-child", "loky")


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
@pytest.mark.parametrize("layer", LAYERS)
def test_pytorch_may_be_at_work_too(layer: str) -> None:
    crowd(layer, "beside-torch")
