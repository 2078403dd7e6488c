"""The result of an ensemble, from the results of its models."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from ..base.random import model_seed
from .history import History
from .result import TrainResult

# The status of an ensemble is the first of these that one of its models has.
_STATUSES = ("interrupted", "failed", "stopped", "stopped early", "finished", "diverged")


def kept_models(models: Sequence[TrainResult]) -> list[TrainResult]:
    """Return the models to average: without those that diverged, or were interrupted early.

    Of models that were interrupted, those count that have trained for an epoch, or for an update
    if no model has trained for an epoch. If all would be left out, all are kept.
    """
    sound = [model for model in models if model.status != "diverged"] or list(models)
    for are_ready in (_has_epoch, _has_update):
        ready = [model for model in sound if are_ready(model)]
        if ready:
            return ready
    return sound


def _has_epoch(model: TrainResult) -> bool:
    return model.epochs_run > 0


def _has_update(model: TrainResult) -> bool:
    return model.updates_run > 0


def combined(
    models: Sequence[TrainResult],
    kept: Sequence[TrainResult],
    seconds: float,
    is_interrupted: bool,
) -> TrainResult:
    """Return the result of an ensemble, not evaluated yet.

    Parameters
    ----------
    models : sequence of TrainResult
        Of all models that have begun, in the order of their numbers.
    kept : sequence of TrainResult
        The models to average.
    seconds : float
        Wall time of training and, before it, compiling.
    is_interrupted : bool
    """
    first = models[0]
    statuses = {model.status for model in kept}
    status = next(name for name in _STATUSES if name in statuses)
    networks = [model.predictor.network for model in kept]
    n_rows = sum(_rows_trained(model) for model in models)
    compiling = float(first.timings["compile_seconds"] or 0.0)
    return dataclasses.replace(
        first,
        predictor=first.predictor.replace(network=networks[0], more_networks=networks[1:]),
        history=mean_history([model.history for model in kept]),
        iterations=mean_history([model.iterations for model in kept]),
        metrics=dict.fromkeys(first.metrics),
        timings={
            **first.timings,
            "step_seconds": sum(float(model.timings["step_seconds"] or 0) for model in models),
            "train_seconds": max(0.0, seconds - compiling),
            "samples_per_second": n_rows / seconds if seconds else None,
            "predict_seconds": None,
        },
        phase_seconds=_sums([model.phase_seconds for model in models]),
        layer_seconds=_layer_sums([model.layer_seconds for model in models]),
        best_epoch=None,
        kept_epoch=None,
        updates_run=sum(model.updates_run for model in models),
        status="interrupted" if is_interrupted else status,
        models=tuple(_alone(model, first, number) for number, model in enumerate(models, start=1)),
    )


def mean_history(histories: Sequence[History]) -> History:
    """Return the mean over models, row by row, and how many models have such a row.

    Models may have stopped at different epochs. Columns of text, which callbacks may add, are left
    out.
    """
    columns = tuple(dict.fromkeys(name for each in histories for name in each.columns))
    rows: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in (row for history in histories for row in history):
        rows[row[columns[0]]].append(row)
    mean = History((*columns, "n_models"), is_open=False)
    for _, same in sorted(rows.items()):
        values: dict[str, Any] = {name: _mean(row.get(name) for row in same) for name in columns}
        for name in ("epoch", "iteration"):
            if name in columns:
                values[name] = same[0][name]
        mean.append(**values, n_models=len(same))
    return mean


def _mean(values: Iterable[Any]) -> float | None:
    """Return the mean of the numbers among some values; None without any."""
    numbers = [value for value in values if isinstance(value, int | float)]
    return fmean(numbers) if numbers else None


def _alone(model: TrainResult, first: TrainResult, number: int) -> TrainResult:
    """Return a model's result with the settings of the same model alone."""
    seed = model_seed(first.config.seed, number)
    return dataclasses.replace(model, config=first.config.replace(n_models=1, seed=seed))


def _rows_trained(model: TrainResult) -> float:
    return float(model.timings["samples_per_second"] or 0) * float(
        model.timings["step_seconds"] or 0
    )


def _sums(of_models: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the sum over models of each value."""
    names = dict.fromkeys(name for values in of_models for name in values)
    return {name: sum(values.get(name, 0.0) for values in of_models) for name in names}


def _layer_sums(of_models: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the sum over models of the seconds of each layer."""
    return [
        {"name": same[0]["name"], **_sums([_without_name(layer) for layer in same])}
        for same in zip(*of_models, strict=True)
    ]


def _without_name(layer: dict[str, Any]) -> dict[str, float]:
    return {part: seconds for part, seconds in layer.items() if part != "name"}
