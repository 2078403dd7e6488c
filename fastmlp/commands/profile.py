"""The time of an average step, by phases."""

from __future__ import annotations

from collections.abc import Iterator

from ..training.result import TrainResult

PER_SAMPLE = "the per-sample step is one loop, not divided into phases"
NO_COUNTER = "this machine has no counter for timing phases"


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
    return [*table, counted, *_why_undivided(result)]


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
