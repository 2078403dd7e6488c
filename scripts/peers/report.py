"""The record of a comparison: machine, versions, cases and results."""

from __future__ import annotations

from typing import Any

from comparing.machine import machine_facts

from . import contenders, summary
from .case import TARGET, Case
from .measure import Result, out_of_line
from .nets import Stage, sizes


def facts(names: list[str], missing: list[str], threads: list[int], rounds: int) -> dict[str, Any]:
    """Return what is common to all cases of a comparison."""
    return {
        **machine_facts(),
        "threads": threads,
        "rounds": rounds,
        "versions": {name: contenders.version(name) for name in names},
        "missing": missing,
    }


def case_record(
    case: Case, results: list[Result], stages: list[Stage], peaks: dict[int, float]
) -> dict[str, Any]:
    """Return a case's measurements.

    Parameters
    ----------
    case : Case
    results : list of Result
    stages : list of Stage
        The layers of its network; empty if none is trained.
    peaks : dict
        GFLOP/s by number of threads, measured just before.
    """
    record: dict[str, Any] = {
        "name": case.name,
        "title": case.title,
        "kind": case.kind,
        "layers": sizes(stages) if stages else [],
        **(_training(case) if case.trains else {}),
        "in_chart": case.in_chart,
        "results": [result.to_dict() for result in results],
    }
    if case.kind == TARGET:
        record["target"] = case.target
    record["ratios"] = summary.ratios(record)
    if peaks:
        record["multiply_adds"] = [stage.multiply_adds for stage in stages if stage.is_weighted]
        record["peak_gflops"] = {str(n): round(peak, 1) for n, peak in peaks.items()}
        record["shares_of_peak"] = summary.shares_of_peak(record)
    record["fastmlp_speed_up"] = summary.own_speed_up(record)
    return record


def _training(case: Case) -> dict[str, Any]:
    """Return the settings of training, the same for all contenders."""
    return {
        "hidden_layers": case.layers,
        "activation": case.activation,
        "batch_size": case.batch_size or "all rows",
        "optimizer": case.optimizer,
        "learning_rate": case.learning_rate,
        "inputs": case.scale,
        "dense": not case.from_images,
    }


def failures(case: Case, results: list[Result]) -> list[str]:
    """Return a line for each contender that failed."""
    return [
        f"{case.name}: {result.setup} failed: {result.failure}"
        for result in results
        if result.failure
    ]


def disagreements(case: Case, results: list[Result]) -> list[str]:
    """Return a line for each contender whose loss shows that it did other work."""
    return [
        f"{case.name}: {result.setup} has loss {result.loss:.3f}, unlike "
        "the others: it did not do the same work"
        for result in out_of_line(results)
    ]
