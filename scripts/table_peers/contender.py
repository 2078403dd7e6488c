"""What a contender is, and the encoding by hand of those that do not encode tables themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from .tables import text_columns

OTHER = "(other)"


class Contender(ABC):
    """A model of a table, fitted with its defaults on one thread.

    Parameters
    ----------
    name : str
        A key of ``contenders.ENTRIES``.
    n_classes : int
        0 for regression.
    seed : int
    """

    def __init__(self, name: str, n_classes: int, seed: int):
        self.name, self.n_classes, self.seed = name, n_classes, seed

    @property
    def is_regression(self) -> bool:
        return self.n_classes == 0

    @abstractmethod
    def fit(self, X: Any, y: np.ndarray) -> None:
        """Train; the CPU time of this call is measured.

        Parameters
        ----------
        X : pandas.DataFrame
            Numbers and texts, with gaps.
        y : ndarray of shape (n,)
            Values, or indices of classes.
        """

    @abstractmethod
    def predict(self, X: Any) -> np.ndarray:
        """Return values, shape (n,), or probabilities of all classes, shape (n, n_classes)."""

    def of_all_classes(self, probabilities: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return probabilities of all classes from those of the classes in the training rows."""
        found = np.zeros((len(probabilities), self.n_classes), probabilities.dtype)
        found[:, np.asarray(classes, np.int64)] = probabilities
        return found


class Estimator(Contender):
    """An estimator with scikit-learn's methods; subclasses make it and prepare its rows."""

    @abstractmethod
    def make(self, X: Any) -> Any:
        """Return an estimator that has not been fitted."""

    def prepare(self, X: Any) -> Any:
        """Return rows as the estimator takes them; called with the training rows first."""
        return X

    def fit(self, X: Any, y: np.ndarray) -> None:
        X = self.prepare(X)
        self.model = self.make(X)
        self.model.fit(X, y)

    def predict(self, X: Any) -> np.ndarray:
        X = self.prepare(X)
        if self.is_regression:
            return np.asarray(self.model.predict(X)).reshape(len(X))
        return self.of_all_classes(self.model.predict_proba(X), self.model.classes_)


class Levels:
    """Texts as pandas categories, with the levels of the first frame.

    Parameters
    ----------
    most : int or None, default None
        Most frequent levels to keep; all others, and levels that the first frame lacks, become one
        of their own. None: all are kept, and those it lacks become gaps.
    """

    def __init__(self, most: int | None = None):
        self.most = most
        self._kept: dict[str, list[str]] | None = None

    def __call__(self, X: Any) -> Any:
        """Return a copy of a frame."""
        import pandas as pd

        names = text_columns(X)
        texts = {name: X[name].astype(object).where(X[name].notna()) for name in names}
        if self._kept is None:
            self._kept = {
                name: list(column.value_counts().index[: self.most])
                for name, column in texts.items()
            }
        changed = {}
        for name, column in texts.items():
            levels = self._kept[name]
            if self.most is not None:
                column = column.where(column.isin(levels) | column.isna(), OTHER)
                levels = [*levels, OTHER]
            changed[name] = pd.Categorical(column, categories=levels)
        return X.assign(**changed)


class Medians:
    """Numbers without gaps, which become the median of the first frame's column."""

    def __init__(self) -> None:
        self._medians: Any = None

    def __call__(self, X: Any) -> Any:
        """Return a copy of a frame."""
        if self._medians is None:
            self._medians = X.median(numeric_only=True)
        return X.fillna(self._medians)
