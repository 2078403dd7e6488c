"""scikit-learn's gradient boosting, its multilayer perceptron, and linear models."""

from __future__ import annotations

from typing import Any

from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .contender import Estimator, Levels
from .tables import text_columns

MOST_LEVELS = 250  # scikit-learn's gradient boosting takes at most 255
RARE = 10  # rows of a level without a feature of its own; 5 was worse for the MLP


class HistGradientBoosting(Estimator):
    """Gradient boosting of histograms, with texts as categories."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._levels = Levels(MOST_LEVELS)

    def prepare(self, X: Any) -> Any:
        return self._levels(X)

    def make(self, X: Any) -> Any:
        kinds = HistGradientBoostingClassifier, HistGradientBoostingRegressor
        return kinds[self.is_regression](categorical_features="from_dtype", random_state=self.seed)


class _Encoded(Estimator):
    """An estimator of numbers behind an encoding by hand."""

    def model_of_numbers(self) -> Any:
        raise NotImplementedError

    def make(self, X: Any) -> Any:
        texts = text_columns(X)
        numbers = [name for name in X.columns if name not in texts]
        encoding = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (
                OneHotEncoder(
                    handle_unknown="infrequent_if_exist", min_frequency=RARE, sparse_output=False
                ),
                texts,
            ),
        )
        model = make_pipeline(encoding, self.model_of_numbers())
        if self.is_regression:
            return TransformedTargetRegressor(model, transformer=StandardScaler())
        return model


class MLP(_Encoded):
    """scikit-learn's multilayer perceptron."""

    def model_of_numbers(self) -> Any:
        kind = MLPRegressor if self.is_regression else MLPClassifier
        return kind(random_state=self.seed)


class Linear(_Encoded):
    """Ridge and logistic regression."""

    def model_of_numbers(self) -> Any:
        return Ridge() if self.is_regression else LogisticRegression(max_iter=1000)
