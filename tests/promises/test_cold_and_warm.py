"""Kernels that were just compiled and kernels from disk: the same bits. Two processes at once, too.

A function that is not merged into its callers stands in several libraries, each optimised apart,
and the first to be loaded is used: which, differs between the process that compiles and later ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A run of each rule, and of each way to keep rows; by batches, by samples, or both.
SCRIPT = """
import hashlib, sys
import numpy as np
from fastmlp import Dataset, TrainConfig, fit
from fastmlp.kernels.machine.lookup import used

rng = np.random.default_rng(0)
pixels = (rng.random((300, 80)) < 0.2) * rng.integers(1, 255, (300, 80))
labels = rng.integers(0, 3, 300)
sparse = Dataset(pixels.astype(np.uint8), labels, feature_range=(0, 255))
numbers = Dataset(pixels.astype(np.float32), labels)
dense = Dataset(rng.normal(size=(300, 20)), rng.integers(0, 3, 300))
rules = ("sgd(momentum=0.9)", "adam", "adamw", "rmsprop(momentum=0.5)")
runs = {
    "batches": [
        *((dense, {"optimizer": rule}) for rule in rules),
        *((part, {"mode": "minibatch", "scale": "standard"}) for part in (sparse, numbers)),
    ],
    "samples": [(sparse, {"mode": "stochastic", "scale": s}) for s in ("standard", "unit")],
}
for name in sys.argv[1:]:
    for dataset, changes in runs[name]:
        config = TrainConfig(
            epochs=2, hidden_layer_sizes=(24, 20), batch_size=23, learning_rate=0.01, **changes
        )
        params = fit(config, dataset, threads=2).predictor.network.params
        print(hashlib.sha256(params.tobytes()).hexdigest())
print("compiled", used["compiled"] > 0)
"""


def start(cache: Path, *names: str) -> subprocess.Popen[str]:
    """A process that keeps its kernels in a folder, and prints the weights of some runs."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *names], env=environment, cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def printed_by(process: subprocess.Popen[str]) -> list[str]:
    printed, errors = process.communicate(timeout=600)
    assert (process.returncode, errors) == (0, "")
    return printed.splitlines()


def test_cold_processes_find_what_later_ones_find(tmp_path: Path) -> None:
    # Both compile evaluation, activations and losses, too: the one may write what the other
    # is reading.
    processes = [start(tmp_path, "batches"), start(tmp_path, "samples")]
    try:
        (*batches, compiled), (*samples, also_compiled) = map(printed_by, processes)
    finally:
        for process in processes:
            process.kill()
    assert (compiled, also_compiled) == ("compiled True", "compiled True")
    assert len({*batches, *samples}) == 8
    warm = printed_by(start(tmp_path, "batches", "samples"))
    assert warm == [*batches, *samples, "compiled False"]
