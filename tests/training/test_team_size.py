"""The number of threads follows the time that blocks take with a team and with one thread."""

from __future__ import annotations

import pytest

from fastmlp.training.team_size import TeamSize


def sizes(team: TeamSize, seconds: dict[int, float], slices: int, waited: float = 0.0) -> list[int]:
    """The size in each of the next slices, in which a block takes ``seconds`` of the size."""
    found = []
    for _ in range(slices):
        size = team.threads
        found.append(size)
        team.count(10, 10 * seconds[size], waited if size > 1 else 0.0)
    return found


@pytest.mark.parametrize("threads", [2, 4, 8])
def test_a_faster_team_stays_but_for_trials(threads: int) -> None:
    found = sizes(TeamSize(threads), {threads: 0.6, 1: 1.0}, 200)
    trials = [slice_ for slice_, size in enumerate(found) if size == 1]
    assert trials == [2, 19, 52, 117]  # after 2 slices, then after 16, 32, 64 more


@pytest.mark.parametrize("threads", [2, 4, 8])
def test_a_slower_team_is_left_but_for_trials(threads: int) -> None:
    found = sizes(TeamSize(threads), {threads: 1.3, 1: 1.0}, 200)
    trials = [slice_ for slice_, size in enumerate(found) if size == threads]
    assert trials == [0, 1, 11, 28, 61, 126]


def test_pauses_have_a_longest() -> None:
    found = sizes(TeamSize(2), {2: 2.0, 1: 1.0}, 2000)
    trials = [slice_ for slice_, size in enumerate(found) if size == 2]
    assert trials[-1] - trials[-2] == 129


def test_a_little_faster_is_no_reason_to_change() -> None:
    assert sizes(TeamSize(2), {2: 1.0, 1: 0.96}, 30).count(1) == 2
    assert sizes(TeamSize(2), {2: 1.0, 1: 0.94}, 30).count(2) == 4


def test_a_team_that_only_waits_is_tried_at_once() -> None:
    assert sizes(TeamSize(2), {2: 1.0, 1: 0.7}, 4, waited=0.5) == [2, 1, 1, 1]
    assert sizes(TeamSize(2), {2: 1.0, 1: 0.7}, 4, waited=0.4) == [2, 2, 1, 1]


def test_good_times_come_back() -> None:
    team = TeamSize(2)
    assert sizes(team, {2: 1.5, 1: 1.0}, 30)[-1] == 1
    assert 2 in sizes(team, {2: 0.6, 1: 1.0}, 40)
    assert sizes(team, {2: 0.6, 1: 1.0}, 20).count(1) <= 2


def test_one_thread_has_no_choice_and_no_blocks_tell_nothing() -> None:
    assert sizes(TeamSize(1), {1: 1.0}, 50) == [1] * 50
    team = TeamSize(2)
    for _ in range(10):
        team.count(0, 1.0, 1.0)
    assert team.threads == 2
