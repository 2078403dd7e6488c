"""fastmlp trains multilayer perceptrons on CPUs, fast, from plain Python.

>>> import fastmlp
>>> result = fastmlp.fit(fastmlp.TrainConfig(epochs=5), fastmlp.load_dataset("digits"))
>>> result.metrics["test_accuracy"]  # doctest: +SKIP
0.95

Names are imported when they are first used, so that ``import fastmlp`` itself is quick.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .base.exporters import exporters
from .base.notebook import renderers

if TYPE_CHECKING:
    from .base.errors import (
        CallbackError,
        ConfigError,
        DataError,
        DivergenceError,
        FastMLPError,
        TrainingError,
    )
    from .commands.sweep_progress import SweepProgress
    from .data.dataset import Dataset
    from .data.load import load_dataset
    from .estimators.classifier import MLPClassifier
    from .estimators.regressor import MLPRegressor
    from .model.predictor import Predictor
    from .reports.run_folder import save_run
    from .sweeps.result import SweepResult
    from .sweeps.sweep import run_sweep
    from .training.callbacks import BestModel, Callback, CsvLog, EarlyStopping, LambdaCallback
    from .training.config import TrainConfig
    from .training.fit import fit
    from .training.progress import Progress
    from .training.result import TrainResult

_HOMES = {
    "BestModel": "training.callbacks",
    "Callback": "training.callbacks",
    "CallbackError": "base.errors",
    "CsvLog": "training.callbacks",
    "ConfigError": "base.errors",
    "DataError": "base.errors",
    "Dataset": "data.dataset",
    "DivergenceError": "base.errors",
    "EarlyStopping": "training.callbacks",
    "FastMLPError": "base.errors",
    "LambdaCallback": "training.callbacks",
    "MLPClassifier": "estimators.classifier",
    "MLPRegressor": "estimators.regressor",
    "Progress": "training.progress",
    "Predictor": "model.predictor",
    "SweepProgress": "commands.sweep_progress",
    "SweepResult": "sweeps.result",
    "TrainConfig": "training.config",
    "TrainResult": "training.result",
    "TrainingError": "base.errors",
    "fit": "training.fit",
    "load_dataset": "data.load",
    "run_sweep": "sweeps.sweep",
    "save_run": "reports.run_folder",
}

__all__ = [
    "BestModel",
    "Callback",
    "CallbackError",
    "ConfigError",
    "CsvLog",
    "DataError",
    "Dataset",
    "DivergenceError",
    "EarlyStopping",
    "FastMLPError",
    "LambdaCallback",
    "MLPClassifier",
    "MLPRegressor",
    "Predictor",
    "Progress",
    "SweepProgress",
    "SweepResult",
    "TrainConfig",
    "TrainResult",
    "TrainingError",
    "__version__",
    "fit",
    "load_dataset",
    "run_sweep",
    "save_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__


def _show_result(result: TrainResult) -> str:
    from .reports.run_page import result_fragment

    return result_fragment(result)


def _show_sweep(result: SweepResult) -> str:
    from .sweeps.reports.page import sweep_fragment

    return sweep_fragment(result.leaderboard, result.best_metrics)


def _show_dataset(dataset: Dataset) -> str:
    from .reports.notebook import dataset_fragment

    return dataset_fragment(dataset)


def _show_predictor(predictor: Predictor) -> str:
    from .reports.notebook import predictor_fragment

    return predictor_fragment(predictor)


def _show_config(config: TrainConfig) -> str:
    from .reports.notebook import config_fragment

    return config_fragment(config)


renderers["Dataset"] = _show_dataset
renderers["Predictor"] = _show_predictor
renderers["TrainConfig"] = _show_config


def _exporter(name: str) -> Callable[..., Any]:
    def export(predictor: Predictor, *arguments: Any) -> Any:
        from .exports import formats

        return getattr(formats, name)(predictor, *arguments)

    return export


for _name in ("to_onnx", "to_numpy", "to_c", "to_torch"):
    exporters[_name] = _exporter(_name)
renderers["TrainResult"] = _show_result
renderers["SweepResult"] = _show_sweep
