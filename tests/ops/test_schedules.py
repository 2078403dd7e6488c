"""Learning-rate schedules: the factors of worked sequences."""

from __future__ import annotations

import math

import pytest

from fastmlp.ops.schedules import SCHEDULES


def factors(spec: str, monitored: list[float], base_rate: float = 1.0) -> list[float]:
    """The factor after each observation."""
    running = SCHEDULES.parse(spec).start(base_rate)
    assert running.value == 1
    values = []
    for value in monitored:
        running.observe(value)
        values.append(running.value)
    return values


def test_a_constant_rate_stays() -> None:
    assert factors("constant", [3.0, 3.0, math.nan]) == [1.0, 1.0, 1.0]


def test_plateau_lowers_the_rate_after_more_than_patience_stale_epochs() -> None:
    # Stale for:                            0    0    1    2    3 -> 0, then the same again
    monitored = [1.0, 0.9, 0.9, 0.95, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8]
    assert factors("plateau(0.5, patience=2)", monitored) == [
        1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25,
    ]  # fmt: skip


def test_plateau_without_patience_lowers_at_the_first_stale_epoch() -> None:
    assert factors("plateau(0.5, patience=0)", [1.0, 1.0, 0.5, 0.6]) == [1.0, 0.5, 0.5, 0.25]


def test_an_improvement_restarts_the_patience() -> None:
    monitored = [1.0, 1.0, 0.9, 0.9, 0.8, 0.8]
    assert factors("plateau(0.5, patience=1)", monitored) == [1.0] * 6


def test_too_small_an_improvement_is_none() -> None:
    monitored = [1.0, 0.95, 0.91, 0.89]
    assert factors("plateau(0.5, patience=1)", monitored) == [1.0] * 4
    assert factors("plateau(0.5, patience=1, min_delta=0.1)", monitored)[2] == 0.5


def test_nan_is_no_improvement() -> None:
    assert factors("plateau(0.5, patience=1)", [1.0, math.nan, math.nan])[-1] == 0.5


def test_the_rate_does_not_fall_below_its_least() -> None:
    values = factors("plateau(0.1, patience=0, min_rate=0.01)", [1.0] * 6, base_rate=0.2)
    assert values == pytest.approx([1.0, 0.1, 0.05, 0.05, 0.05, 0.05])


def test_a_least_rate_above_the_base_rate_does_not_raise_it() -> None:
    assert factors("plateau(0.5, patience=0, min_rate=1)", [1.0] * 4, base_rate=0.1) == [1.0] * 4


def test_runs_of_one_schedule_do_not_share_their_state() -> None:
    schedule = SCHEDULES.parse("plateau(0.5, patience=0)")
    first, second = schedule.start(1.0), schedule.start(1.0)
    for _ in range(3):
        first.observe(1.0)
    assert (first.value, second.value) == (0.25, 1.0)


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_a_schedule_that_follows_a_quantity_says_so(name: str) -> None:
    moves = factors(f"{name}(patience=0)" if name == "plateau" else name, [1.0, 1.0])[-1] != 1
    assert SCHEDULES.parse(name).needs_monitor == moves
