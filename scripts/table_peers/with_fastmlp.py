"""fastmlp, with its defaults or a recipe, from the raw frame."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastmlp

from .contender import Contender
from .contenders import ENTRIES


class Fastmlp(Contender):
    """fastmlp, which encodes tables itself; dates in texts become numbers."""

    def fit(self, X: Any, y: np.ndarray) -> None:
        recipe = ENTRIES[self.name].recipe
        config = fastmlp.TrainConfig.from_recipe(recipe) if recipe else fastmlp.TrainConfig()
        task = "regression" if self.is_regression else "classification"
        result = fastmlp.fit(
            config.replace(seed=self.seed, split="none"), fastmlp.Dataset(X, y, task=task),
            threads=1,
        )  # fmt: skip
        self.predictor = result.predictor

    def predict(self, X: Any) -> np.ndarray:
        if self.is_regression:
            return np.asarray(self.predictor.predict(X, threads=1)).reshape(len(X))
        classes = self.predictor.classes
        assert classes is not None
        return self.of_all_classes(self.predictor.predict_proba(X, threads=1), classes)
