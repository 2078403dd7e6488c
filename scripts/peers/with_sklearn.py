"""scikit-learn's MLPClassifier, one ``partial_fit`` an epoch, without penalty or early stopping."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from .contender import Stepwise
from .nets import units


class ScikitLearn(Stepwise):
    """scikit-learn's multilayer perceptron."""

    def start(self, rows: int, seed: int) -> None:
        case = self.case
        self.model = MLPClassifier(
            units(self.stages)[1:-1],
            activation=case.activation,
            solver="adam" if case.optimizer == "adam" else "sgd",
            momentum=0.9 if case.optimizer == "momentum" else 0.0,
            nesterovs_momentum=False,
            learning_rate_init=case.learning_rate,
            alpha=0.0,
            batch_size=case.batch_of(rows),
            # An order means nothing to an update on all rows, and gathering them takes time.
            shuffle=case.batch_size != 0,
            random_state=seed,
        )
        self.classes: np.ndarray | None = np.arange(self.n_classes)

    def epoch(self, rows: int) -> None:
        self.model.partial_fit(self.X[:rows], self.y[:rows], classes=self.classes)
        self.classes = None

    def labels(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(X))

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict_proba(X))
