"""A new activation, a new loss and a new optimizer without state train in every mode.

They are registered as CONTRIBUTING says, but in this file: nothing else knows their names. The
layer there is in the package.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference
from fastmlp.data.dataset import Dataset
from fastmlp.kernels.emit.elementary import exp, log, log1p, tanh
from fastmlp.kernels.rules import activations, losses, optimizers
from fastmlp.ops.activations import ACTIVATIONS, Activation
from fastmlp.ops.losses import LOSSES, Loss
from fastmlp.ops.optimizers import OPTIMIZERS, Optimizer
from fastmlp.training.fit import finish, start
from harness import cached
from toys import BARE, blobs, lines, settings, twin_of

N = 25
DATA = {"multiclass": blobs(N), "regression": lines(N, 2)}

each_mode = pytest.mark.parametrize("mode", ["stochastic", "minibatch", "batch"])


@dataclass(frozen=True)
class Softsign(Activation):
    """a = z / (1 + |z|)."""

    name = "softsign"


@cached
def softsign(z, a, _):
    """a = z / (1 + |z|)."""
    one = z.dtype.type(1)
    for j in range(z.size):
        a[j] = z[j] / (one + abs(z[j]))


@cached
def softsign_backward(z, a, d, _):
    """dz = da / (1 + |z|)^2."""
    one = z.dtype.type(1)
    for j in range(z.size):
        s = one + abs(z[j])
        d[j] /= s * s


@dataclass(frozen=True)
class LogCosh(Loss):
    """sum_j log cosh(a_j - y_j)."""

    name = "log_cosh"
    tasks = ("regression",)
    target_range = (-100.0, math.inf)
    outputs = ("identity", "softsign")


@cached
def log_cosh(z, a, y, d, scale, _, result):
    """sum_j log cosh(e_j), e = a - y;  dL/da = scale tanh(e)."""
    loss = 0.0
    for j in range(a.size):
        error = np.float64(a[j] - y[j])
        loss += abs(error) + log1p(exp(-2.0 * abs(error))) - log(2.0)
        d[j] = scale * a.dtype.type(tanh(error))
    result[0] = loss


@dataclass(frozen=True)
class SignSGD(Optimizer):
    """w -= rate sign(g) (Bernstein et al. 2018)."""

    name = "sign_sgd"
    default_rate = 0.02
    default_sample_rate = 0.002


@cached
def sign_sgd(w, g, state, size, parameters, rate, step, is_weight):
    """w -= rate sign(g)."""
    rate, zero = w.dtype.type(rate), w.dtype.type(0)
    for j in range(w.size):
        w[j] -= rate if g[j] > zero else (-rate if g[j] < zero else zero)


def sign_twin(
    optimizer: str, parameters: dict[str, Any], w: np.ndarray, g: np.ndarray, state: list[Any],
    rate: float, *_: Any,
) -> None:  # fmt: skip
    """The same in NumPy."""
    assert (optimizer, parameters, state) == ("sign_sgd", {}, [])
    w -= w.dtype.type(rate) * np.sign(g)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Register the records, their kernels and their twins for one test."""
    kernels = (
        (activations, softsign), (activations, softsign_backward), (losses, log_cosh),
        (optimizers, sign_sgd),
    )  # fmt: skip
    for module, kernel in kernels:
        monkeypatch.setattr(module, kernel.__name__, kernel, raising=False)
    registries = ((ACTIVATIONS, Softsign), (LOSSES, LogCosh), (OPTIMIZERS, SignSGD))
    for registry, record in registries:
        monkeypatch.setitem(registry.records, record.name, record)
    twins = {
        "FORWARD": lambda Z, _: Z / (1 + np.abs(Z)),
        "BACKWARD": lambda Z, A, dA, _: dA / np.square(1 + np.abs(Z)),
    }
    for table, function in twins.items():
        monkeypatch.setitem(getattr(reference, table), "softsign", function)
    monkeypatch.setitem(
        reference.LOSSES, "log_cosh", lambda Z, A, Y, _: np.log(np.cosh(A - Y)).sum(axis=1)
    )
    monkeypatch.setitem(reference.LOSS_GRADIENTS, "log_cosh", lambda A, Y, _: np.tanh(A - Y))
    monkeypatch.setitem(reference.STATE_ARRAYS, "sign_sgd", 0)
    yield
    for registry, _ in registries:
        registry._read.clear()


