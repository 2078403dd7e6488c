"""RealMLP, a multilayer perceptron tuned on many tables (Holzmüller et al. 2024), by pytabkit."""

from __future__ import annotations

from typing import Any

from .contender import Estimator, Levels, Medians

CLASSES = {"realmlp-td-s": "RealMLP_TD_S", "realmlp-td": "RealMLP_TD"}


class RealMLP(Estimator):
    """RealMLP with its defaults: the best of 256 epochs by a fifth of the training rows."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._levels, self._medians = Levels(), Medians()

    def prepare(self, X: Any) -> Any:
        return self._medians(self._levels(X))

    def make(self, X: Any) -> Any:
        import torch
        from pytabkit.models.sklearn import sklearn_interfaces

        torch.set_num_threads(1)
        kind = "Regressor" if self.is_regression else "Classifier"
        estimator = getattr(sklearn_interfaces, f"{CLASSES[self.name]}_{kind}")
        return estimator(device="cpu", random_state=self.seed, n_threads=1)
