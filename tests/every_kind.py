"""Runs of every kind, for tests of which kernels they need and of the bits that they give.

Imported by processes of their own: ``PYTHONPATH`` must hold this folder and the package's.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
from numba.core.dispatcher import Dispatcher

import fastmlp
from fastmlp import kernels
from fastmlp.kernels.machine.lookup import KernelCode
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.losses import legal_pairs
from fastmlp.ops.optimizers import OPTIMIZERS
from image_models import ALL_LAYERS, pictures
from toys import blobs, counts, lines, tags


def entries() -> Iterator[Any]:
    """Every kernel that Python or an address reaches."""
    for module in pkgutil.walk_packages(kernels.__path__, "fastmlp.kernels."):
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, Dispatcher) and isinstance(found._cache, KernelCode):
                yield found


def state() -> set[tuple[str, Any]]:
    """The names of kernels and the types for which they are in memory."""
    return {(entry.__name__, types) for entry in entries() for types in entry.overloads}


def compiled() -> set[str]:
    """The names of kernels that were compiled in this process."""
    return {entry.__name__ for entry in entries() if entry.stats.cache_misses}


class Runs:
    """Trains, and gathers the bits of weights and predictions."""

    def __init__(self, dtype: str = "float32"):
        self.dtype, self.digest = dtype, hashlib.sha256()

    def fit(self, data: fastmlp.Dataset, **settings: Any) -> None:
        usual = {"hidden_layer_sizes": (5,), "epochs": 1, "batch_size": 32, "dtype": self.dtype}
        config = fastmlp.TrainConfig(**{**usual, **settings})
        predictor = fastmlp.fit(config, data, threads=2).predictor
        self.add(predictor.network.params, predictor.predict(data.X))

    def add(self, *arrays: np.ndarray) -> None:
        for array in arrays:
            self.digest.update(np.ascontiguousarray(array).tobytes())

    def every_kind(self) -> str:
        """Train with everything that is registered; return a hash of the results."""
        fit = self.fit
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
        fit(
            blobs(),
            class_weight="balanced",
            label_smoothing=0.1,
            clip_norm=1.0,
            max_norm=1.0,
            l1=0.1,
        )
        fit(blobs(), sampling="replacement", accumulate=True)
        images = fastmlp.Dataset(
            np.arange(1200).astype(np.uint8).reshape(300, 4), np.arange(300) % 3, name="images"
        )
        for scale in ("minmax", "standard_global", "none"):
            fit(images, scale=scale)
        for mode in ("minibatch", "stochastic"):  # large enough for a team
            fit(blobs(), hidden_layer_sizes=(300, 300), mode=mode)
        all_layers = ALL_LAYERS.removesuffix(", dense(3, softmax)")
        forms = (
            "conv2d(8, 3, padding=same), conv2d(16, 3, padding=same), max_pool2d(2), "
            "conv2d(5, 2), max_pool2d(2), dense(4)"
        )
        others = ("avg_pool2d(2), dense(4)", "max_pool2d(2)", "global_avg_pool2d")
        for layers in (all_layers, forms, *others):
            for options in ({}, {"optimizer": "adam", "clip_norm": 1.0, "mode": "stochastic"}):
                fit(pictures(60), hidden_layer_sizes=(), layers=layers, **options)
        fit(blobs(), hidden_layer_sizes=(), layers="diagonal, periodic(2), dense(4)")
        self._zeros()
        self._estimators()
        return self.digest.hexdigest()

    def every_mode(self) -> str:
        """Train with every optimizer in every mode; return a hash of the results."""
        wide = fastmlp.Dataset(blobs(80).X, np.arange(80) % 40, name="wide")
        for mode in ("stochastic", "minibatch", "batch"):
            for name in (*OPTIMIZERS.names(), "sgd(momentum=0.9)", "rmsprop(momentum=0.5)"):
                usual = {"optimizer": name, "mode": mode, "learning_rate": 1e-3, "epochs": 2}
                self.fit(wide, **usual, hidden_layer_sizes=(40, 20), max_norm=0.5, clip_norm=1.0)
                self.fit(_bytes(), **usual, hidden_layer_sizes=(40, 20), scale="standard", l2=1e-3)
        return self.digest.hexdigest()

    def _zeros(self) -> None:
        """Rows with many zeros, of every type that they may have."""
        for X in (_bytes().X, _bytes().X.astype(np.float32), _bytes().X.astype(np.float64)):
            for rows in (X, scipy.sparse.csr_array(X)):
                for mode in ("minibatch", "stochastic"):
                    self.fit(fastmlp.Dataset(rows, _bytes().y, name="zeros"), mode=mode)
        self.fit(lines(), monitor="train_objective", l1=1e-4, l2=1e-3, learning_rate=1e-3)

    def _estimators(self) -> None:
        X, y = _bytes().X.astype(self.dtype) / 255, _bytes().y
        # L-BFGS computes in float64, whatever the type of X.
        for solver in ("adam", "sgd", *(["lbfgs"] if self.dtype == "float64" else [])):
            for model, targets in ((fastmlp.MLPClassifier, y), (fastmlp.MLPRegressor, X[:, :2])):
                for rows in (X, scipy.sparse.csr_array(X)):
                    fitted = model(
                        hidden_layer_sizes=(6,), solver=solver, max_iter=1, random_state=0, tol=10.0
                    )
                    fitted.fit(rows, targets)
                    self.add(*fitted.coefs_, fitted.predict(rows[:3]))


def _bytes() -> fastmlp.Dataset:
    """Images of which a fifth of the pixels is not zero."""
    rng = np.random.default_rng(0)
    pixels = (rng.random((200, 80)) < 0.2) * rng.integers(1, 256, (200, 80))
    labels = rng.integers(0, 3, 200)
    return fastmlp.Dataset(pixels.astype(np.uint8), labels, feature_range=(0, 255), name="pixels")