def assert_trains_as_its_twin(data: Dataset, **changes: Any) -> None:
    run = start(settings(**{**BARE, **changes}), data)
    weights, biases, _ = twin_of(run)
    network = finish(run).predictor.network
    ours, twins = [*network.weights, *network.biases], [*weights, *biases]
    for found, expected in zip(ours, twins, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@each_mode
@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
@pytest.mark.parametrize(
    "options",
    [{}, {"l2": 0.1}, {"l1": 0.01, "clip_value": 0.05}, {"hidden_layer_sizes": ()}],
    ids=str,
)
def test_an_optimizer_without_state_trains_as_its_twin(
    mode: str, data: Dataset, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "update", sign_twin)
    assert_trains_as_its_twin(data, mode=mode, optimizer="sign_sgd", learning_rate=0.01, **options)


@each_mode
@pytest.mark.parametrize("options", [{}, {"l2": 0.1}, {"hidden_layer_sizes": (6, 5)}], ids=str)
def test_an_activation_and_a_loss_train_as_their_twins(mode: str, options: dict[str, Any]) -> None:
    names = {"activation": "softsign", "output_activation": "softsign", "loss": "log_cosh"}
    assert_trains_as_its_twin(lines(N, 2), mode=mode, learning_rate=0.01, **names, **options)


@each_mode
def test_all_three_work_together_with_defaults_from_their_records(mode: str) -> None:
    names = {"activation": "softsign", "loss": "log_cosh", "optimizer": "sign_sgd"}
    config = settings(mode=mode, epochs=20, **names, output_activation="auto")
    run = start(config, lines(80))
    assert run.config.output_activation == "identity"
    assert run.config.learning_rate == (0.002 if mode == "stochastic" else 0.02)
    history = finish(run).history
    assert history["train_loss"][-1] < history["train_loss"][0]


def test_a_loss_is_refused_for_other_tasks_and_targets() -> None:
    with pytest.raises(ValueError, match="y must hold real numbers for loss log_cosh"):
        start(settings(loss="log_cosh", output_activation="identity"), blobs(N))
    far = Dataset(np.zeros((4, 2)), np.array([0.0, -101.5, 0.0, 1.5]), task="regression")
    with pytest.raises(ValueError, match=r"y must be at least -100 for loss log_cosh, got -101\.5"):
        start(settings(loss="log_cosh"), far)


def test_layer_of_contributing_is_that_of_the_package() -> None:
    root = Path(__file__).parents[2]
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Add a layer\n")[2].partition("\n## ")[0]
    blocks = [
        textwrap.dedent(block)
        for block in re.findall(r"^ +```python\n(.*?)^ +```$", section, re.MULTILINE | re.DOTALL)
    ]
    files = (
        "fastmlp/kernels/layers/global_avg_pool2d.py",
        "fastmlp/ops/layers.py",
        "tests/reference_layers.py",
    )
    kernels, record, twins = ((root / name).read_text(encoding="utf-8") for name in files)
    assert blocks[0] in kernels and blocks[1] in record
    row = re.search(r"^ +(\| `global_avg_pool2d` .*\|)$", section, re.MULTILINE)
    assert row is not None and row[1] in (root / "docs/training.md").read_text(encoding="utf-8")
    entries = blocks[2].split('"global_avg_pool2d": ')[1:]
    assert len(entries) == 2
    for entry in entries:  # indented there
        assert " ".join(entry.split()) in " ".join(twins.split())
