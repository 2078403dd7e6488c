"""Print digests of convolutional runs, to compare CPUs: a process each."""

from __future__ import annotations

import hashlib

import numpy as np

import fastmlp

SHAPE = (7, 9, 2)
LAYERS = (
    "conv2d(18, 3, padding=same), max_pool2d(2, stride=1), dropout(0.2), "
    "conv2d(5, (2, 3), stride=2, activation=tanh), avg_pool2d((2, 1)), "
    "conv2d(3, 1), global_avg_pool2d(), dense(9)"
)


POOLED = (
    "conv2d(9, 3, padding=same), max_pool2d((2, 1)), conv2d(32, 3, padding=same), "
    "conv2d(16, 3, padding=same), max_pool2d(2), dropout(0.2), dense(9)"
)


def digest(threads: int, **changes: object) -> str:
    """Train a few updates, and return a hash of weights, losses and outputs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, int(np.prod(SHAPE)))).astype(np.float32)
    config = fastmlp.TrainConfig(
        input_shape=SHAPE, epochs=2, optimizer="adam", activation="relu",
        seed=1, validation=30, **{"batch_size": 50, "dtype": "float32", **changes},
    )  # fmt: skip
    data = fastmlp.Dataset(X, np.arange(150) % 3)
    result = fastmlp.fit(config, data, threads=threads)
    outputs = result.predictor.outputs(X, threads)
    found = hashlib.sha256(result.predictor.network.params.tobytes() + outputs.tobytes())
    found.update(repr(result.history.rows).encode())
    return found.hexdigest()


if __name__ == "__main__":
    for layers in (LAYERS, POOLED):
        for changes in ({}, {"dtype": "float64"}):
            print(*(digest(threads, layers=layers, **changes) for threads in (1, 2, 3)))
