"""Where the time goes, as the first member of a team counts it."""

from __future__ import annotations

import platform

import numpy as np
import pytest

from fastmlp.kernels.machine import phases
from fastmlp.kernels.machine.phases import count, ticks
from harness import DTYPES, Case, Run, cached

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"),
    reason="this machine has no counter",
)

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
# Work enough for each phase, in several blocks, batches and epochs.
CASE = Case(sizes=(40, 64, 48, 3), rows=200, batch_size=50, block_rows=20)


@cached
def now():
    """The time."""
    return ticks()


@cached
def count_once(table, member, phase, back):
    """Count what began ``back`` ticks ago; return when that was, and the time."""
    since = ticks() - back
    return since, count(table, member, phase, since)


def new_table() -> np.ndarray:
    return np.zeros(len(phases.NAMES), np.int64)


def test_names_and_numbers_are_the_same_list() -> None:
    assert [getattr(phases, name.upper()) for name in phases.NAMES] == list(range(6))


def test_clock_advances() -> None:
    times = [now() for _ in range(100)]
    assert times == sorted(times) and times[0] < times[-1]


@pytest.mark.parametrize("phase", range(len(phases.NAMES)))
def test_counts_add_up_for_the_first_member(phase: int) -> None:
    table, expected = new_table(), new_table()
    for back in (1000, 1, 10**6):
        since, time = count_once(table, 0, phase, back)
        expected[phase] += time - since
        assert time - since >= back
    assert table.tolist() == expected.tolist()


@pytest.mark.parametrize("member", [1, 2, 3])
def test_others_count_nothing_but_know_the_time(member: int) -> None:
    table, before = new_table(), now()
    _, time = count_once(table, member, phases.UPDATE, 1000)
    assert not table.any()
    assert before <= time <= now()


@each_dtype
@pytest.mark.parametrize("team", [1, 2])
def test_a_run_counts_each_of_its_phases(dtype: str, team: int) -> None:
    run = Run(CASE.but(dtype=dtype))
    run.train(team, full_team=True)  # compiled, so that what follows is all stepping
    table = run.workspace.work.phases
    first, start = table.copy(), now()
    run.train(team, full_team=True)
    elapsed, spent = now() - start, table - first
    # A team of one does not wait: for less than a tick, if ticks are long.
    assert (spent[: phases.WAIT] > 0).all() and spent[phases.WAIT] >= (team > 1)
    assert spent.sum() <= elapsed


def test_nothing_is_counted_where_nothing_is_done() -> None:
    run = Run(CASE)
    run.train_part(0, 0, [0.1] * run.batches)
    assert not run.workspace.work.phases.any()


@cached
def count_layer_twice(table, member):
    now = phases.count_layer(table, member, 1, phases.LAYER_BACKWARD, 10, 15)
    phases.count_layer(table, member, 1, phases.LAYER_BACKWARD, now, 18)


@pytest.mark.parametrize("member", [0, 1])
def test_the_first_member_counts_the_parts_of_layers(member: int) -> None:
    table = np.zeros(2 * len(phases.PARTS_OF_LAYER), np.int64)

    count_layer_twice(table, member)
    assert table.tolist() == ([0, 0, 0, 0, 8, 0] if member == 0 else [0] * 6)
