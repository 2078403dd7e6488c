"""The one epoch loop."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from ..base.errors import DivergenceError, TrainingError
from ..ops.schedules import SCHEDULES
from .measures import MEASURES
from .run import Run
from .stopping import BestWeights, monitored

# The limit to the loss is so many times the loss before training, or times 1 if that was less: who
# goes on from a nearly exact fit may lose most of it at first, as Adam does, whose first updates do
# not shrink with the gradient.
_INITIAL_ROWS = 1024


class Loop:
    """Drives a run through its epochs.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    status : {"finished", "stopped early", "stopped", "interrupted", "diverged", "failed"}
        How training ended; "finished" until then.
    best : BestWeights
    epochs : range
        Numbers of the epochs to train.
    compile_seconds, train_seconds : float
    """

    def __init__(self, run: Run):
        self.run = run
        self.compile_seconds = 0.0
        self.train_seconds = 0.0
        self.status = "finished"
        config = run.config
        self.best = BestWeights(
            config.monitor, config.min_delta, run.network.params, config.improvement
        )
        self.schedule = SCHEDULES.parse(config.schedule)
        self.watcher = run.watcher = self.schedule.watcher(self.base_rate)
        self.loss_limit = math.inf
        self.epochs = range(1, config.epochs + 1)

    @property
    def base_rate(self) -> float:
        return float(self.run.config.learning_rate)

    def train(self) -> TrainingError | None:
        """Train to the end, whichever it is; return the error that ended it, if one did."""
        try:
            self.run.tell("on_setup")
            self.compile_seconds = self.run.compile()
            started = time.perf_counter()
            try:
                self._epochs()
            finally:
                self.train_seconds = time.perf_counter() - started
        except KeyboardInterrupt:
            self.status = "interrupted"
        except TrainingError as error:
            self.status = "diverged" if isinstance(error, DivergenceError) else "failed"
            return error
        return None

    def _epochs(self) -> None:
        run, config = self.run, self.run.config
        if config.loss_limit:
            initial = run.evaluate(run.prepared.train, rows=_INITIAL_ROWS)
            if initial is not None:
                self.loss_limit = config.loss_limit * max(1.0, initial.loss)
        run.tell("on_train_begin")
        for run.epoch in self.epochs:
            rates = self._rates()
            run.steps.start_epoch(run.epoch, rates)
            self._steps()
            row = self._record(rates[0])
            self.best.observe(row, run.network.params)
            self.watcher.observe(monitored(row, config.monitor))
            run.tell("on_epoch_end", row)
            if run.stop_status:
                self.status = run.stop_status
                return

    def _rates(self) -> np.ndarray:
        """Return the learning rate of each update of this epoch."""
        run = self.run
        steps = run.steps.steps_per_epoch
        first = (run.epoch - 1) * steps
        factors = self.schedule.factors(first, first + steps, steps, run.config.epochs, run.n_train)
        return self.base_rate * self.watcher.factor * factors

    def _steps(self) -> None:
        """Do the updates of one epoch, in slices, and record losses on the way."""
        run, every = self.run, self.run.config.log_every
        recorded = 0  # update of this epoch up to which losses have been recorded
        while not run.steps.epoch_is_done:
            done = run.steps.iterations
            to_record = run.steps.steps_done + every - done % every if every else None
            limit = run.steps.steps_per_epoch
            run.steps.advance(limit if to_record is None else min(limit, to_record))
            self._check_loss(run.steps.worst_step_loss(), "training")
            run.tell("on_progress")
            if every and run.steps.iterations > done and run.steps.iterations % every == 0:
                self._record_iteration(recorded)
                recorded = run.steps.steps_done

    def _check_loss(self, loss: float, part: str) -> None:
        if not math.isfinite(loss):
            raise self._divergence(f"the {part} loss became {loss}")
        if loss > self.loss_limit:
            raise self._divergence(f"the {part} loss rose to {loss:.3g}")

    def _divergence(self, what: str) -> DivergenceError:
        epoch = self.best.epoch
        kept = "the initial weights" if epoch is None else f"the weights of epoch {epoch}"
        targets = " and the targets (target_scale)" if not self.run.task.has_accuracy else ""
        return DivergenceError(
            f"training diverged in epoch {self.run.epoch}: {what}; lower learning_rate (now "
            f"{self.run.steps.report.rates[0]:g}), or scale the features{targets}; kept {kept}"
        )

    def _record(self, rate: float) -> dict[str, Any]:
        run = self.run
        if not np.isfinite(run.network.params).all():
            raise self._divergence("a weight is no longer finite")
        validation = run.loss_and_accuracy("validation", run.prepared.validation)
        self._check_loss(validation["validation_loss"] or 0.0, "validation")
        row = {
            "epoch": run.epoch,
            "learning_rate": float(rate),
            "train_loss": run.steps.mean_loss(),
            "train_accuracy": run.accuracy(run.steps.hit_rate()),
            "penalty": run.penalty(),
            **validation,
        }
        measured = {name: MEASURES[name](run, row) for name in run.measures}
        return run.history.append(**row, **measured)

    def _record_iteration(self, since: int) -> None:
        run = self.run
        run.iterations.append(
            iteration=run.steps.iterations,
            epoch=run.epoch,
            train_loss=run.steps.mean_loss(since),
            train_accuracy=run.accuracy(run.steps.hit_rate(since)),
            **run.loss_and_accuracy("validation", run.prepared.validation),
        )
