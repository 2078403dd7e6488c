"""Plain-text tables: data and layers before training, results and time of a step after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from ..kernels.machine.phases import PARTS_OF_LAYER
from ..reports.columns import column_table
from ..reports.evaluation import RunEvaluation
from ..reports.tables import (
    METRIC_NAMES,
    Table,
    class_table,
    layer_table,
    loss_note,
    model_table,
    models_note,
    number,
    output_table,
    parameters_text,
    part_table,
    spread_note,
    units_note,
)
from ..training.result import TrainResult
from ..training.run import Run

# Of more, the terminal shows the averages alone.
MOST_CLASSES = 50
MOST_COLUMNS = 100
PER_SAMPLE = "the per-sample step is one loop, not divided into phases"
NO_COUNTER = "this machine has no counter for timing phases"


def data_lines(run: Run) -> list[str]:
    """Describe the data of a run."""
    facts = run.data_facts()
    classes = f", {facts['n_classes']} classes" if facts["n_classes"] else ""
    return [
        f"data       {facts['name']}: {facts['n_train']:,} training, {facts['n_validation']:,} "
        f"validation, {facts['n_test']:,} test rows; {facts['n_features']} features{classes}"
    ]


def column_lines(run: Run) -> list[str]:
    """Describe the columns of a table of several kinds; nothing for plain numbers."""
    prepared = run.prepared
    if prepared.encoding is None or not prepared.column_facts:
        return []
    table = column_table(prepared.column_facts, prepared.encoding)
    shown = text_table(table._replace(rows=table.rows[:MOST_COLUMNS]), left=(0, 1, 4))
    n_more = len(table.rows) - MOST_COLUMNS
    return [*shown, *([f"and {n_more} more columns"] if n_more > 0 else []), ""]


def layer_lines(run: Run) -> list[str]:
    """Describe the network of a run as a table."""
    note = models_note(run.network, run.config.n_models)
    return [
        *text_table(layer_table(run.network)), *filter(None, [parameters_text(run.network), note])
    ]  # fmt: skip


def buffer_lines(run: Run) -> list[str]:
    """Describe the forms of convolutions, and the memory of a run besides its data."""
    forms = run.network.forms()
    trained, evaluated = (
        f"{workspace.n_bytes / 1e6:,.1f} MB"
        for workspace in (run.steps.workspace, run.evaluation_workspace)
    )
    lines = ["layers of images:", *(f"  {line}" for line in forms)] if forms else []
    return [*lines, f"buffers: {trained} for training, {evaluated} for evaluation"]


def result_lines(result: TrainResult) -> list[str]:
    """Sum up a run."""
    rows = [(name.replace("_", " "), number(value)) for name, value in result.metrics.items()]
    kept = f", weights of epoch {result.kept_epoch}" if result.kept_epoch else ""
    models = text_table(model_table(result)) if result.models else []
    rows.append(("epochs", f"{result.epochs_run} ({result.status}){kept}"))
    timings = result.timings
    speed = timings["samples_per_second"]
    rows.append(
        (
            "training time",
            f"{timings['train_seconds']:.2f} s" + (f", {speed:,.0f} samples/s" if speed else ""),
        )
    )
    lines = [f"{name:<20} {value}" for name, value in rows if value]
    return [*models, *([""] if models else []), *lines, *filter(None, [loss_note(result.config)])]


def profile_lines(result: TrainResult) -> list[str]:
    """Describe an average step of a run: the microseconds of each phase and their shares."""
    steps, threads = result.updates_run, result.plan.threads
    team = "1 thread" if threads == 1 else f"at most {threads} threads"
    counted = f"{steps:,} {'step' if steps == 1 else 'steps'} on {team}"
    if not steps:
        return [f"profile: {counted}"]
    table = [f"{'phase':<20} {'us a step':>12} {'share':>8}"]
    whole = float(result.timings["step_seconds"] or 0.0)
    for name, seconds in _parts(result, whole):
        share = seconds / whole if whole else 0.0
        table.append(f"{name:<20} {seconds / steps * 1e6:>12,.2f} {share:>8.1%}")
    return [*table, counted, *_why_undivided(result), *_layer_profile(result, whole)]


def _layer_profile(result: TrainResult, whole: float) -> list[str]:
    """Describe an average step layer by layer, after an empty line."""
    rows: list[tuple[str, ...]] = []
    for layer in result.layer_seconds:
        seconds = [layer[part] for part in PARTS_OF_LAYER]
        shown = [f"{part / result.updates_run * 1e6:,.2f}" for part in seconds]
        rows.append((layer["name"], *shown, f"{sum(seconds) / whole if whole else 0.0:.1%}"))
    return ["", *text_table(Table(("us a step", *PARTS_OF_LAYER, "share"), rows))] if rows else []


def _parts(result: TrainResult, whole: float) -> Iterator[tuple[str, float]]:
    """Yield the phases of a step and their seconds in all steps, then the whole step."""
    if result.phase_seconds:
        yield from result.phase_seconds.items()
        # The two clocks are not read at the same time.
        yield "between slices", max(0.0, whole - sum(result.phase_seconds.values()))
    yield "whole step", whole


def _why_undivided(result: TrainResult) -> list[str]:
    if result.phase_seconds:
        return []
    return [PER_SAMPLE if result.plan.step == "per_sample" else NO_COUNTER]


def evaluation_lines(evaluation: RunEvaluation) -> list[str]:
    """Report how good the kept weights are on each set, and class by class on the last of them."""
    judged = evaluation.judged
    lines = text_table(part_table(evaluation.parts))
    if units := units_note(judged, evaluation.result.config):
        lines.append(units)
    if note := spread_note(judged):
        lines.append(note)
    if "outputs" in judged.metrics:
        lines += ["", f"{judged.name} set by output", *text_table(output_table(judged.metrics))]
    if "classes" in judged.metrics:
        lines += ["", f"{judged.name} set by class", *class_lines(judged.metrics)]
    return lines


def metrics_lines(metrics: dict[str, Any]) -> list[str]:
    """Report how good predictions are, on the whole and class by class."""
    lines = [
        f"{text:<20} {number(metrics[name])}"
        for name, text in METRIC_NAMES.items()
        if metrics.get(name) is not None
    ]
    if "outputs" in metrics:
        lines += ["", *text_table(output_table(metrics))]
    return [*lines, "", *class_lines(metrics)] if "classes" in metrics else lines


def class_lines(metrics: dict[str, Any]) -> list[str]:
    """Report precision, recall, F1 and support by class, and the most frequent confusions."""
    classes = class_table(metrics)
    if len(metrics["classes"]) > MOST_CLASSES:
        classes = classes._replace(rows=classes.rows[len(metrics["classes"]) :])
    lines = text_table(classes)
    if metrics.get("confusions"):
        lines += ["", f"most frequent confusions: {', '.join(metrics['confusions'])}"]
    return lines


def text_table(table: Table, left: Sequence[int] = (0,)) -> list[str]:
    """Return the lines of a table, the columns ``left`` to the left and all others to the right."""
    widths = [max(map(len, column)) for column in zip(table.header, *table.rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (table.header, *table.rows)
    ]


def peak_rss_mb() -> float | None:
    """Return the largest resident memory of this process so far, in MB; None where unknown."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
