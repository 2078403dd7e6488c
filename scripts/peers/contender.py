"""What a contender has to offer, and what all but fastmlp share: one epoch after another."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from .cases import Case


@dataclass(frozen=True)
class Reached:
    """How a run to a target ended.

    Attributes
    ----------
    seconds : float
        Spent in training, evaluations left out.
    epochs : int
    accuracy : float
        On the test part, after the last epoch.
    """

    seconds: float
    epochs: int
    accuracy: float


class Contender(ABC):
    """A way to train a multilayer perceptron, confined to a number of threads.

    Parameters
    ----------
    threads : int

    Attributes
    ----------
    takes_images : bool
        Whether it gets rows as they are read where a case says so, and scales them itself.
    feature_range : (float, float)
        Of the rows before they are scaled.
    """

    takes_images = False
    feature_range: tuple[float, float]

    def __init__(self, threads: int):
        self.threads = threads

    @abstractmethod
    def load(self, case: Case, X: np.ndarray, y: np.ndarray) -> None:
        """Take a case and its training rows, float32 (or images) and int64 labels."""

    @abstractmethod
    def train(self, rows: int, epochs: int, seed: int) -> float:
        """Train from new weights on the first rows, all of each epoch timed; return the seconds.

        The time holds shuffling, gathering and stepping; compiling, loading and drawing weights
        are left out.
        """

    @abstractmethod
    def reach(self, X_test: np.ndarray, y_test: np.ndarray, seed: int) -> Reached:
        """Train from new weights until the case's target or its ``max_epochs`` is reached."""

    @abstractmethod
    def labels(self, X: np.ndarray) -> np.ndarray:
        """Return the predicted class of each row, shape (n,), as a NumPy array."""

    @abstractmethod
    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, shape (n, n_classes)."""


class Stepwise(Contender):
    """A contender that trains an epoch at a call."""

    case: Case
    X: np.ndarray
    y: np.ndarray
    n_classes: int

    def load(self, case: Case, X: np.ndarray, y: np.ndarray) -> None:
        self.case, self.X, self.y = case, X, y
        self.n_classes = int(y.max()) + 1
        self.place()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, inputs first."""
        return (self.X.shape[1], *self.case.hidden, self.n_classes)

    def place(self) -> None:
        """Put ``self.X`` and ``self.y`` where training wants them."""

    @abstractmethod
    def start(self, rows: int, seed: int) -> None:
        """Draw new weights and make room for training on the first rows."""

    @abstractmethod
    def epoch(self, rows: int) -> None:
        """Go once through the first rows, in a new order; return when it is done."""

    def train(self, rows: int, epochs: int, seed: int) -> float:
        self.start(rows, seed)
        started = time.perf_counter()
        for _ in range(epochs):
            self.epoch(rows)
        return time.perf_counter() - started

    def reach(self, X_test: np.ndarray, y_test: np.ndarray, seed: int) -> Reached:
        rows = self.case.whole_batches(len(self.X))
        self.start(rows, seed)
        seconds, accuracy, epochs = 0.0, 0.0, 0
        while accuracy < self.case.target and epochs < self.case.max_epochs:
            started = time.perf_counter()
            self.epoch(rows)
            seconds += time.perf_counter() - started
            accuracy = float((self.labels(X_test) == y_test).mean())
            epochs += 1
        return Reached(seconds, epochs, accuracy)
