"""Ticks of the kernels' counter become seconds by Python's clock."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from fastmlp.kernels.machine.phases import NAMES, read_ticks
from fastmlp.training import phase_clock
from fastmlp.training.phase_clock import PhaseClock

TICKS = np.arange(6) * 1000


def clock_that_shows(
    monkeypatch: pytest.MonkeyPatch, seconds: Iterable[float], ticks: Iterable[int]
) -> PhaseClock:
    """A clock whose two sources show these values, one after the other."""
    clocks, counters = iter(seconds), iter(ticks)
    monkeypatch.setattr(phase_clock.time, "perf_counter", lambda: next(clocks))
    monkeypatch.setattr(phase_clock, "read_ticks", lambda: next(counters))
    return PhaseClock()


def test_tick_equals_elapsed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = clock_that_shows(monkeypatch, [10.0, 12.0], [0, 500, 500 + 10**9])
    found = clock.seconds(TICKS)
    assert list(found) == list(NAMES)
    assert list(found.values()) == pytest.approx([n * 2e-6 for n in range(6)])
    assert {type(seconds) for seconds in found.values()} == {float}


def test_without_a_counter_there_are_no_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clock_that_shows(monkeypatch, [10.0, 12.0], [0, 0, 0]).seconds(TICKS) == {}


def test_nothing_counted_is_no_phases() -> None:
    assert PhaseClock().seconds(np.zeros(6, np.int64)) == {}


def test_python_reads_the_counter() -> None:
    times = [read_ticks() for _ in range(100)]
    assert times == sorted(times)
