"""Tiny data sets, settings and models, and what NumPy makes of a training run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import reference
import reference_layers
import twin
from fastmlp import Dataset, Predictor, TrainConfig
from fastmlp.base.random import Purpose, key, stream
from fastmlp.model.network import Network
from fastmlp.model.task import Task
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.losses import LOSSES
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.scalers import Scaling
from fastmlp.ops.schedules import SCHEDULES
from fastmlp.training.run import Run
from harness import features


def blobs(n: int = 120, n_classes: int = 3, seed: int = 0) -> Dataset:
    """Two features; a blob for each class, all well apart. Labels 0, 1, ..."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(n) % n_classes
    angle = 2 * np.pi * y / n_classes
    X = 3 * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.5, (n, 2))
    return Dataset(X, y, name="blobs")


def images(n: int, n_features: int = 70, n_classes: int = 3, seed: int = 0) -> Dataset:
    """Bytes, most of them 0, that say nothing about the label."""
    rng = np.random.default_rng(seed)
    X = rng.integers(1, 256, (n, n_features)) * (rng.random((n, n_features)) < 0.2)
    labels = rng.permutation(n) % n_classes
    return Dataset(X.astype(np.uint8), labels, feature_range=(0, 255), name="images")


def pictures(n: int, shape: tuple[int, ...], n_classes: int = 3) -> Dataset:
    """Noise, and labels that linear functions of it give; 0 classes: two real targets."""
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(n, int(np.prod(shape))))
    Y = X @ rng.normal(size=(X.shape[1], max(n_classes, 2)))
    return Dataset(X, Y.argmax(axis=1) if n_classes else Y / 10, name="pictures")


def noise(n: int = 60, n_classes: int = 3, seed: int = 0) -> Dataset:
    """Four features that say nothing about the label: what can be learned does not last."""
    rng = np.random.default_rng(seed)
    return Dataset(rng.normal(size=(n, 4)), rng.permutation(n) % n_classes, name="noise")


def lines(n: int = 80, n_outputs: int | None = None, seed: int = 0) -> Dataset:
    """Two features and targets that are linear in them; ``None`` gives targets of shape (n,)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    Y = X @ rng.normal(size=(2, n_outputs or 1)) + 0.5
    return Dataset(X, Y[:, 0] if n_outputs is None else Y, name="lines")


def tags(n: int = 120, seed: int = 0) -> Dataset:
    """Two features and three labels, each on one side of a line: several to a row, or none."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    Y = (X @ np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]) > 0).astype(np.int64)
    return Dataset(X, Y, name="tags", task="multilabel")


def counts(n: int = 80, seed: int = 0) -> Dataset:
    """Two features, and counts whose logarithm of the mean is linear in them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return Dataset(X, rng.poisson(np.exp(X @ [0.5, -0.3] + 1)).astype(float), name="counts")


def spirals(n: int = 400, turns: float = 1.5, seed: int = 0) -> Dataset:
    """Two spirals wound about each other, one for each class (Lang & Witbrock 1988), no noise."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(n) % 2
    angle = np.pi * (0.5 + 2 * turns * np.sqrt(rng.random(n)))
    X = (angle / np.pi)[:, None] * np.column_stack(
        [np.cos(angle + np.pi * y), np.sin(angle + np.pi * y)]
    )
    return Dataset(X, y, name="spirals")


