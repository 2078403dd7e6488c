"""Kernels that were just compiled and kernels from disk: the same bits.

A function that is not merged into its callers stands in several libraries, each optimised apart,
and the first to be loaded is used: which, differs between the process that compiles and later ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A run of each rule, and of each way to keep rows.
SCRIPT = """
import hashlib
import numpy as np
from fastmlp import Dataset, TrainConfig, fit

rng = np.random.default_rng(0)
pixels = (rng.random((300, 80)) < 0.2) * rng.integers(1, 255, (300, 80))
sparse = Dataset(pixels.astype(np.uint8), rng.integers(0, 3, 300), feature_range=(0, 255))
dense = Dataset(rng.normal(size=(300, 20)), rng.integers(0, 3, 300))
for dataset, changes in (
    *((dense, {"optimizer": name}) for name in (
        "sgd(momentum=0.9)", "adam", "adamw", "rmsprop(momentum=0.5)")),
    *((sparse, {"mode": mode, "scale": "standard"}) for mode in ("stochastic", "minibatch")),
):
    config = TrainConfig(
        epochs=2, hidden_layer_sizes=(24, 20), batch_size=23, learning_rate=0.01, **changes
    )
    params = fit(config, dataset, threads=2).predictor.network.params
    print(hashlib.sha256(params.tobytes()).hexdigest())
"""


def results(cache: Path) -> list[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, check=True,
        capture_output=True, text=True, timeout=600,
    ).stdout.splitlines()  # fmt: skip


def test_a_cold_process_finds_what_later_ones_find(tmp_path: Path) -> None:
    cold = results(tmp_path)
    assert len({*cold}) == 6
    assert results(tmp_path) == cold
