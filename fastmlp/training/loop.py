"""The epoch loop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from ..base.errors import ConfigError, DivergenceError, TrainingError
from ..base.interrupts import Interrupts
from ..model.tensor_file import AtMost, Expected, Header, Tensors
from .checkpoint import LoopState, check_integer, checked_number, checked_text
from .checkpoints import Checkpoints
from .divergence import DivergenceCheck
from .epoch_results import EpochResult
from .events import Callback
from .history_rows import HistoryRows
from .rates import Rates
from .run import Run
from .run_parts import best_weights

_NO_CONTEXT = nullcontext()


class Loop:
    """Drives a run through its epochs.

    Parameters
    ----------
    run : Run
    checkpoints : Checkpoints, optional
        To write, and to resume from if they contain any.

    Attributes
    ----------
    status : {"finished", "stopped early", "stopped", "interrupted", "diverged", "failed"}
        How training ended; "finished" until then.
    failure : TrainingError or None
    best : BestWeights
    epochs : range
        Numbers of the epochs to train.
    compile_seconds, train_seconds : float
    divergence : DivergenceCheck
    recorded_steps : int
        The update of this epoch up to which losses have been recorded.
    seconds_before : float
        ``train_seconds`` of earlier processes of the run.

    Raises
    ------
    DataError
        If there are checkpoints and all are damaged.
    ConfigError
        If they were written with other callbacks.
    """

    def __init__(self, run: Run, checkpoints: Checkpoints | None = None):
        self.run, self.checkpoints = run, checkpoints
        self.compile_seconds = 0.0
        self.train_seconds = 0.0
        self.status = "finished"
        self.failure: TrainingError | None = None
        config = run.config
        self.best = best_weights(config, run.network.params)
        self.rates = Rates(config, run.steps.steps_per_epoch, run.n_train)
        self.rate_controller = run.rate_controller = self.rates.controller
        self.divergence = DivergenceCheck(run, self.best)
        self._rows = HistoryRows(run, self.divergence)
        self.epochs = range(1, config.epochs + 1)
        self.recorded_steps = 0
        self.seconds_before, self._started = 0.0, 0.0
        self._callback_states: list[tuple[Callback, dict[str, Any]]] = []
        self._interrupts = Interrupts()
        self._is_resumed = False  # within or after an epoch
        self._is_consistent = False  # whether a state taken now can be resumed with the same bits
        self._takes_epochs = False  # that were trained ahead, without anything within them
        if checkpoints is not None:
            saved = checkpoints.load_newest(self._expected_tensors, self._restore)
            self._match_callbacks(saved)

    def train(self) -> None:
        """Train to the end, also if an error ends it, which is then in ``failure``."""
        try:
            self.run.tell("on_setup")
            self.compile_seconds = self.run.compile()
            self.run.turn.after_compiling()
            self._started = time.perf_counter()
            with self._interrupts:
                try:
                    self._epochs()
                except KeyboardInterrupt:
                    if self.checkpoints is not None and self._is_consistent:
                        with self._interrupts.held():
                            self.save()
                    raise
                finally:
                    self.run.steps.settle()
                    self.train_seconds = self.seconds_so_far()
        except KeyboardInterrupt:
            self.status = "interrupted"
        except TrainingError as error:
            self.status = "diverged" if isinstance(error, DivergenceError) else "failed"
            self.failure = error

    def seconds_so_far(self) -> float:
        """Return the wall time of training, including earlier processes of the run."""
        return self.seconds_before + time.perf_counter() - self._started

    # --- epochs ---

    def _epochs(self) -> None:
        run = self.run
        if not self._is_resumed:
            self.divergence.measure_limit()
        run.tell("on_train_begin")
        for callback, state in self._callback_states:
            callback.load_state_dict(state)
        if not run.config.log_every:
            run.steps.rates_of, run.steps.last_epoch = self.rates.of, self.epochs.stop - 1
        self._takes_epochs = self.checkpoints is None and not run.reads_weights_in("on_progress")
        for epoch in self.epochs if not run.stop_status else ():
            result = self._take(epoch)
            if result is None:
                self._start(epoch)
                self._steps()
                result = run.steps.result()
            self._end(result)
            if run.stop_status:
                break
            run.turn.after_epoch(epoch)
        if self.checkpoints is not None and run.config.n_models > 1:
            self.save()  # so that a resumed ensemble does not train this model again
        self.status = run.stop_status or self.status

    def _take(self, epoch: int) -> EpochResult | None:
        """Do an epoch that the last slice has trained ahead; return None if it must be started."""
        if not self._takes_epochs or self.rates.have_changed():
            return None
        result = self.run.steps.take(epoch)
        if result is not None:
            self.run.epoch = epoch
            self.divergence.check_loss(result.worst_loss, "training")
        return result

    def _start(self, epoch: int) -> None:
        """Start an epoch, unless it was started by an earlier process."""
        if self._is_resumed and epoch == self.run.epoch:
            self._is_consistent = True
            return
        with self._changing():
            self.best.settle()  # before epochs trained ahead are dropped
            self.run.epoch = epoch
            self.run.steps.start_epoch(epoch, self.rates.of(epoch))
            self.recorded_steps = 0
        if epoch == 1 and self.checkpoints is not None:
            self.save()  # so that there always is one to resume from

    def _end(self, result: EpochResult) -> None:
        """Record an epoch, and call the callbacks."""
        run = self.run
        values = self._rows.of_epoch(result)
        with self._changing(until_second=True):  # callbacks may take long
            row = run.history.append(**values)
            if run.monitor.column in row:
                self._observe(row)
                run.tell_epoch(row)
            else:  # a callback may add it
                run.tell_epoch(row)
                self._observe(row)
        self._save_if_due(run.epoch)

    def _observe(self, row: dict[str, Any]) -> None:
        run, value = self.run, self.run.monitor.value(row)
        self.best.observe(run.epoch, value, run.network.params, run.steps.later_params())
        self.rate_controller.observe(value)

    def _changing(self, until_second: bool = False) -> AbstractContextManager[None]:
        """Defer Ctrl-C to the end of the block, so that saved states are consistent."""
        return _NO_CONTEXT if self.checkpoints is None else self._deferring(until_second)

    @contextmanager
    def _deferring(self, until_second: bool) -> Iterator[None]:
        with self._interrupts.held(until_second):
            self._is_consistent = False
            yield
            self._is_consistent = True

    def _steps(self) -> None:
        """Do the updates of an epoch in slices, and record losses every ``log_every`` updates."""
        run, steps, every = self.run, self.run.steps, self.run.config.log_every
        while True:
            is_due = every and steps.iterations % every == 0
            if is_due and steps.steps_done > self.recorded_steps:
                self._record_iteration()
            self._save_if_due(None)
            if steps.epoch_is_done:
                return
            to_record = every - steps.iterations % every if every else steps.steps_per_epoch
            with self._changing():
                steps.advance(min(steps.steps_per_epoch, steps.steps_done + to_record))
                self.divergence.check_loss(steps.worst_step_loss(), "training")
            run.tell("on_progress")
            run.turn.after_slice()

    def _record_iteration(self) -> None:
        values = self._rows.of_updates(self.recorded_steps)
        with self._changing():
            self.run.iterations.append(**values)
            self.recorded_steps = self.run.steps.steps_done

    # --- checkpoints ---

    def _save_if_due(self, finished_epoch: int | None) -> None:
        if self.checkpoints is not None and self.checkpoints.is_due(finished_epoch):
            self.save()

    def save(self) -> None:
        """Write a checkpoint."""
        assert self.checkpoints is not None
        self.checkpoints.save(self._state(), self.run.steps.iterations)

    def _state(self) -> LoopState:
        run = self.run
        entries = {
            "epoch": run.epoch,
            "block": run.steps.blocks_done,
            "recorded_steps": self.recorded_steps,
            "stop_status": run.stop_status,
            "loss_limit": self.divergence.limit,
            "best": self.best.state_dict(),
            "rate_controller": self.rate_controller.state_dict(),
            "callbacks": [[type(c).__name__, c.state_dict()] for c in self._stateful()],
            "seconds": {"train": self.seconds_so_far(), **run.steps.seconds.state()},
        }
        return LoopState(entries, self._tensors(run.steps.blocks_done))

    def _tensors(self, block: int) -> dict[str, np.ndarray]:
        """Return views of the state, ``block`` blocks into an epoch, and the tables as bytes."""
        return {
            **self.run.steps.state(block),
            "best_params": self.best.params,
            "history": self.run.history.to_json(),
            "iterations": self.run.iterations.to_json(),
        }

    def _expected_tensors(self, header: Header) -> Expected:
        run, every = self.run, self.run.config.log_every
        check_integer(header, "epoch", 1, run.config.epochs)
        check_integer(header, "block", 0, run.steps.blocks_per_epoch)
        epoch = header["epoch"]
        recorded = epoch * run.steps.steps_per_epoch // every if every else 0
        lengths = {
            "history": run.history.most_bytes(epoch),
            "iterations": run.iterations.most_bytes(recorded),
        }
        return {
            name: (array.dtype, [(AtMost(lengths[name]),) if name in lengths else array.shape])
            for name, array in self._tensors(header["block"]).items()
        }

    def _restore(self, header: Header, tensors: Tensors) -> list[tuple[str, dict[str, Any]]]:
        """Restore a state; return the names and states of its callbacks."""
        run, epoch = self.run, header["epoch"]
        check_integer(header, "recorded_steps", 0, run.steps.steps_per_epoch)
        run.history.load_json(tensors["history"])
        run.iterations.load_json(tensors["iterations"])
        is_recorded = len(run.history) == epoch
        if run.history["epoch"] != list(range(1, epoch + is_recorded)) or (
            is_recorded and header["block"] < run.steps.blocks_per_epoch
        ):
            raise ValueError(f"history must go up to epoch {epoch}")
        run.stop_status = checked_text(header["stop_status"])
        self.divergence.limit = checked_number(header["loss_limit"])
        self.recorded_steps = header["recorded_steps"]
        self.best.load_state_dict(header["best"])
        self.best.params[:] = tensors["best_params"]
        self.rate_controller.load_state_dict(header["rate_controller"])
        self.seconds_before = checked_number(header["seconds"]["train"])
        run.steps.seconds.load(header["seconds"])
        callbacks = [(str(name), state) for name, state in header["callbacks"]]
        if not all(isinstance(state, dict) for _, state in callbacks):
            raise ValueError("callbacks must hold a state each")
        self._resume_epoch(epoch, header["block"], tensors, is_recorded)
        return callbacks

    def _resume_epoch(
        self, epoch: int, block: int, state: Mapping[str, np.ndarray], is_recorded: bool
    ) -> None:
        """Resume ``block`` blocks into an epoch, or at its end if it ``is_recorded``."""
        self.run.epoch = epoch
        self.run.steps.resume_epoch(epoch, self.rates.of(epoch), block, state)
        self.epochs = range(epoch + is_recorded, self.epochs.stop)
        self._is_resumed = True

    def _match_callbacks(self, saved: list[tuple[str, dict[str, Any]]] | None) -> None:
        if saved is None:
            return
        names, callbacks = [name for name, _ in saved], self._stateful()
        now = [type(callback).__name__ for callback in callbacks]
        if now != names:
            raise ConfigError(
                f"callbacks must be those that the run was started with, {names}, got {now} (those "
                "that have a state_dict); give the same"
            )
        self._callback_states = [(c, state) for c, (_, state) in zip(callbacks, saved, strict=True)]

    def _stateful(self) -> list[Callback]:
        return [c for c in self.run.callbacks if type(c).state_dict is not Callback.state_dict]