def friedman(n: int = 2000, noise: float = 0.5, seed: int = 0) -> Dataset:
    """Friedman's first problem (1991): five of ten features count, two of them by their product."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, 10))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
    y += 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, noise, n)
    return Dataset(X, y, name="friedman")


def settings(**changes: Any) -> TrainConfig:
    """A small network in float64, in batches of 10."""
    usual: dict[str, Any] = {"activation": "tanh", "batch_size": 10, "epochs": 3}
    if "layers" not in changes:
        usual["hidden_layer_sizes"] = (6,)
    return TrainConfig(**{**usual, "dtype": "float64", **changes})


# Every row trains, in the order of the data set and unscaled, so that a twin can follow.
BARE = {"split": "none", "validation": 0, "scale": "none"}


def batches(config: TrainConfig, n: int, epoch: int) -> Iterator[np.ndarray]:
    """The rows of each update of an epoch (from 1), in a run that trains on ``n`` rows."""
    size = {"stochastic": 1, "minibatch": config.batch_size, "batch": n}[config.mode]
    order = np.arange(n)
    if config.sampling == "replacement":
        order = stream(config.seed, Purpose.SAMPLE, epoch).integers(0, n, size=n)
    elif config.mode != "batch" and config.sampling == "shuffle":
        order = stream(config.seed, Purpose.SHUFFLE, epoch).permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size]


def layers(
    sizes: tuple[int, ...], seed: int = 0, scale: float = 0.5
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and biases to start from, as ``fit`` takes them."""
    rng = np.random.default_rng(seed)
    shapes = list(pairwise(sizes))
    return (
        [rng.normal(0, scale, shape) for shape in shapes],
        [rng.normal(0, scale, n_out) for _, n_out in shapes],
    )


def twin_of(run: Run) -> twin.Trained:
    """Train copies of a run's initial weights by NumPy: weights, biases, a record per update.

    With every option of the run's config except ``plateau``, which depends on the losses.
    """
    config, data, network = run.config, run.prepared.train, run.network
    X, Y = features(data), data.targets
    if data.labels.size:
        Y = reference.one_hot(data.labels, network.n_outputs, X.dtype)
    epochs = range(1, config.epochs + 1)
    rows = [batch for epoch in epochs for batch in batches(config, len(X), epoch)]
    steps = len(rows) // config.epochs
    factors = SCHEDULES.parse(config.schedule).factors(0, len(rows), steps, config.epochs)
    return twin.train(
        network, LOSSES.parse(config.loss), OPTIMIZERS.parse(config.optimizer), config,
        run.task.kind if run.task.kind != "multilabel" else "binary",  # each label separately
        X, Y, rows, float(config.learning_rate) * factors,
        row_weights=data.weights if data.weights.size else None,
        masks=list(dropout_masks(run)),
    )  # fmt: skip


def dropout_masks(run: Run) -> Iterator[reference_layers.Masks]:
    """The masks of each update."""
    config = run.config
    for epoch in range(1, config.epochs + 1):
        of_epoch = key(config.seed, Purpose.DROPOUT, epoch)
        place = 0
        for batch in batches(config, run.n_train, epoch):
            yield twin.masks_of(run.network, of_epoch, range(place, place + len(batch)))
            place += len(batch)


def model(
    kind: str = "multiclass",
    dtype: str = "float32",
    *,
    classes: Sequence[object] | None = None,
    hidden: str = "leaky_relu(slope=0.2)",
    n_outputs: int = 2,
    threshold: float = 0.5,
    target_scaling: Scaling | None = None,
) -> Predictor:
    """An untrained model with four features and six hidden units, all numbers drawn at random."""
    labels = {"binary": [3, 8], "multiclass": [1, 4, 9]}.get(kind)
    task_classes = np.array(classes or labels) if labels else None
    output = {"regression": "identity", "multiclass": "softmax"}.get(kind, "sigmoid")
    n_outputs = {"binary": 1, "multiclass": 3}.get(kind, n_outputs)
    sizes = (4, 6, n_outputs)
    network = Network.of_sizes(sizes, [ACTIVATIONS.parse(hidden), ACTIVATIONS.parse(output)], dtype)
    network.set_weights(*layers(sizes, seed=6, scale=1.0))
    rng = np.random.default_rng(1)
    scaling = Scaling("standard", rng.normal(size=4), rng.uniform(0.5, 2, 4))
    task = Task(kind, n_outputs, task_classes, threshold, target_scaling)
    return Predictor(network, scaling, task)
