"""Small runs of every task, evaluated once for all tests."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import fastmlp
from fastmlp.reports.evaluation import RunEvaluation, evaluate_run
from toys import blobs, lines, settings, tags


def images(n: int = 90, seed: int = 0) -> fastmlp.Dataset:
    """Images of 4 x 3 pixels: one of three rows is bright, and that is the class."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(n) % 3
    X = rng.integers(0, 120, (n, 4, 3), dtype=np.uint8)
    X[np.arange(n), y] += 60
    return fastmlp.Dataset(
        X.reshape(n, 12), y, name="bars", feature_range=(0, 255), image_shape=(4, 3)
    )


def colours(n: int = 90, seed: int = 0) -> fastmlp.Dataset:
    """Images of 6 x 5 pixels of three colours: one of them is bright, and that is the class."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(n) % 3
    X = rng.integers(0, 120, (n, 6, 5, 3), dtype=np.uint8)
    X[np.arange(n), :, :, y] += 100
    return fastmlp.Dataset(X, y, name="colours")


LAYERS = "conv2d(5, 3), max_pool2d(2), dropout(0.1), conv2d(70, (2, 1), activation=tanh), dense(4)"
DATASETS = {
    "images": images,
    "binary": lambda: blobs(n_classes=2),
    "blobs": blobs,
    "labels": tags,
    "numbers": lines,
    "two numbers": lambda: lines(n_outputs=2),
    "colours": colours,
    "ensemble": images,
    "ensemble of labels": tags,
    "ensemble of numbers": lambda: lines(n_outputs=2),
}


@cache
def evaluated(name: str) -> RunEvaluation:
    """The evaluation of a short run on a toy."""
    dataset = DATASETS[name]()
    config = settings()
    if name == "colours":
        config = config.replace(layers=LAYERS, hidden_layer_sizes=(), activation="relu", epochs=1)
    if name.startswith("ensemble"):
        config = config.replace(n_models=3)
    return evaluate_run(fastmlp.fit(config, dataset), dataset)


@pytest.fixture(params=DATASETS)
def evaluation(request: pytest.FixtureRequest) -> RunEvaluation:
    return evaluated(request.param)


@pytest.fixture
def bars() -> RunEvaluation:
    return evaluated("images")
