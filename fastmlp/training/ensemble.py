"""An ensemble: models of different seeds, trained side by side on the same prepared data."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import replace

from ..base.errors import DivergenceError, TrainingError
from ..ops.losses import LOSSES
from .ensemble_checkpoints import EnsembleCheckpoints
from .ensemble_result import combined, kept_models
from .events import Callback
from .loop import Loop
from .outcome import Outcome, outcome_of
from .result import TrainResult
from .run import Run
from .scoring import scores
from .side_by_side import side_by_side
from .turns import Turn, Turns

Callbacks = list[Callback | None]


class Ensemble:
    """Trains the models of an ensemble.

    Parameters
    ----------
    run : Run
        Of the first model. The runs of the others are created when they begin.
    checkpoints : EnsembleCheckpoints, optional
    """

    def __init__(self, run: Run, checkpoints: EnsembleCheckpoints | None = None):
        self.run, self.checkpoints = run, checkpoints
        self.n_models = run.config.n_models
        self._turns = Turns(run.threads, self.n_models)
        self._outcomes: dict[int, Outcome] = {}

    def outcome(self) -> Outcome:
        """Train all models; return the result, and the error that ended training, if any.

        A model that diverged is left out, with a warning; it is an error if all have diverged.
        """
        callbacks = [
            [
                None if callback is self.run.stopping else callback.of_model(number)
                for callback in self.run.callbacks
            ]
            for number in range(1, self.n_models + 1)
        ]
        started = time.perf_counter()
        is_interrupted = side_by_side(
            self._turns, lambda number, turn: self._train(number, turn, callbacks[number - 1])
        )
        seconds = time.perf_counter() - started
        outcomes = [self._outcomes[number] for number in sorted(self._outcomes)]
        models = [result for result, _ in outcomes]
        kept = kept_models(models)
        error = self._error_of(outcomes, kept)
        return self._evaluated(combined(models, kept, seconds, is_interrupted)), error

    def _train(self, number: int, turn: Turn, callbacks: Callbacks) -> None:
        run = self.run if number == 1 else self.run.of_model(number)
        run.join(turn, callbacks)
        loop = Loop(run, None if self.checkpoints is None else self.checkpoints.of_model(number))
        self._outcomes[number] = result, _ = outcome_of(loop)
        if result.status in ("interrupted", "failed"):
            self._turns.stop()

    def _error_of(
        self, outcomes: list[Outcome], kept: Sequence[TrainResult]
    ) -> TrainingError | None:
        """Return the error that ends training; warn of models that are left out."""
        diverged = [error for _, error in outcomes if isinstance(error, DivergenceError)]
        others = [error for _, error in outcomes if error is not None and error not in diverged]
        if others:
            return others[0]
        if diverged and all(model.status == "diverged" for model in kept):
            return DivergenceError(f"all models of the ensemble diverged; the first: {diverged[0]}")
        for number, (_, error) in enumerate(outcomes, start=1):
            if error in diverged:
                warnings.warn(
                    f"model {number} of {self.n_models} is left out of the ensemble: {error}",
                    stacklevel=4,  # the caller of fit
                )
        return None

    def _evaluated(self, result: TrainResult) -> TrainResult:
        """Add the metrics of the averaged prediction on each part.

        After an interruption nothing is evaluated, so that the process ends quickly.
        """
        if result.status == "interrupted":
            return result
        parts = self.run.prepared
        loss, predictor = LOSSES.parse(result.config.loss), result.predictor
        try:
            for name, data in (
                ("train", parts.train), ("validation", parts.validation), ("test", parts.test),
            ):  # fmt: skip
                if data is None:
                    continue
                started = time.perf_counter()
                data = data._replace(weights=data.weights[:0])
                found = predictor.evaluate_data(data, loss, self.run.threads)
                result.metrics[f"{name}_loss"] = found.loss
                result.metrics[f"{name}_accuracy"] = self.run.accuracy(found.hit_rate)
                if name != "train":
                    result.metrics.update(scores(self.run, name, found.outputs))
            if parts.test is not None:
                result.timings["predict_seconds"] = time.perf_counter() - started
        except KeyboardInterrupt:
            return replace(result, status="interrupted")
        return result
