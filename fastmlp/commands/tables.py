"""Plain-text tables: the data and the layers before training, the results after it."""

from __future__ import annotations

import sys
from typing import Any

from ..training.result import TrainResult
from ..training.run import Run


def data_lines(run: Run) -> list[str]:
    """Describe the data of a run."""
    facts = run.data_facts()
    classes = f", {facts['n_classes']} classes" if facts["n_classes"] else ""
    return [
        f"data       {facts['name']}: {facts['n_train']:,} training, {facts['n_validation']:,} "
        f"validation, {facts['n_test']:,} test rows; {facts['n_features']} features{classes}",
        f"           split {run.config.split}, scale {run.config.scale}",
    ]


def layer_lines(run: Run) -> list[str]:
    """Describe the network of a run as a table."""
    network = run.network
    lines = [f"{'layer':<10} {'shape':>12} {'activation':>16} {'parameters':>12}"]
    for number, (weights, biases, activation) in enumerate(
        zip(network.weights, network.biases, network.activations, strict=True), start=1
    ):
        shape = f"{weights.shape[0]} x {weights.shape[1]}"
        parameters = weights.size + biases.size
        lines.append(f"dense {number:<4} {shape:>12} {activation!s:>16} {parameters:>12,}")
    total = network.n_weights + network.n_biases
    size = total * network.dtype.itemsize
    lines.append(
        f"{network.n_weights:,} weights + {network.n_biases:,} biases = {total:,} parameters, "
        f"{size:,} bytes"
    )
    return lines


def result_lines(result: TrainResult, run_dir: str | None) -> list[str]:
    """Sum up a run."""
    rows = [(name.replace("_", " "), _number(value)) for name, value in result.metrics.items()]
    kept = f", weights of epoch {result.kept_epoch}" if result.kept_epoch else ""
    rows.append(("epochs", f"{result.epochs_run} ({result.status}){kept}"))
    timings = result.timings
    speed = timings["samples_per_second"]
    rows.append(
        (
            "training time",
            f"{timings['train_seconds']:.2f} s" + (f", {speed:,.0f} samples/s" if speed else ""),
        )
    )
    if run_dir is not None:
        rows.append(("run folder", run_dir))
    return [f"{name:<20} {value}" for name, value in rows if value]


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.4f}"


def peak_rss_mb() -> float | None:
    """Return the largest resident memory of this process so far, in MB; None where unknown."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
