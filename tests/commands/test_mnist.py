"""The main job on real MNIST, where its files are at hand."""

from __future__ import annotations

import pytest

import fastmlp
from fastmlp.data.mnist import find

pytestmark = pytest.mark.skipif(
    find() is None, reason="MNIST's files are not here; point FASTMLP_DATA at them"
)


@pytest.fixture(scope="module")
def mnist() -> fastmlp.Dataset:
    return fastmlp.load_dataset("mnist")


@pytest.mark.parametrize(
    ("settings", "accuracy"),
    [
        ({}, 0.974),
        ({"mode": "stochastic", "epochs": 3}, 0.965),
        ({"optimizer": "adam", "learning_rate": 0.001, "batch_size": 64}, 0.975),
    ],
    ids=["defaults", "stochastic", "adam"],
)
def test_mnist_reaches_the_promised_accuracy(
    settings: dict[str, object], accuracy: float, mnist: fastmlp.Dataset
) -> None:
    result = fastmlp.fit(fastmlp.TrainConfig(**settings), mnist)
    assert result.metrics["test_accuracy"] >= accuracy
