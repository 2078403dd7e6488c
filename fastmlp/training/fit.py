"""The one epoch loop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..base.errors import DivergenceError
from ..data.dataset import Dataset
from ..ops.schedules import SCHEDULES
from .callbacks import Callback
from .config import TrainConfig
from .prepare import prepare
from .resolve import resolve
from .result import TrainResult
from .run import Run
from .stopping import BestWeights

# Times the loss before training, or times 1 if that was less: who goes on from a nearly exact fit may
# lose most of it at first, as Adam does, whose first updates do not shrink with the gradient.
_LOSS_LIMIT = 1e6
_INITIAL_ROWS = 1024


def fit(
    config: TrainConfig,
    dataset: Dataset,
    *,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
) -> TrainResult:
    """Train a multilayer perceptron.

    Parameters
    ----------
    config : TrainConfig
        All settings; what is ``auto`` is chosen by the data.
    dataset : Dataset
        As returned by :func:`fastmlp.load_dataset`, or ``fastmlp.Dataset(X, y)``.
    threads : int, optional
        At most how many threads; default: all CPUs that this process may use. Changes no bit of the
        result.
    callbacks : iterable of Callback, optional
        Told of the start, the progress, every epoch and the end.
    initial_weights : (list of ndarray, list of ndarray), optional
        Weights of shape (n_in, n_out) and biases of shape (n_out,) of each layer to start from;
        default: drawn from the config's initialisers.

    Returns
    -------
    TrainResult
        Also after Ctrl-C, with ``status`` "interrupted" and what was trained until then.

    Raises
    ------
    ConfigError
        If settings do not go with the data or with each other.
    DataError
        If the data do not fit the task.
    DivergenceError
        If a loss or weight is no longer finite, or a loss exceeds a million, and a million times
        the first. Its ``result`` holds the best weights so far.
    """
    return finish(start(config, dataset, threads, callbacks, initial_weights))


def start(
    config: TrainConfig,
    dataset: Dataset,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
) -> Run:
    """Return a run with its data prepared and its network drawn; parameters as for :func:`fit`."""
    started = time.perf_counter()
    if config.classes:
        dataset = dataset.keep_classes(config.classes)
    resolved = resolve(config, dataset)
    prepared = prepare(dataset, resolved.config, resolved.task)
    run = Run(resolved.config, resolved.task, prepared, threads, callbacks, initial_weights)
    run.prepare_seconds = time.perf_counter() - started
    return run


def finish(run: Run) -> TrainResult:
    """Train a run that :func:`start` returned; result and errors as for :func:`fit`."""
    return _Loop(run).result()


class _Loop:
    """Drives a run through its epochs and sums it up."""

    def __init__(self, run: Run):
        self.run = run
        self.compile_seconds = 0.0
        self.train_seconds = 0.0
        self.status = "finished"
        config = run.config
        self.best = BestWeights(config.monitor, config.min_delta, run.network.params)
        self.rate_factor = SCHEDULES.parse(config.schedule).start(self.base_rate)
        self.loss_limit = math.inf

    @property
    def base_rate(self) -> float:
        return float(self.run.config.learning_rate)

    def result(self) -> TrainResult:
        """Train, and return what came of it."""
        run = self.run
        diverged: DivergenceError | None = None
        try:
            run.tell("on_setup")
            self.compile_seconds = run.compile()
            started = time.perf_counter()
            try:
                self._epochs()
            finally:
                self.train_seconds = time.perf_counter() - started
        except KeyboardInterrupt:
            self.status = "interrupted"
        except DivergenceError as error:
            self.status, diverged = "diverged", error
        result = self._sum_up()
        run.tell("on_train_end")
        if diverged is not None:
            diverged.result = result
            raise diverged
        return result

    def _epochs(self) -> None:
        run, config = self.run, self.run.config
        initial = run.evaluate(run.prepared.train, rows=_INITIAL_ROWS)
        if initial is not None:
            self.loss_limit = _LOSS_LIMIT * max(1.0, initial.loss)
        run.tell("on_train_begin")
        for run.epoch in range(1, config.epochs + 1):
            rate = self.base_rate * self.rate_factor.value
            run.steps.start_epoch(run.epoch, rate)
            self._steps()
            row = self._record(rate)
            self.best.observe(row, run.network.params)
            self.rate_factor.observe(self.best.value(row))
            run.tell("on_epoch_end", row)
            if config.early_stopping and self.best.improvement.stale >= config.early_stopping:
                self.status = "stopped early"
                return
            if run.stop_requested:
                return

    def _steps(self) -> None:
        """Do the updates of one epoch, in slices, and record losses on the way."""
        run, every = self.run, self.run.config.log_every
        recorded = 0  # update of this epoch up to which losses have been recorded
        while not run.steps.epoch_is_done:
            done = run.steps.iterations
            to_record = run.steps.steps_done + every - done % every if every else None
            limit = run.steps.steps_per_epoch
            run.steps.advance(limit if to_record is None else min(limit, to_record))
            self._check_divergence()
            run.tell("on_progress")
            if every and run.steps.iterations > done and run.steps.iterations % every == 0:
                self._record_iteration(recorded)
                recorded = run.steps.steps_done

    def _check_divergence(self) -> None:
        worst = self.run.steps.worst_step_loss()
        if not math.isfinite(worst):
            raise self._divergence(f"the training loss became {worst}")
        if worst > self.loss_limit:
            raise self._divergence(f"the training loss rose to {worst:.3g}")

    def _divergence(self, what: str) -> DivergenceError:
        epoch = self.best.epoch
        kept = "the initial weights" if epoch is None else f"the weights of epoch {epoch}"
        return DivergenceError(
            f"training diverged in epoch {self.run.epoch}: {what}; lower learning_rate (now "
            f"{self.base_rate * self.rate_factor.value:g}), or scale the features; "
            f"kept {kept}"
        )

    def _record(self, rate: float) -> dict[str, Any]:
        run = self.run
        if not np.isfinite(run.network.params).all():
            raise self._divergence("a weight is no longer finite")
        return run.history.append(
            epoch=run.epoch,
            learning_rate=rate,
            train_loss=run.steps.mean_loss(),
            train_accuracy=run.accuracy(run.steps.hit_rate()),
            penalty=run.penalty(),
            **run.loss_and_accuracy("validation", run.prepared.validation),
        )

    def _record_iteration(self, since: int) -> None:
        run = self.run
        run.iterations.append(
            iteration=run.steps.iterations,
            epoch=run.epoch,
            train_loss=run.steps.mean_loss(since),
            train_accuracy=run.accuracy(run.steps.hit_rate(since)),
            **run.loss_and_accuracy("validation", run.prepared.validation),
        )

    def _sum_up(self) -> TrainResult:
        run, config = self.run, self.run.config
        restored = self.status == "diverged" or (
            self.status == "stopped early" and config.restore_best
        )
        if restored:
            run.network.params[:] = self.best.params
        # Who presses Ctrl-C wants to get out: nothing more is evaluated.
        test_part = None if self.status == "interrupted" else run.prepared.test
        started = time.perf_counter()
        test = run.loss_and_accuracy("test", test_part)
        predict_seconds = time.perf_counter() - started if test_part else None
        step_seconds = run.steps.seconds
        samples = self._samples_trained()
        return TrainResult(
            predictor=run.predictor,
            config=config,
            history=run.history,
            iterations=run.iterations,
            metrics={**self._kept_row(restored), **test},
            timings={
                "prepare_seconds": run.prepare_seconds,
                "compile_seconds": self.compile_seconds,
                "step_seconds": step_seconds,
                "train_seconds": self.train_seconds,
                "samples_per_second": samples / step_seconds if step_seconds > 0 else None,
                "predict_seconds": predict_seconds,
            },
            data=run.data_facts(),
            plan=run.plan,
            best_epoch=self.best.epoch,
            status=self.status,
        )

    def _samples_trained(self) -> int:
        run = self.run
        in_epoch = run.rows_done if run.epoch > len(run.history) else 0
        return len(run.history) * run.n_train + in_epoch

    def _kept_row(self, restored: bool) -> dict[str, float | None]:
        """Return training and validation metrics of the weights that are kept."""
        run = self.run
        names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
        epoch = self.best.epoch if restored else len(run.history)
        if epoch and (restored or run.epoch == epoch):
            row = run.history.rows[epoch - 1]
            return {name: row[name] for name in names}
        if self.status == "interrupted":
            measured = {
                "train_loss": run.train_loss if run.rows_done else None,
                "train_accuracy": run.accuracy(run.steps.hit_rate()) if run.rows_done else None,
            }
            return {**dict.fromkeys(names), **measured}
        # The initial weights, after a divergence in the first epoch: not measured yet.
        return {
            **run.loss_and_accuracy("train", run.prepared.train),
            **run.loss_and_accuracy("validation", run.prepared.validation),
        }
