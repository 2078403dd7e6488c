"""A registered optimizer without state trains by its own rule in every mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import reference
from fastmlp.data.dataset import Dataset
from fastmlp.kernels.rules import optimizers as kernels
from fastmlp.ops.optimizers import OPTIMIZERS, Optimizer
from fastmlp.training.fit import finish, start
from harness import cached
from toys import BARE, blobs, lines, settings, twin

NAME = "sign_sgd"
N = 25
DATA = {"multiclass": blobs(N), "regression": lines(N, 2)}


@dataclass(frozen=True)
class SignSGD(Optimizer):
    """w -= rate sign(g) (Bernstein et al. 2018)."""

    name = NAME


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
    assert (optimizer, parameters, state) == (NAME, {}, [])
    w -= w.dtype.type(rate) * np.sign(g)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Register the optimizer, its kernel and its twin for one test."""
    monkeypatch.setitem(OPTIMIZERS.records, NAME, SignSGD)
    monkeypatch.setattr(kernels, NAME, sign_sgd, raising=False)
    monkeypatch.setattr(reference, "update", sign_twin)
    monkeypatch.setitem(reference.STATE_ARRAYS, NAME, 0)
    yield
    OPTIMIZERS._read.clear()


@pytest.mark.parametrize("mode", ["stochastic", "minibatch", "batch"])
@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
@pytest.mark.parametrize(
    "options",
    [{}, {"l2": 0.1}, {"l1": 0.01, "clip_value": 0.05}, {"hidden_layer_sizes": ()}],
    ids=str,
)
def test_training_equals_its_numpy_twin(mode: str, data: Dataset, options: dict[str, Any]) -> None:
    changes = {"mode": mode, "optimizer": NAME, "learning_rate": 0.01, **options}
    run = start(settings(**{**BARE, **changes}), data)
    weights, biases, _ = twin(run)
    result = finish(run)
    network = result.predictor.network
    assert result.plan.step == "general"
    for found, expected in zip(
        [*network.weights, *network.biases], [*weights, *biases], strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
