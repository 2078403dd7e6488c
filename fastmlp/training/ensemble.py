"""An ensemble: models of different seeds, trained side by side on the same prepared data."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..base.errors import DivergenceError, TrainingError
from ..base.interrupts import Interrupts
from ..ops.losses import LOSSES
from .ensemble_checkpoints import EnsembleCheckpoints
from .ensemble_result import combined, kept_models
from .events import Callback
from .loop import Loop
from .outcome import Outcome, outcome_of
from .result import TrainResult
from .run import Run
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
        self._failures: list[BaseException] = []

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
        is_interrupted = self._train_all(callbacks)
        seconds = time.perf_counter() - started
        if self._failures:
            raise self._failures[0]
        outcomes = [self._outcomes[number] for number in sorted(self._outcomes)]
        models = [result for result, _ in outcomes]
        kept = kept_models(models)
        error = self._error_of(outcomes, kept)
        return self._evaluated(combined(models, kept, seconds, is_interrupted)), error

    def _train_all(self, callbacks: Sequence[Callbacks]) -> bool:
        """Train the models, each on a thread; return whether it was interrupted."""
        numbers = iter(range(1, self.n_models + 1))
        threads = [
            threading.Thread(target=self._work, args=(numbers, callbacks), daemon=True)
            for _ in range(self._turns.most_begun)
        ]
        try:
            # The threads end soon after a signal; only a second one does not wait for them.
            with (
                Interrupts(self._turns.stop) as interrupts,
                interrupts.held(until_second=True),
            ):
                for thread in threads:
                    thread.start()
                for thread in threads:
                    while thread.is_alive():
                        thread.join(0.2)
        except KeyboardInterrupt:
            if any(thread.is_alive() for thread in threads):
                raise
            return True
        return False

    def _work(self, numbers: Iterator[int], callbacks: Sequence[Callbacks]) -> None:
        """Train one model after the other."""
        for number in numbers:
            try:
                turn = self._turns.begin(number)
                if turn is not None:
                    self._outcomes[number] = self._train(number, turn, callbacks[number - 1])
            except BaseException as failure:
                self._failures.append(failure)
                self._turns.stop()
            finally:
                self._turns.end(number)

    def _train(self, number: int, turn: Turn, callbacks: Callbacks) -> Outcome:
        run = self.run if number == 1 else self.run.of_model(number)
        run.join(turn, callbacks)
        loop = Loop(run, None if self.checkpoints is None else self.checkpoints.of_model(number))
        result, error = outcome_of(loop)
        if result.status in ("interrupted", "failed"):
            self._turns.stop()
        return result, error

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
            if parts.test is not None:
                result.timings["predict_seconds"] = time.perf_counter() - started
        except KeyboardInterrupt:
            return replace(result, status="interrupted")
        return result
