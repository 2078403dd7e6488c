"""Losses, accuracies and metrics of a run on a part of its data."""

from __future__ import annotations

import numpy as np

from .run import Run


def measured(run: Run, part: str) -> dict[str, float | None]:
    """Evaluate a part and return its loss, accuracy and the metrics asked for.

    Parameters
    ----------
    run : Run
    part : {"validation", "test"}

    Raises
    ------
    CallbackError
        If a metric fails.
    """
    data = getattr(run.prepared, part)
    if data is None or not run.scorers:
        return run.loss_and_accuracy(part, data)
    found = run.evaluate(data, want_outputs=True)
    assert found is not None
    values = {f"{part}_loss": found.loss, f"{part}_accuracy": run.accuracy(found.hit_rate)}
    return {**values, **scores(run, part, found.outputs)}


def scores(run: Run, part: str, outputs: np.ndarray) -> dict[str, float | None]:
    """Return the metrics asked for, of outputs on a part; None if outputs are not finite."""
    y, is_finite = getattr(run.prepared, f"y_{part}"), np.isfinite(outputs).all()
    return {
        f"{part}_{scorer.name}": scorer(run.task, y, outputs) if is_finite else None
        for scorer in run.scorers
    }
