"""The number of threads follows how much a team waits."""

from __future__ import annotations

import pytest

from fastmlp.training.team_size import TeamSize


def sizes(team: TeamSize, waited: float, slices: int) -> list[int]:
    """The size of the team in each of the next slices."""
    found = []
    for _ in range(slices):
        found.append(team.threads)
        team.count(waited if team.threads > 1 else 0.0)
    return found


@pytest.mark.parametrize(("threads", "waited"), [(2, 0.3), (4, 0.6), (8, 0.8), (1, 0.0)])
def test_a_team_that_gains_stays(threads: int, waited: float) -> None:
    assert sizes(TeamSize(threads), waited, 50) == [threads] * 50


@pytest.mark.parametrize(("threads", "waited"), [(2, 0.5), (4, 0.75), (8, 0.9)])
def test_a_team_that_gains_nothing_pauses_longer_and_longer(threads: int, waited: float) -> None:
    found = sizes(TeamSize(threads), waited, 60)
    tries = [slice_ for slice_, size in enumerate(found) if size == threads]
    assert tries == [0, 9, 26, 59]
    assert found.count(1) == 56


def test_pauses_have_a_longest() -> None:
    found = sizes(TeamSize(2), 0.9, 2000)
    tries = [slice_ for slice_, size in enumerate(found) if size == 2]
    assert tries[-1] - tries[-2] == 129


def test_a_slice_that_gains_ends_the_bad_times() -> None:
    team = TeamSize(2)
    sizes(team, 0.9, 26)
    assert sizes(team, 0.1, 5) == [2] * 5
    assert sizes(team, 0.9, 10) == [2, *[1] * 8, 2]
