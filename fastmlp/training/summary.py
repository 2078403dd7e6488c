"""The result of a finished loop: the kept weights and their metrics."""

from __future__ import annotations

import time

from ..base.errors import CallbackError
from .calibration import calibrate
from .layer_seconds import described
from .loop import Loop
from .result import TrainResult
from .run import Run
from .scoring import measured

_ENDED = ("finished", "stopped early", "stopped")
_EPOCH_METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


def sum_up(loop: Loop) -> TrainResult:
    """Copy the kept weights to the network, evaluate the test part, and return the result."""
    run, best_epoch = loop.run, loop.best.epoch
    restored = loop.status == "diverged" or (run.config.restores_best and loop.best.found)
    if restored:
        run.network.params[:] = loop.best.params
    metrics = _kept_metrics(loop, restored)
    if run.config.calibrate != "none" and loop.status in _ENDED:
        metrics["temperature"] = calibrate(run)
        metrics.update(measured(run, "validation"))
    predict_seconds = _evaluate_test(loop, metrics)
    step_seconds = run.steps.seconds.total
    return TrainResult(
        predictor=run.predictor,
        config=run.config,
        history=run.history,
        iterations=run.iterations,
        metrics=metrics,
        timings={
            "prepare_seconds": run.prepare_seconds,
            "compile_seconds": loop.compile_seconds,
            "step_seconds": step_seconds,
            "train_seconds": loop.train_seconds,
            "samples_per_second": _samples_trained(run) / step_seconds if step_seconds else None,
            "predict_seconds": predict_seconds,
        },
        phase_seconds=run.steps.seconds.phases(),
        layer_seconds=described(run.network, run.steps.seconds.layers()),
        data=run.data_facts(),
        plan=run.plan,
        best_epoch=best_epoch,
        kept_epoch=_kept_epoch(loop, restored),
        updates_run=run.steps.iterations,
        status=loop.status,
    )


def _evaluate_test(loop: Loop, metrics: dict[str, float | None]) -> float | None:
    """Add the metrics of the test part; return the time in seconds, None if not evaluated."""
    run = loop.run
    metrics.update(run.loss_and_accuracy("test", None))
    metrics.update({f"test_{scorer.name}": None for scorer in run.scorers})
    # After Ctrl-C nothing more is evaluated, so that the process ends quickly.
    if loop.status == "interrupted" or run.prepared.test is None:
        return None
    started = time.perf_counter()
    try:
        metrics.update(_test_metrics(loop))
    except KeyboardInterrupt:
        loop.status = "interrupted"
        return None
    return time.perf_counter() - started


def _test_metrics(loop: Loop) -> dict[str, float | None]:
    run = loop.run
    if loop.status != "failed":  # else a metric may be what failed
        try:
            return measured(run, "test")
        except CallbackError as error:
            loop.status, loop.failure = "failed", error
    return run.loss_and_accuracy("test", run.prepared.test)


def _samples_trained(run: Run) -> int:
    in_epoch = 0 if _is_recorded(run) else run.rows_done
    return len(run.history) * run.n_train + in_epoch


def _is_recorded(run: Run) -> bool:
    """Whether the current or last epoch is complete."""
    return len(run.history) > 0 and bool(run.history.rows[-1]["epoch"] == run.epoch)


def _kept_epoch(loop: Loop, restored: bool) -> int | None:
    """Return the epoch whose final weights are kept; None for weights within an epoch."""
    if restored:
        return loop.best.epoch
    return loop.run.epoch if _is_recorded(loop.run) else None


def _kept_metrics(loop: Loop, restored: bool) -> dict[str, float | None]:
    """Return training and validation metrics of the kept weights."""
    run, epoch = loop.run, _kept_epoch(loop, restored)
    names = (*_EPOCH_METRICS, *(scorer.column for scorer in run.scorers))
    if epoch is not None:
        row = next(row for row in run.history if row["epoch"] == epoch)
        return {name: row.get(name) for name in names}
    metrics: dict[str, float | None] = dict.fromkeys(names)
    if loop.status == "interrupted":
        if run.rows_done:
            metrics["train_loss"] = run.train_loss
            metrics["train_accuracy"] = run.accuracy(run.steps.hit_rate())
        return metrics
    # The initial weights, after a divergence in the first epoch.
    metrics.update(run.loss_and_accuracy("train", run.prepared.train))
    metrics.update(run.loss_and_accuracy("validation", run.prepared.validation))
    return metrics
