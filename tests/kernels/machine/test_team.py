"""Threads that work as one: the shares cover the work, the team forms, the barrier holds."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import numpy as np
import pytest

from fastmlp.kernels.machine.launch import call_of, run_team
from fastmlp.kernels.machine.team import _nanoseconds, barrier, join_team, new_sync, share
from harness import cached, compiled, run_members, worker

ROUNDS = 1000
WIDEST = 8


@pytest.mark.parametrize("grain", [1, 6])
@pytest.mark.parametrize("team", [1, 2, 3, 4, 7])
def test_shares_cover_everything_once_in_whole_grains(grain: int, team: int) -> None:
    for count in range(50):
        parts = [compiled(share)(count, grain, member, team) for member in range(team)]
        covered = [i for first, last in parts for i in range(first, last)]
        assert covered == list(range(count))
        assert all(first % grain == 0 or first == count for first, _ in parts)


@pytest.mark.parametrize("team", [1, 2, 3, 4])
def test_shares_differ_by_one_grain_at_most(team: int) -> None:
    for grains in range(20):
        parts = [compiled(share)(grains * 6, 6, member, team) for member in range(team)]
        sizes = [last - first for first, last in parts]
        assert max(sizes) - min(sizes) in (0, 6)


def test_one_arrival_is_a_team_and_later_ones_find_nothing_to_do() -> None:
    sync = new_sync()
    assert compiled(join_team)(sync, 4) == (0, 1)
    assert [compiled(join_team)(sync, 4) for _ in range(3)] == [(-1, 0)] * 3


@pytest.mark.parametrize("arrivals", [2, 3, 4])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_threads_that_arrive_in_time_form_one_team(arrivals: int, size: int) -> None:
    compiled(join_team)(new_sync(), 1)
    for _ in range(20):
        places = on_threads(arrivals, size)
        members = sorted(member for member, _ in places if member >= 0)
        assert members == list(range(len(members))) and members
        assert {team for member, team in places if member >= 0} == {len(members)}
        assert {team for member, team in places if member < 0} <= {0}


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_team_is_as_large_as_was_asked_for(size: int) -> None:
    # Not each time: the machine may be busy with something else for longer than anybody waits.
    assert any(on_threads(size, size)[0][1] == size for _ in range(100))


def test_a_thread_that_comes_late_is_in_the_team() -> None:
    # By three times as long as once was waited. Ten tries of a hundred, since on a busy machine
    # either thread can be kept from its core for longer than it would be waited for, or than one
    # that waits less would wait.
    tries = (late_by(0.0015) == [(0, 2), (1, 2)] for _ in range(100))
    assert len(list(itertools.islice(filter(None, tries), 10))) == 10


def test_a_thread_that_comes_much_too_late_is_not_waited_for() -> None:
    # However long others kept the first one from its core: it had closed the team before.
    assert late_by(0.0, after_closing=True) == [(-1, 0), (0, 1)]


def late_by(seconds: float, after_closing: bool = False) -> list[tuple[int, int]]:
    """What join_team returns to two threads, of which the second comes that much later than the
    first, or when the first has closed the team.
    """
    sync, places = new_sync(), []
    join = compiled(join_team)
    join(new_sync(), 1)  # compiled
    first = threading.Thread(target=lambda: places.append(join(sync, 2)))
    first.start()
    while sync[0] == 0:  # not yet there
        time.sleep(0)
    if after_closing:
        first.join()
    time.sleep(seconds)
    places.append(join(sync, 2))
    first.join()
    return sorted(places)


@cached
def clock():
    """The time that the first thread waits."""
    return _nanoseconds()


def test_the_clock_goes_forward_in_nanoseconds() -> None:
    times = [clock() for _ in range(1000)]
    assert times == sorted(times)
    before, started = clock(), time.perf_counter_ns()
    time.sleep(0.1)
    elapsed, limit = clock() - before, time.perf_counter_ns() - started
    # The clock of some systems ticks every 16 ms.
    assert 80_000_000 <= elapsed <= limit + 20_000_000


def on_threads(arrivals: int, size: int) -> list[tuple[int, int]]:
    """The results of join_team in concurrent Python threads."""
    sync, line, places = new_sync(), threading.Barrier(arrivals), []

    def arrive() -> None:
        line.wait()
        places.append(compiled(join_team)(sync, size))

    threads = [threading.Thread(target=arrive) for _ in range(arrivals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(places) == arrivals
    return places


@worker
def meet_often(member, team, sync, rounds, board, faults, teams):
    """Each round: write to one's own place, meet, read all places, meet."""
    teams[member] = team
    for number in range(1, rounds + 1):
        board[member] = number
        barrier(sync, team)
        for other in range(team):
            if board[other] != number:
                faults[member] += 1
        barrier(sync, team)


Boards = tuple[np.ndarray, np.ndarray, np.ndarray]


def boards() -> Boards:
    return tuple(np.zeros(WIDEST, np.int64) for _ in range(3))  # type: ignore[return-value]


def run_on_team(threads: int, *arguments: Any) -> None:
    """Run ``meet_often`` in a parallel region."""
    sync = new_sync()
    run_team(call_of(meet_often, sync, arguments), threads, sync)


@pytest.mark.parametrize("team", [1, 2, 3, 4])
def test_a_barrier_holds_back_every_member_of_a_full_team(team: int) -> None:
    board, faults, teams = boards()
    run_members(meet_often, team, ROUNDS, board, faults, teams)
    assert (teams[:team] == team).all() and (teams[team:] == 0).all()
    assert (board[:team] == ROUNDS).all()
    assert (faults == 0).all()


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_a_region_runs_its_worker_as_one_team_whatever_its_size(threads: int) -> None:
    board, faults, teams = boards()
    run_on_team(threads, ROUNDS, board, faults, teams)
    team = teams[0]
    assert 1 <= team <= threads
    assert (teams[:team] == team).all() and (teams[team:] == 0).all()
    assert (board[:team] == ROUNDS).all()
    assert (faults == 0).all()


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_a_region_has_the_team_that_was_asked_for(threads: int) -> None:
    board, faults, teams = boards()
    for _ in range(100):  # not each time, where the machine is busy
        run_on_team(threads, 1, board, faults, teams)
        if teams[0] == threads:
            break
    assert teams[:threads].tolist() == [threads] * threads


def test_a_region_can_be_entered_again_and_again() -> None:
    board, faults, teams = boards()
    for _ in range(200):
        board[:] = 0
        run_on_team(2, 1, board, faults, teams)
        assert board[0] == 1 and (faults == 0).all()


def test_team_of_one_does_not_wait() -> None:
    sync = new_sync()
    compiled(barrier)(sync, 1)
    assert (sync == 0).all()
