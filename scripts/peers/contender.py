"""What a contender has to offer, and what all but fastmlp share: one epoch after another."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.ops.layers import Shape

from . import nets
from .case import Case

DECAY = 0.01  # AdamW's, of weights


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
    """A way to train a network, confined to a number of threads.

    Parameters
    ----------
    threads : int
    memory_format : str, default ""
        Order of the dimensions of images, one of the contender's in ``contenders.py``.

    Attributes
    ----------
    takes_images : bool
        Whether it gets rows as they are read where a case says so, and scales them itself.
    feature_range : (float, float)
        Of the rows before they are scaled.
    image_shape : tuple of int
        Height, width and channels of images; empty if rows are none.
    """

    takes_images = False
    feature_range: tuple[float, float]
    image_shape: Shape = ()

    def __init__(self, threads: int, memory_format: str = ""):
        self.threads, self.memory_format = threads, memory_format

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


def outputs_for(classes: int) -> int:
    """Return the number of outputs: two classes have one, a sigmoid."""
    return 1 if classes == 2 else classes


def weight_scale(activation: str, n_in: int, n_out: int) -> float:
    """Return the deviation of first weights: He's for ReLU and its kind, Glorot's for tanh."""
    return math.sqrt(2 / (n_in + n_out) if activation == "tanh" else 2 / n_in)


def of_classes(outputs: np.ndarray) -> np.ndarray:
    """Return the probability of each class, from one a class or from the second class's alone."""
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def classes_of(scores: Any) -> Any:
    """Return the class with the largest score, or the second where its only score is positive."""
    return scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(1)


class Stepwise(Contender):
    """A contender that trains an epoch at a call.

    Attributes
    ----------
    channels_first : bool
        Whether images are stored with a plane for each channel, instead of channels last.
    """

    channels_first = False

    case: Case
    X: np.ndarray
    y: np.ndarray
    n_classes: int

    def load(self, case: Case, X: np.ndarray, y: np.ndarray) -> None:
        self.case = case
        self.X, self.y = self.ordered(X), y
        self.n_classes = int(y.max()) + 1
        inputs = self.image_shape if case.takes_images else (X.shape[1],)
        self.stages = nets.stages(case, inputs, outputs_for(self.n_classes))
        self.convert()

    def ordered(self, X: np.ndarray) -> np.ndarray:
        """Return rows in the order of the memory format; grey images are not copied."""
        if not (self.case.takes_images and self.channels_first):
            return X
        return X.reshape(-1, *self.image_shape).transpose(0, 3, 1, 2).reshape(len(X), -1)

    def convert(self) -> None:
        """Convert ``self.X`` and ``self.y`` to arrays of the library, and prepare training."""

    @abstractmethod
    def start(self, rows: int, seed: int) -> None:
        """Draw new weights and allocate buffers for training on the first rows."""

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
