"""The one epoch loop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import DivergenceError, TrainingError
from ..base.interrupts import Interrupts
from ..ops.activations import ACTIVATIONS
from ..ops.schedules import SCHEDULES
from .callbacks import Callback
from .measures import MEASURES
from .run import Run
from .stopping import BestWeights, monitored

if TYPE_CHECKING:
    from .checkpoints import Checkpoints

# The loss limit is a multiple of the loss before training, or of 1 if that is larger: resuming from
# a near-perfect fit can raise the loss sharply at first, for example with Adam, whose first updates
# do not shrink with the gradient. All validation rows are included: scaling is not fitted on them,
# so a single outlier can make their loss a million.
_INITIAL_ROWS = 1024


class Loop:
    """Drives a run through its epochs.

    Parameters
    ----------
    run : Run
    checkpoints : Checkpoints, optional
        Where to write the loop from time to time, and to go on from.

    Attributes
    ----------
    status : {"finished", "stopped early", "stopped", "interrupted", "diverged", "failed"}
        How training ended; "finished" until then.
    best : BestWeights
    epochs : range
        Numbers of the epochs to train.
    compile_seconds, train_seconds : float
    loss_limit : float
        A loss beyond it counts as diverged.
    recorded_steps : int
        The update of this epoch up to which losses have been recorded.
    seconds_before : float
        What ``train_seconds`` was when the loop was saved from which this one goes on.
    callback_states : list of (Callback, dict)
        What such callbacks have to know.

    Raises
    ------
    DataError
        If there are checkpoints to go on from, and none is whole.
    ConfigError
        If they were written with other callbacks.
    """

    def __init__(self, run: Run, checkpoints: Checkpoints | None = None):
        self.run, self.checkpoints = run, checkpoints
        self.compile_seconds = 0.0
        self.train_seconds = 0.0
        self.status = "finished"
        config = run.config
        self.best = BestWeights(
            config.monitor, config.min_delta, run.network.params, config.improvement
        )
        self.schedule = SCHEDULES.parse(config.schedule)
        self.rate_controller = run.rate_controller = self.schedule.controller(self.base_rate)
        self.loss_limit = math.inf
        self.epochs = range(1, config.epochs + 1)
        self.recorded_steps = 0
        self.seconds_before, self._started = 0.0, 0.0
        self.callback_states: list[tuple[Callback, dict[str, Any]]] = []
        self._interrupts = Interrupts()
        self._is_taken_up = False  # whether it goes on from within or after an epoch
        self._is_whole = False  # whether a loop that is saved now can go on to the same bits
        if checkpoints is not None:
            checkpoints.resume(self)

    @property
    def base_rate(self) -> float:
        return float(self.run.config.learning_rate)

    def train(self) -> TrainingError | None:
        """Train to the end, whichever it is; return the error that ended it, if one did."""
        try:
            self.run.tell("on_setup")
            self.compile_seconds = self.run.compile()
            self._started = time.perf_counter()
            with self._interrupts:
                try:
                    self._epochs()
                except KeyboardInterrupt:
                    self._save_at_once()
                    raise
                finally:
                    self.train_seconds = self.seconds_so_far()
        except KeyboardInterrupt:
            self.status = "interrupted"
        except TrainingError as error:
            self.status = "diverged" if isinstance(error, DivergenceError) else "failed"
            return error
        return None

    def _save_at_once(self) -> None:
        if self.checkpoints is not None and self._is_whole:
            with self._interrupts.held():
                self.checkpoints.save(self)

    def seconds_so_far(self) -> float:
        """Return the wall time since training began, in earlier processes of the run, too."""
        return self.seconds_before + time.perf_counter() - self._started

    def take_up(
        self, epoch: int, block: int, state: Mapping[str, np.ndarray], is_recorded: bool
    ) -> None:
        """Go on from ``block`` blocks into an epoch, or from its end if it ``is_recorded``."""
        self.run.epoch = epoch
        self.run.steps.resume_epoch(epoch, self._rates(), block, state)
        self.epochs = range(epoch + is_recorded, self.epochs.stop)
        self._is_taken_up = True

    def _epochs(self) -> None:
        run = self.run
        if self.run.config.loss_limit and not self._is_taken_up:
            initial = run.evaluate(run.prepared.train, rows=_INITIAL_ROWS)
            validation = run.evaluate(run.prepared.validation)
            losses = [found.loss for found in (initial, validation) if found is not None]
            self.loss_limit = run.config.loss_limit * max(1.0, *losses)
        run.tell("on_train_begin")
        for callback, state in self.callback_states:
            callback.load_state_dict(state)
        for epoch in self.epochs if not run.stop_status else ():
            self._start(epoch)
            self._steps()
            self._end()
            if run.stop_status:
                break
        self.status = run.stop_status or self.status

    def _start(self, epoch: int) -> None:
        """Begin an epoch, unless it is the one under way since another process."""
        if self._is_taken_up and epoch == self.run.epoch:
            self._is_whole = True
            return
        with self._changing():
            self.run.epoch = epoch
            self.run.steps.start_epoch(epoch, self._rates())
            self.recorded_steps = 0
        if epoch == 1 and self.checkpoints is not None:
            self.checkpoints.save(self)  # so that there always is one to go on from

    def _end(self) -> None:
        """Record an epoch, and tell everybody."""
        run = self.run
        measured = self._measure()
        with self._changing(until_second=True):  # callbacks may take their time
            row = run.history.append(**measured)
            self.best.observe(row, run.network.params)
            self.rate_controller.observe(monitored(row, run.config.monitor))
            run.tell_epoch(row)
        if self.checkpoints is not None:
            self.checkpoints.save_if_due(self, epoch_has_ended=True)

    @contextmanager
    def _changing(self, until_second: bool = False) -> Iterator[None]:
        """Let Ctrl-C wait for the end of the block, so that the loop is whole when it is saved."""
        if self.checkpoints is None:
            yield
            return
        with self._interrupts.held(until_second):
            self._is_whole = False
            yield
            self._is_whole = True

    def _rates(self) -> np.ndarray:
        """Return the learning rate of each update of this epoch."""
        run = self.run
        steps = run.steps.steps_per_epoch
        first = (run.epoch - 1) * steps
        factors = self.schedule.factors(first, first + steps, steps, run.config.epochs, run.n_train)
        return self.base_rate * self.rate_controller.factor * factors

    def _steps(self) -> None:
        """Do the updates of one epoch, in slices, and record losses on the way."""
        run, steps, every = self.run, self.run.steps, self.run.config.log_every
        while True:
            is_due = every and steps.iterations % every == 0
            if is_due and steps.steps_done > self.recorded_steps:
                self._record_iteration()
            if self.checkpoints is not None:
                self.checkpoints.save_if_due(self, epoch_has_ended=False)
            if steps.epoch_is_done:
                return
            to_record = every - steps.iterations % every if every else steps.steps_per_epoch
            with self._changing():
                steps.advance(min(steps.steps_per_epoch, steps.steps_done + to_record))
                self._check_loss(steps.worst_step_loss(), "training")
            run.tell("on_progress")

    def _check_loss(self, loss: float, part: str) -> None:
        if not math.isfinite(loss):
            raise self._divergence(f"the {part} loss became {loss}")
        if loss > self.loss_limit:
            raise self._divergence(f"the {part} loss rose to {loss:.3g}")

    def _divergence(self, what: str) -> DivergenceError:
        epoch = self.best.epoch
        kept = "the initial weights" if epoch is None else f"the weights of epoch {epoch}"
        targets = ""
        if not self.run.task.has_accuracy:
            targets = " and the targets (target_scale)"
            output = ACTIVATIONS.parse(self.run.config.output_activation)
            if not output.reaches_all_numbers:  # which target_scale needs
                targets = ", or divide the targets by a constant"
        return DivergenceError(
            f"training diverged in epoch {self.run.epoch}: {what}; lower learning_rate (now "
            f"{self.run.steps.report.rates[0]:g}), or scale the features{targets}; kept {kept}"
        )

    def _measure(self) -> dict[str, Any]:
        """Return the history's row of the epoch just gone through."""
        run = self.run
        if not np.isfinite(run.network.params).all():
            raise self._divergence("a weight is no longer finite")
        validation = run.loss_and_accuracy("validation", run.prepared.validation)
        self._check_loss(validation["validation_loss"] or 0.0, "validation")
        row = {
            "epoch": run.epoch,
            "learning_rate": float(run.steps.report.rates[0]),
            "train_loss": run.steps.mean_loss(),
            "train_accuracy": run.accuracy(run.steps.hit_rate()),
            "penalty": run.penalty(),
            **validation,
        }
        return {**row, **{name: MEASURES[name](run, row) for name in run.measures}}

    def _record_iteration(self) -> None:
        run, since = self.run, self.recorded_steps
        evaluated = run.loss_and_accuracy("validation", run.prepared.validation)
        with self._changing():
            run.iterations.append(
                iteration=run.steps.iterations,
                epoch=run.epoch,
                train_loss=run.steps.mean_loss(since),
                train_accuracy=run.accuracy(run.steps.hit_rate(since)),
                **evaluated,
            )
            self.recorded_steps = run.steps.steps_done
