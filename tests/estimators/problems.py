"""Small data sets for the estimators, and a helper that fits two in step."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn.neural_network as theirs

import fastmlp

Arrays = tuple[np.ndarray, np.ndarray]


def classes(n: int = 60, k: int = 3, features: int = 4, seed: int = 0) -> Arrays:
    """Blobs that overlap; labels 0, 1, ..."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % k
    return rng.normal(size=(n, features)) + y[:, None] * rng.normal(size=features), y


def labels(n: int = 60, k: int = 3, seed: int = 0) -> Arrays:
    """A column of 0 and 1 for each of several labels."""
    X, _ = classes(n, seed=seed)
    return X, (X[:, :k] + 0.3 * X[:, [3]] > 0).astype(int)


def numbers(n: int = 60, outputs: int = 1, seed: int = 0) -> Arrays:
    """Sums of sines of four features."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, 4))
    Y = np.sin(X @ rng.normal(size=(4, outputs))) + 0.1 * rng.normal(size=(n, outputs))
    return X, Y[:, 0] if outputs == 1 else Y


def counts(n: int = 60, seed: int = 0) -> Arrays:
    """Counts whose logarithm of the mean is linear."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, 4))
    return X, rng.poisson(np.exp(0.5 * X[:, 0] + 1)).astype(float)


def both(name: str, **parameters: Any) -> tuple[Any, Any]:
    """scikit-learn's estimator and ours of that name, small and from one random state."""
    usual = {"hidden_layer_sizes": (7,), "max_iter": 12, "random_state": 3, "batch_size": 16}
    parameters = {**usual, **parameters}
    return getattr(theirs, name)(**parameters), getattr(fastmlp, name)(**parameters)


def fit_quietly(model: Any, *arguments: Any, method: str = "fit", **options: Any) -> Any:
    """Fit, and let it warn of few iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(model, method)(*arguments, **options)
