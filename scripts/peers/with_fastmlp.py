"""fastmlp by its public API: ``step_seconds`` is that of a user's run."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import fastmlp

from .case import Case
from .contender import Contender, Reached

OPTIMIZERS = {"sgd": "sgd", "momentum": "sgd(momentum=0.9)", "adam": "adam", "adamw": "adamw"}


class Follow(fastmlp.Callback):
    """Stops the clock after each epoch, evaluates, and stops the run at the target.

    Parameters
    ----------
    contender : Fastmlp
    X_test, y_test : ndarray
    """

    def __init__(self, contender: Fastmlp, X_test: np.ndarray, y_test: np.ndarray):
        self.contender, self.X_test, self.y_test = contender, X_test, y_test
        self.seconds = self.accuracy = 0.0

    def on_train_begin(self, run: Any) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
        self.seconds += time.perf_counter() - self.started
        self.contender.predictor = run.predictor
        labels = self.contender.labels(self.X_test)
        self.accuracy = float((labels == self.y_test).mean())
        if self.accuracy >= self.contender.case.target:
            run.request_stop()
        self.started = time.perf_counter()


class Fastmlp(Contender):
    """fastmlp with images as bytes, or with the same float32 rows as all others."""

    takes_images = True
    predictor: fastmlp.Predictor

    def load(self, case: Case, X: np.ndarray, y: np.ndarray) -> None:
        self.case, self.X, self.y = case, X, y
        self._dataset: tuple[int, fastmlp.Dataset] | None = None

    def train(self, rows: int, epochs: int, seed: int) -> float:
        return self._fit(rows, epochs, seed)

    def reach(self, X_test: np.ndarray, y_test: np.ndarray, seed: int) -> Reached:
        follow = Follow(self, X_test, y_test)
        self._fit(self.case.whole_batches(len(self.X)), self.case.max_epochs, seed, follow)
        return Reached(follow.seconds, self.epochs, follow.accuracy)

    def labels(self, X: np.ndarray) -> np.ndarray:
        return self.predictor.predict(X, threads=self.threads)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        return self.predictor.predict_proba(X, threads=self.threads)

    def _fit(self, rows: int, epochs: int, seed: int, *callbacks: fastmlp.Callback) -> float:
        """Train; return the seconds of all updates, shuffling and gathering included."""
        config = fastmlp.TrainConfig(
            layers=tuple(map(str, self.case.hidden)),
            activation=self.case.activation,
            optimizer=OPTIMIZERS[self.case.optimizer],
            learning_rate=self.case.learning_rate,
            mode={0: "batch", 1: "stochastic"}.get(self.case.batch_size, "minibatch"),
            batch_size=self.case.batch_size or 1,
            epochs=epochs,
            scale=self.case.scale if self.case.from_images else "none",
            split="none",
            validation=0,
            seed=seed,
        )
        result = fastmlp.fit(config, self._rows(rows), threads=self.threads, callbacks=callbacks)
        self.predictor, self.epochs = result.predictor, result.epochs_run
        return float(result.timings["step_seconds"] or 0.0)

    def _rows(self, rows: int) -> fastmlp.Dataset:
        if self._dataset is None or self._dataset[0] != rows:
            X, y = self.X[:rows], self.y[:rows]
            self._dataset = (
                rows,
                fastmlp.Dataset(
                    X, y, feature_range=self.feature_range, image_shape=self.image_shape or None
                ),
            )
        return self._dataset[1]
