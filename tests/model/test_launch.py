"""Starting kernels: how many threads, and from several Python threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numba
import numpy as np
import pytest

from fastmlp.base.errors import ConfigError
from fastmlp.kernels.machine.team import share
from fastmlp.model import launch as module
from fastmlp.model.launch import check_threads, launch
from harness import Case, Run, worker

LAUNCHES = 30


@worker
def square(member, team, sync, x, y, teams):
    """A member's share of y = x^2."""
    first, last = share(x.size, 1, member, team)
    for i in range(first, last):
        y[i] = x[i] * x[i]
    teams[member] = team


def squares(threads: int, n: int = 1000) -> int:
    """Square with a number of threads, check, and return the size of the team."""
    x = np.arange(n)
    y, teams = np.zeros_like(x), np.zeros(8, np.int64)
    launch(square, threads, x, y, teams)
    np.testing.assert_array_equal(y, x**2)
    return int(teams[0])


def in_python_threads(work: Callable[[int], None], count: int) -> None:
    """Do the work in several Python threads that start together; raise what they raised."""
    line, failures = threading.Barrier(count), []

    def body(number: int) -> None:
        try:
            line.wait()
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=body, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_all_the_work_is_done_by_any_number_of_threads(threads: int) -> None:
    assert 1 <= squares(threads) <= threads


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_launches_from_several_python_threads_do_not_disturb_each_other(threads: int) -> None:
    squares(threads)

    def work(number: int) -> None:
        for launch_number in range(LAUNCHES):
            squares(threads, n=100 * number + launch_number)

    in_python_threads(work, 4)


def test_concurrent_runs_have_bits_of_separate_runs() -> None:
    cases = [Case(rows=40, batch_size=7, epochs=20, seed=seed) for seed in range(4)]
    alone = [Run(case) for case in cases]
    for run in alone:
        run.train()
    together = [Run(case) for case in cases]

    def train(number: int) -> None:
        together[number].train(threads=2, pieces=2)

    in_python_threads(train, 4)
    for one, other in zip(together, alone, strict=True):
        assert one.network.params.tobytes() == other.network.params.tobytes()


def test_the_region_is_free_again_after_a_launch() -> None:
    squares(2)
    assert not module._one_region.locked()


def test_the_region_is_free_again_after_a_failure() -> None:
    with pytest.raises(TypeError, match=r"a worker takes arrays in C order.* got str 'not an"):
        launch(square, 2, "not an array", None, None)
    assert not module._one_region.locked()
    squares(2)


@pytest.fixture
def no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever enters the parallel region fails; a team can be of one by chance as well."""
    squares(2)

    def refuse(*_: object) -> None:
        pytest.fail("the parallel region was entered")

    monkeypatch.setattr(module, "run_team", refuse)


@pytest.mark.usefixtures("no_region")
def test_one_thread_needs_no_region() -> None:
    assert squares(1) == 1


@pytest.mark.usefixtures("no_region")
def test_launch_during_another_launch_runs_on_one_thread() -> None:
    with module._one_region:
        assert squares(4) == 1


@pytest.mark.usefixtures("no_region")
def test_forked_process_runs_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_is_forked", False)
    module._before_fork()
    module._after_fork_in_child()  # the threads were started by no_region
    assert squares(4) == 1


def test_a_fork_waits_for_the_end_of_the_region_and_gives_it_back() -> None:
    module._before_fork()
    assert module._one_region.locked()
    module._after_fork()
    assert not module._one_region.locked()


def test_fork_waits_for_limited_time_and_releases_only_its_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Taken:
        def acquire(self, timeout: float) -> bool:
            return False

    monkeypatch.setattr(module, "_one_region", Taken())
    module._before_fork()
    module._after_fork()


def test_as_many_threads_as_numba_was_started_with_may_be_used() -> None:
    most = int(numba.config.NUMBA_NUM_THREADS)
    assert [check_threads(threads) for threads in (1, most)] == [1, most]


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_than_one_thread_is_refused(threads: int) -> None:
    with pytest.raises(ConfigError, match=f"threads must be at least 1, got {threads}"):
        check_threads(threads)


def test_more_threads_than_numba_has_are_refused_with_a_remedy() -> None:
    most = int(numba.config.NUMBA_NUM_THREADS)
    with pytest.raises(ConfigError) as caught:
        check_threads(most + 1)
    assert f"at most {most}" in str(caught.value)
    assert f"NUMBA_NUM_THREADS={most + 1}" in str(caught.value)


@pytest.mark.parametrize(("usable", "numba_has", "expected"), [(1, 4, 1), (3, 4, 3), (64, 4, 4)])
def test_the_default_is_all_usable_cpus_that_numba_can_take(
    monkeypatch: pytest.MonkeyPatch, usable: int, numba_has: int, expected: int
) -> None:
    monkeypatch.setattr(module, "usable_cpus", lambda: usable)
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", numba_has)
    assert check_threads(None) == expected
