"""Random configurations, one after the other: none fails, and memory stays what it was.

An hour by default; FASTMLP_SOAK_SECONDS is the time that there is, FASTMLP_SOAK_SEED another
beginning, and FASTMLP_SOAK_LOG a file for a line for each run. Start it with scripts/test -m soak
tests/promises/test_soak.py.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pytest
from scipy.sparse import csr_array

import fastmlp
from fastmlp import (
    ConfigError,
    Dataset,
    DivergenceError,
    MLPClassifier,
    MLPRegressor,
    Predictor,
    TrainConfig,
)
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.losses import legal_pairs
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.schedules import SCHEDULES
from fastmlp.training.setting_checks import DTYPES
from fastmlp.training.warm_up import warm_up
from toys import blobs, counts, lines, noise, spirals, tags

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("FASTMLP_SOAK_SECONDS", "3600"))
SEED = int(os.environ.get("FASTMLP_SOAK_SEED", "0"))
STATM = Path("/proc/self/statm")
MEGABYTE = 1 << 20
# What the allocator and caches of libraries may still take in the second half of the time.
MOST_GROWTH = 16 * MEGABYTE

HIDDEN = [name for name, record in ACTIVATIONS.records.items() if record.hidden]
OUTPUTS = {
    "classes": [pair for pair in legal_pairs() if pair[0] == "softmax"],
    "labels": [pair for pair in legal_pairs() if pair[0] == "sigmoid"],
    "numbers": [pair for pair in legal_pairs() if pair[0] in ("identity", "tanh")],
    "counts": [("exponential", "poisson"), ("identity", "squared_error")],
}


def resident() -> int:
    """The resident memory of this process, in bytes."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def sparse(n: int, seed: int) -> Dataset:
    X = np.random.default_rng(seed).poisson(0.1, (n, 90)).astype(float)
    return Dataset(csr_array(X), np.arange(n) % 3, name="sparse")


def draw_data(rng: random.Random) -> tuple[str, Dataset]:
    n, seed = rng.randint(20, 400), rng.randrange(99)
    makers: list[tuple[str, Callable[[], Dataset]]] = [
        ("classes", lambda: blobs(n, rng.randint(3, 9), seed)),
        ("classes", lambda: noise(n, 4, seed)),
        ("classes", lambda: sparse(n, seed)),
        ("classes", lambda: fastmlp.load_dataset("digits")),
        ("labels", lambda: spirals(n, seed=seed)),
        ("labels", lambda: tags(n, seed)),
        ("numbers", lambda: lines(n, rng.choice([None, 1, 3]), seed)),
        ("counts", lambda: counts(n, seed)),
    ]
    kind, make = rng.choice(makers)
    return kind, make()


def draw_settings(rng: random.Random, kind: str) -> dict[str, Any]:
    """Settings of any kind that go together."""
    output, loss = rng.choice(OUTPUTS[kind])
    sizes = [rng.randint(1, 70) for _ in range(rng.randint(0, 3))]
    mode = rng.choice(["minibatch", "minibatch", "stochastic", "batch"])

    def sometimes(*values: Any) -> Any:
        return rng.choice(values) if rng.random() < 0.2 else 0.0

    return {
        "hidden_layer_sizes": sizes,
        "activation": rng.choice(HIDDEN),
        "output_activation": output,
        "loss": loss,
        "weight_init": rng.choice([name for name in INITIALIZERS.names() if name != "constant"]),
        "optimizer": rng.choice([*OPTIMIZERS.names(), "sgd(momentum=0.9, nesterov=true)"]),
        "learning_rate": rng.choice([0.001, 0.01]),
        "schedule": rng.choice(SCHEDULES.names()),
        "mode": mode,
        "batch_size": rng.randint(1, 300) if mode == "minibatch" else 32,
        "epochs": rng.randint(1, 8),
        "validation": rng.choice([0.1, 0.3]),
        "early_stopping": rng.choice([0, 0, 2]),
        "dropout": sometimes(0.2, 0.5) if sizes else 0.0,
        "l1": sometimes(0.001),
        "l2": sometimes(0.001, 0.1),
        "clip_norm": sometimes(1.0),
        "clip_value": sometimes(0.1),
        "max_norm": sometimes(2.0),
        "dtype": rng.choice(["float32", "float64"]),
        "seed": rng.randrange(1000),
    }


