"""The rows of a run's tables: of an epoch, and of some updates."""

from __future__ import annotations

from typing import Any

from .divergence import DivergenceCheck
from .epoch_results import EpochResult
from .measures import MEASURES
from .run import Run
from .scoring import measured


class HistoryRows:
    """Measures what the history holds of each epoch.

    Parameters
    ----------
    run : Run
    divergence : DivergenceCheck
    """

    def __init__(self, run: Run, divergence: DivergenceCheck):
        self._run, self._divergence = run, divergence
        self._measures = [(name, MEASURES[name]) for name in run.measures]
        self._evaluates = run.prepared.validation is not None
        self._gaps = {} if self._evaluates else measured(run, "validation")

    def of_epoch(self, result: EpochResult) -> dict[str, Any]:
        """Return the row of the finished epoch with this result.

        Raises
        ------
        DivergenceError
        """
        run = self._run
        self._divergence.check_weights(result)
        validation = self._gaps
        if self._evaluates:
            validation = measured(run, "validation")
            self._divergence.check_loss(validation["validation_loss"] or 0.0, "validation")
        row = {
            "epoch": run.epoch,
            "learning_rate": result.learning_rate,
            "train_loss": result.loss,
            "train_accuracy": run.accuracy(result.hit_rate),
            "penalty": result.penalty,
            **validation,
        }
        for name, measure in self._measures:
            row[name] = measure(run, row)
        return row

    def of_updates(self, since: int) -> dict[str, Any]:
        """Return the row of the updates of this epoch since number ``since``."""
        run = self._run
        return {
            "iteration": run.steps.iterations,
            "epoch": run.epoch,
            "train_loss": run.steps.mean_loss(since),
            "train_accuracy": run.accuracy(run.steps.hit_rate(since)),
            **run.loss_and_accuracy("validation", run.prepared.validation),
        }
