"""Gradient boosting by CatBoost and LightGBM."""

from __future__ import annotations

from typing import Any

from .contender import Estimator, Levels
from .tables import text_columns

GAP = "(missing)"


class CatBoost(Estimator):
    """CatBoost, which encodes categories itself."""

    def prepare(self, X: Any) -> Any:
        texts = text_columns(X)
        return X.assign(**{name: X[name].astype(object).fillna(GAP).astype(str) for name in texts})

    def make(self, X: Any) -> Any:
        from catboost import CatBoostClassifier, CatBoostRegressor

        kind = CatBoostRegressor if self.is_regression else CatBoostClassifier
        return kind(
            cat_features=text_columns(X), random_seed=self.seed, thread_count=1, verbose=0,
            allow_writing_files=False,
        )  # fmt: skip


class LightGBM(Estimator):
    """LightGBM, with texts as categories."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._levels = Levels()

    def prepare(self, X: Any) -> Any:
        X = self._levels(X)
        # Names of features must not contain characters of JSON.
        return X.set_axis([f"x{k}" for k in range(X.shape[1])], axis=1)

    def make(self, X: Any) -> Any:
        from lightgbm import LGBMClassifier, LGBMRegressor

        kind = LGBMRegressor if self.is_regression else LGBMClassifier
        return kind(random_state=self.seed, n_jobs=1, verbose=-1)
