"""fastmlp trains multilayer perceptrons on CPUs, fast, from plain Python.

>>> import fastmlp
>>> result = fastmlp.fit(fastmlp.TrainConfig(epochs=5), fastmlp.load_dataset("digits"))
>>> result.metrics["test_accuracy"]  # doctest: +SKIP
0.95

Names are imported when they are first used, so that ``import fastmlp`` itself is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .base.errors import ConfigError, DataError, DivergenceError, FastMLPError
    from .data.dataset import Dataset
    from .data.load import load_dataset
    from .model.predictor import Predictor
    from .training.callbacks import Callback
    from .training.config import TrainConfig
    from .training.fit import fit
    from .training.result import TrainResult

_HOMES = {
    "Callback": "training.callbacks",
    "ConfigError": "base.errors",
    "DataError": "base.errors",
    "Dataset": "data.dataset",
    "DivergenceError": "base.errors",
    "FastMLPError": "base.errors",
    "Predictor": "model.predictor",
    "TrainConfig": "training.config",
    "TrainResult": "training.result",
    "fit": "training.fit",
    "load_dataset": "data.load",
}

__all__ = [
    "Callback",
    "ConfigError",
    "DataError",
    "Dataset",
    "DivergenceError",
    "FastMLPError",
    "Predictor",
    "TrainConfig",
    "TrainResult",
    "__version__",
    "fit",
    "load_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
