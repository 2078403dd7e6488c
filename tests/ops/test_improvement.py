"""The one rule for "it got better"."""

from __future__ import annotations

import math

from fastmlp.ops.improvement import Improvement


def observe(
    values: list[float], min_delta: float = 0.0, rule: str = "cumulative"
) -> tuple[list[bool], Improvement]:
    improvement = Improvement(min_delta, rule)
    return [improvement.observe(value) for value in values], improvement


def test_lower_is_better() -> None:
    improved, state = observe([3.0, 2.0, 2.5, 1.0])
    assert improved == [True, True, False, True]
    assert (state.best, state.stale) == (1.0, 0)


def test_an_equal_value_is_no_improvement() -> None:
    improved, state = observe([1.0, 1.0, 1.0])
    assert improved == [True, False, False]
    assert (state.best, state.stale) == (1.0, 2)


def test_a_value_must_undercut_the_best_by_more_than_min_delta() -> None:
    improved, state = observe([1.0, 0.75, 0.5, 0.4], min_delta=0.25)
    assert improved == [True, False, True, False]
    assert (state.best, state.stale) == (0.5, 1)


def test_small_improvements_do_not_move_the_best() -> None:
    improved, state = observe([1.0, 0.9, 0.8, 0.7], min_delta=0.25)
    assert improved == [True, False, False, True]
    assert state.best == 0.7


def test_nan_and_infinity_never_improve() -> None:
    improved, state = observe([math.nan, math.inf, 1.0, math.nan])
    assert improved == [False, False, True, False]
    assert (state.best, state.stale) == (1.0, 1)


def test_minus_infinity_cannot_be_beaten() -> None:
    improved, _ = observe([-math.inf, -math.inf, -1e300])
    assert improved == [True, False, False]


def test_before_the_first_value_nothing_is_stale() -> None:
    _, state = observe([])
    assert (state.best, state.stale) == (math.inf, 0)


def test_a_single_value_has_to_improve_on_the_best_of_all() -> None:
    improved, state = observe([1.0, 0.9, 0.8, 0.7], min_delta=0.25, rule="single")
    assert improved == [True] * 4  # each is the best, and none but the first counts
    assert (state.best, state.stale) == (0.7, 3)


def test_a_single_value_counts_from_the_mark_itself_on() -> None:
    improved, state = observe([1.0, 0.75, 0.75], min_delta=0.25, rule="single")
    assert (improved, state.stale) == ([True, True, False], 1)
    improved, state = observe([1.0, 1.0], rule="single")
    assert (improved, state.stale) == ([True, False], 0)


def test_a_single_nan_does_not_count() -> None:
    _, state = observe([1.0, math.nan, math.nan], rule="single")
    assert (state.best, state.stale) == (1.0, 2)
