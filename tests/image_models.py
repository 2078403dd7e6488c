"""Tiny networks and data of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import Dataset, Predictor, TrainConfig
from fastmlp.model.features import FeatureInfo
from fastmlp.model.network import Network
from fastmlp.model.task import Task
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.ops.scalers import Scaling

# Every kind of layer, each with weights after one without.
ALL_LAYERS = (
    "conv2d(2, 2, padding=same, activation=leaky_relu(0.1)), max_pool2d((1, 2), stride=1), "
    "dropout(0.2), flatten, dropout(0.1), dense(6, tanh), dropout(0.3), dense(3, softmax)"
)


def image_model(
    layers: str = ALL_LAYERS,
    shape: tuple[int, int, int] = (2, 2, 1),
    dtype: str = "float32",
    seed: int = 5,
) -> Predictor:
    """A model of three classes of images, of bytes scaled to 0 to 1."""
    network = Network(parse_layers(layers), shape, dtype)
    network.initialize(INITIALIZERS.parse("he_normal"), INITIALIZERS.parse("random_normal"), seed)
    task = Task("multiclass", network.n_outputs, np.arange(network.n_outputs))
    ends = np.zeros(network.n_inputs), np.full(network.n_inputs, 255.0)
    features = FeatureInfo(*ends, ends[1] / 4, None, shape[:2] if shape[2] == 1 else shape)
    return Predictor(network, Scaling("unit", np.zeros(1), np.full(1, 1 / 255)), task, features)


def pictures(n: int, shape: tuple[int, ...] = (6, 6), n_classes: int = 3, seed: int = 0) -> Dataset:
    """Images of bytes, most of them 0, that say nothing about the label."""
    rng = np.random.default_rng(seed)
    X = rng.integers(1, 256, (n, *shape)) * (rng.random((n, *shape)) < 0.2)
    return Dataset(X.astype(np.uint8), rng.permutation(n) % n_classes, name="pictures")


def settings(**changes: Any) -> TrainConfig:
    """A small convolutional network that drops out."""
    usual: dict[str, Any] = {
        "layers": "conv2d(3, 3), max_pool2d(2), dropout(0.2), dense(5)", "batch_size": 16,
        "epochs": 2, "activation": "relu",
    }  # fmt: skip
    return TrainConfig(**{**usual, **changes})
