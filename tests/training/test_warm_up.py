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
from fastmlp.training.warm_up import kept_in, warm_up

TESTS = Path(__file__).parents[1]

# Every kernel that Python or an address reaches, with the types it was compiled for; and runs of
# all kinds.
RUNS = """
import importlib, pkgutil
import numpy as np
import fastmlp
from fastmlp import kernels
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.losses import legal_pairs
from fastmlp.ops.optimizers import OPTIMIZERS
from numba.core.dispatcher import Dispatcher
from image_models import ALL_LAYERS, pictures
from toys import blobs, lines, counts, tags

def entries():
    for module in pkgutil.walk_packages(kernels.__path__, "fastmlp.kernels."):
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, Dispatcher) and hasattr(found._cache, "_cache_file"):
                yield found

def state():
    return {(entry.__name__, types) for entry in entries() for types in entry.overloads}

def fit(data, **settings):
    usual = {"hidden_layer_sizes": (5,), "epochs": 1, "batch_size": 32}
    settings = fastmlp.TrainConfig(**{**usual, **settings})
    fastmlp.fit(settings, data, threads=2).predictor.predict(data.X)

def train_everything():
    for name, record in ACTIVATIONS.records.items():
        if record.hidden:
            fit(blobs(), activation=name)
    for output, loss in legal_pairs():
        data = {"softmax": blobs, "sigmoid": tags, "exponential": counts}.get(output, lines)()
        fit(data, output_activation=output, loss=loss, learning_rate=1e-4)
    for name in OPTIMIZERS.names():
        fit(blobs(), optimizer=name, learning_rate=1e-3)
        fit(blobs(), optimizer=name, learning_rate=1e-3, mode="stochastic", dropout=0.5)
    for mode in ("batch", "stochastic"):
        fit(lines(n_outputs=2), mode=mode, learning_rate=1e-3)
        fit(blobs(1500), mode=mode, learning_rate=1e-3)
    fit(blobs(), class_weight="balanced", label_smoothing=0.1, clip_norm=1.0, max_norm=1.0, l1=0.1)
    fit(blobs(), sampling="replacement", accumulate=True)
    images = fastmlp.Dataset(
        np.arange(1200).astype(np.uint8).reshape(300, 4), np.arange(300) % 3, name="images"
    )
    for scale in ("minmax", "standard_global", "none"):
        fit(images, scale=scale)
    fit(blobs(), hidden_layer_sizes=(300, 300))
    all_layers = ALL_LAYERS.removesuffix(", dense(3, softmax)")
    for layers in (all_layers, "avg_pool2d(2), dense(4)", "max_pool2d(2)", "global_avg_pool2d"):
        for options in ({}, {"optimizer": "adam", "clip_norm": 1.0, "mode": "stochastic"}):
            fit(pictures(60), hidden_layer_sizes=(), layers=layers, **options)
"""
WARMED = """
from fastmlp.training.warm_up import warm_up
for done in warm_up(["float32"], threads=2):
    pass
before = state()
assert len(before) > 20
train_everything()
print(*sorted(name for name, _ in state() - before))
"""
FRESH = """
train_everything()
print(*sorted(entry.__name__ for entry in entries() if entry.stats.cache_misses))
"""


def printed_by(script: str) -> str:
    """What a fresh process prints that keeps compiled kernels where the tests do."""
    done = subprocess.run(
        [sys.executable, "-c", RUNS + script],
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