def fit(rng: random.Random, folder: Path) -> None:
    """Training, saving, loading and prediction in this process."""
    kind, dataset = draw_data(rng)
    config = TrainConfig.from_dict(draw_settings(rng, kind))
    predictor = fastmlp.fit(config, dataset, threads=rng.randint(1, 2)).predictor
    predictor.save(folder / "model.safetensors")
    loaded = Predictor.load(folder / "model.safetensors")
    expected = predictor.outputs(dataset.X)
    np.testing.assert_array_equal(loaded.outputs(dataset.X, threads=1), expected)
    assert np.isfinite(expected).all()


def estimate(rng: random.Random, folder: Path) -> None:
    """An estimator, in this process."""
    kind, dataset = rng.choice([("classes", blobs(150)), ("numbers", lines(90))])
    make = MLPClassifier if kind == "classes" else MLPRegressor
    estimator = make(
        hidden_layer_sizes=(rng.randint(1, 40),),
        solver=rng.choice(["sgd", "adam", "lbfgs"]),
        max_iter=rng.randint(1, 30),
        random_state=rng.randrange(99),
    )
    estimator.fit(dataset.X, dataset.y).predict(dataset.X)


def command(rng: random.Random, folder: Path) -> None:
    """The command line, in a process of its own: training into a folder, then prediction."""
    settings = draw_settings(rng, "classes")
    sizes = ",".join(map(str, settings.pop("hidden_layer_sizes"))) or "none"
    names = {"learning_rate": "lr", "weight_init": "init", "output_activation": "output"}
    arguments = ["--data", "digits", "--hidden", sizes]
    if settings["mode"] != "minibatch":
        del settings["batch_size"]
    for name, value in settings.items():
        arguments += [f"--{names.get(name, name).replace('_', '-')}", str(value)]
    out = ["--out", str(folder / "run"), "--overwrite", "--no-plots", "--json", "--quiet"]
    done = run_command("train", *arguments, *out)
    for error in (ConfigError, DivergenceError):
        if done.returncode == error.exit_code:
            raise error(done.stderr)
    assert done.returncode == 0 and not done.stderr, (arguments, done.stderr)
    assert json.loads(done.stdout)["epochs_run"] >= 1


def sweep(rng: random.Random, folder: Path) -> None:
    """A sweep, in this process, with a store."""
    axes = {
        "activation": rng.sample(HIDDEN, 2), "mode": ["minibatch", "stochastic"],
        "hidden_layer_sizes": [[rng.randint(1, 40)]], "epochs": rng.randint(1, 3),
    }  # fmt: skip
    fastmlp.run_sweep(axes, blobs(), out=folder / "sweep", overwrite=True, plots=False, jobs=2)


def run_command(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"fastmlp.{module}", *arguments],
        cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip


# The command line starts a process, and takes a hundred times as long as a fit.
KINDS = {fit: 60, estimate: 10, sweep: 4, command: 1}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not STATM.exists(), reason="needs Linux to look at the memory")
def test_random_configurations_for_an_hour(tmp_path: Path, capsys: Any) -> None:
    for _ in warm_up(DTYPES, 2):
        pass  # what kernels take, they take at once
    rng, started = random.Random(SEED), time.monotonic()
    sizes: list[tuple[float, int]] = []
    tally: Counter[str] = Counter()
    with Path(os.environ.get("FASTMLP_SOAK_LOG", os.devnull)).open("a") as log:
        while (passed := time.monotonic() - started) < SECONDS:
            kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
            seed = rng.randrange(1 << 32)
            try:
                kind(random.Random(seed), tmp_path)
                tally[kind.__name__] += 1
            except (ConfigError, DivergenceError) as error:
                tally[type(error).__name__] += 1  # as some random settings must
            except BaseException:
                print(f"failed: {kind.__name__}(random.Random({seed}))")
                raise
            sizes.append((passed, resident()))
            note(log, f"{passed:.1f} {kind.__name__} {seed} {sizes[-1][1] / MEGABYTE:.1f}")
    with capsys.disabled():
        print(f"\n{len(sizes)} runs in {passed:.0f} s: {dict(tally)}")
        for share in (0.1, 0.25, 0.5, 0.75, 1.0):
            print(f"{share * SECONDS:6.0f} s  {memory(sizes, share) / MEGABYTE:7.1f} MB resident")
    assert tally["ConfigError"] + tally["DivergenceError"] < len(sizes) / 4
    assert memory(sizes, 1.0) - memory(sizes, 0.5) < MOST_GROWTH


def memory(sizes: list[tuple[float, int]], share: float) -> float:
    """The median of the resident memory in the tenth of the time before a share of it."""
    last = share * SECONDS
    return statistics.median(size for at, size in sizes if last - SECONDS / 10 <= at <= last)


def note(log: TextIO, line: str) -> None:
    print(line, file=log, flush=True)
