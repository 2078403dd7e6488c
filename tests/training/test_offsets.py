"""Standardised features whose mean is large beside their deviation."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp
from fastmlp import TrainConfig


@pytest.mark.parametrize("mean", [10.0, 400.0, 1e6])
@pytest.mark.parametrize("mode", ["stochastic", "minibatch"])
def test_they_are_learned_like_others(mode: str, mean: float) -> None:
    rng = np.random.default_rng(0)
    near = rng.normal(0, 1, (300, 6))
    config = TrainConfig(mode=mode, scale="standard", epochs=2, learning_rate=0.05, split="none")
    losses = []
    for X in (near, near + mean):
        y = (near[:, 0] > 0).astype(int)
        losses.append(fastmlp.fit(config, fastmlp.Dataset(X, y)).metrics["train_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_one_among_many_zeros_is_predicted_as_in_dense_rows() -> None:
    rng = np.random.default_rng(1)
    X = np.where(rng.random((300, 100)) < 0.9, 0, rng.normal(0, 1, (300, 100)))
    X[:, 7] = rng.normal(1e6, 1, 300)
    y = (X[:, 7] > 1e6).astype(int)
    config = TrainConfig(scale="standard", epochs=2, split="none")
    predictor = fastmlp.fit(config, fastmlp.Dataset(X, y)).predictor
    alone = np.concatenate([predictor.outputs(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, predictor.outputs(X)[:20], rtol=1e-4)
