from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fastmlp import Dataset
from fastmlp.base.random import Purpose, stream
from fastmlp.kernels.buffers import Data
from fastmlp.kernels.machine.phases import NAMES, PARTS_OF_LAYER
from fastmlp.kernels.steps.deferred import SETTLED
from fastmlp.model.workspace import BLOCK_ROWS
from fastmlp.training import plan as plan_module
from fastmlp.training import slice_length, slices
from fastmlp.training.fit import start
from fastmlp.training.run import Run
from fastmlp.training.steps import Steps
from image_models import pictures
from image_models import settings as image_settings
from toys import BARE, batches, blobs, images, settings, twin_of


def started(dataset: Dataset | None = None, threads: int = 1, **changes: Any) -> Run:
    return start(settings(**{**BARE, **changes}), dataset or blobs(25), threads)


def take_epoch(steps: Steps, epoch: int = 1, rate: float = 0.1) -> None:
    steps.start_epoch(epoch, np.full(steps.steps_per_epoch, rate))
    while not steps.epoch_is_done:
        steps.advance()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The order that each launch is given; nothing is launched."""
    seen: list[list[int]] = []

    def launch(worker: Any, threads: int, *arguments: Any) -> None:
        seen.extend(a.order.tolist() for a in arguments if isinstance(a, Data))

    monkeypatch.setattr(slices, "launch", launch)
    return seen


def draw_order(orders: list[list[int]], epoch: int, **changes: Any) -> list[int]:
    run = started(**changes)
    run.steps.start_epoch(epoch, np.full(run.steps.steps_per_epoch, 0.1))
    run.steps.advance()
    return orders[-1]


@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
def test_the_order_is_keyed_by_seed_and_epoch(orders: list[list[int]], mode: str) -> None:
    for seed, epoch in [(0, 1), (0, 2), (5, 1)]:
        drawn = draw_order(orders, epoch, mode=mode, seed=seed)
        assert drawn == stream(seed, Purpose.SHUFFLE, epoch).permutation(25).tolist()


def test_epochs_and_seeds_differ(orders: list[list[int]]) -> None:
    drawn = [draw_order(orders, epoch, seed=seed) for seed, epoch in [(0, 1), (0, 2), (5, 1)]]
    assert len({tuple(order) for order in drawn}) == 3
    assert all(sorted(order) == list(range(25)) for order in drawn)


@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
def test_replacement_draws_as_many_rows_as_there_are(orders: list[list[int]], mode: str) -> None:
    drawn = draw_order(orders, 3, mode=mode, sampling="replacement", seed=5)
    assert drawn == stream(5, Purpose.SAMPLE, 3).integers(0, 25, size=25).tolist()
    assert len(set(drawn)) < len(drawn) == 25


def test_a_full_batch_keeps_the_order_of_the_data(orders: list[list[int]]) -> None:
    assert draw_order(orders, 2, mode="batch") == list(range(25))


def test_rows_updates_and_iterations_are_counted() -> None:
    steps = started().steps
    assert (steps.steps_per_epoch, steps.iterations, steps.rows_done) == (3, 0, 0)
    for epoch in (1, 2):
        steps.start_epoch(epoch, np.full(3, 0.1))
        for step, rows in enumerate([10, 20, 25], start=1):
            assert not steps.epoch_is_done
            steps.advance(step)
            assert (steps.steps_done, steps.rows_done) == (step, rows)
            assert steps.iterations == 3 * (epoch - 1) + step
        assert steps.epoch_is_done


@pytest.mark.parametrize("mode", ["minibatch", "stochastic", "batch"])
def test_the_report_holds_the_sums_of_each_update(mode: str) -> None:
    run = started(mode=mode, epochs=1, learning_rate=0.1)
    expected = twin_of(run)[2]
    take_epoch(run.steps)
    report = run.steps.report
    assert report.rows.tolist() == [len(b) for b in batches(run.config, 25, 1)]
    np.testing.assert_allclose(report.loss, [step.loss for step in expected], rtol=1e-10)
    assert report.hits.tolist() == [step.hits for step in expected]


def test_means_are_over_rows_and_not_over_batches() -> None:
    steps = started().steps
    take_epoch(steps)
    loss, hits = steps.report.loss, steps.report.hits
    assert steps.mean_loss() == pytest.approx(loss.sum() / 25, rel=1e-15)
    assert steps.mean_loss(1) == pytest.approx((loss[1] + loss[2]) / 15, rel=1e-15)
    assert steps.mean_loss(2) == pytest.approx(loss[2] / 5, rel=1e-15)
    assert steps.hit_rate() == hits.sum() / 25
    assert steps.hit_rate(2) == hits[2] / 5


def test_means_in_the_middle_of_an_epoch_are_over_what_is_done() -> None:
    steps = started().steps
    steps.start_epoch(1, np.full(3, 0.1))
    assert math.isnan(steps.mean_loss()) and math.isnan(steps.hit_rate())
    steps.advance(1)
    assert steps.mean_loss() == steps.report.loss[0] / 10
    assert steps.worst_step_loss() == steps.report.loss[0] / 10


def test_the_worst_update_has_the_largest_loss_per_row() -> None:
    steps = started().steps
    take_epoch(steps)
    for sums in ([50.0, 20.0, 30.0], [70.0, 20.0, 30.0]):
        steps.report.loss[:] = sums
        assert steps.worst_step_loss() == max(sums[0] / 10, sums[1] / 10, sums[2] / 5)


def test_a_loss_that_is_nan_is_the_worst() -> None:
    steps = started().steps
    take_epoch(steps)
    steps.report.loss[1] = math.nan
    assert math.isnan(steps.worst_step_loss())


def test_a_new_epoch_starts_a_new_report() -> None:
    steps = started().steps
    take_epoch(steps)
    before = steps.report
    take_epoch(steps, epoch=2, rate=0.0)
    assert before.rates.tolist() == [0.1] * 3
    assert steps.report.rates.tolist() == [0.0] * 3
    assert steps.report.rows.sum() == before.rows.sum() == 25


def test_a_rate_of_zero_changes_no_weight() -> None:
    run = started()
    before = run.network.params.copy()
    take_epoch(run.steps, rate=0.0)
    np.testing.assert_array_equal(run.network.params, before)


def test_compiling_takes_no_step() -> None:
    run = started()
    before = run.network.params.copy()
    run.steps.compile()
    np.testing.assert_array_equal(run.network.params, before)
    assert (run.steps.iterations, run.steps.rows_done, run.steps.seconds.total) == (0, 0, 0.0)


def test_time_is_counted_and_adds_up() -> None:
    steps = started().steps
    take_epoch(steps)
    first = steps.seconds.total
    take_epoch(steps, epoch=2)
    assert steps.seconds.total > first > 0


def test_layers_are_parts_of_phases() -> None:
    run = start(image_settings(epochs=1, mode="batch"), pictures(200), threads=1)
    run.compile()
    run.steps.start_epoch(1, np.full(1, 0.1))
    run.steps.advance()
    layers, phases = run.steps.seconds.layers(), run.steps.seconds.phases()
    assert layers.shape == (5, 3)
    for part, name in enumerate(PARTS_OF_LAYER):
        assert 0 < layers[:, part].sum() <= phases[name]
    conv, pool, dropout, dense, output = layers
    for layer in (conv, dense, output):
        assert layer.min() > 0
    assert dropout[:2].min() > 0
    assert not pool.any()  # computed with the convolution


def test_phases_are_parts_of_the_time_counted() -> None:
    steps = started(blobs(300)).steps
    steps.compile()
    take_epoch(steps)
    phases = steps.seconds.phases()
    assert tuple(phases) == NAMES
    assert min(phases.values()) >= 0
    assert 0 < sum(phases.values()) < 1.1 * steps.seconds.total


@pytest.mark.parametrize("mode", ["stochastic", "minibatch"])
def test_no_phases_are_made_up(mode: str) -> None:
    steps = started(mode=mode).steps
    assert steps.seconds.phases() == {}
    steps.compile()
    assert steps.seconds.phases() == {}
    take_epoch(steps)
    assert bool(steps.seconds.phases()) == (mode == "minibatch")


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 10},
        {"batch_size": 2 * BLOCK_ROWS + 10},  # a slice can end within a batch
        {"accumulate": True},
        {"mode": "batch", "batch_size": 300},
        {"mode": "stochastic"},
        {"optimizer": "adam", "batch_size": 2 * BLOCK_ROWS + 10},
        {"mode": "stochastic", "l2": 0.01, "scale": "standard"},
        {"mode": "stochastic", "scale": "unit", "l2": 0.001, "hidden_layer_sizes": (40,)},
    ],
)
def test_slices_cannot_change_a_bit(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    rows = 450 if changes.get("batch_size", 0) > 10 else 100
    if "l2" in changes:
        rows = 3 * SETTLED
    dataset = images(rows) if changes.get("scale") == "unit" else blobs(rows)
    monkeypatch.setattr(plan_module, "TEAM_LARGE_ROWS", 10)  # a team where it can be
    found = set()
    for blocks, seconds in [(1, 0.0), (3, 0.0), (10**6, 0.04)]:
        monkeypatch.setattr(slice_length, "_FIRST", blocks)
        monkeypatch.setattr(slice_length, "_SECONDS", seconds)
        run = started(dataset, threads=2, dtype="float32", **changes)
        alone = "accumulate" in changes or changes.get("mode") == "stochastic"
        assert run.plan.threads == (1 if alone else 2)
        for epoch in (1, 2):
            take_epoch(run.steps, epoch)
        report = run.steps.report
        found.add((run.network.params.tobytes(), report.loss.tobytes(), report.hits.tobytes()))
    assert len(found) == 1


def test_slices_grow_and_shrink_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    def launches(seconds: float, copies: float = 0, longest: float = 0) -> int:
        monkeypatch.setattr(slice_length, "_SECONDS", seconds)
        monkeypatch.setattr(slice_length, "_COPIES", copies)
        monkeypatch.setattr(slice_length, "_LONGEST_SECONDS", longest)
        steps = started(blobs(300), batch_size=1).steps
        steps.start_epoch(1, np.full(steps.steps_per_epoch, 0.1))
        count = 0
        while not steps.epoch_is_done:
            steps.advance()
            count += 1
        return count

    assert launches(1e6) == 3  # 32 + 128, then the rest
    assert launches(0.0) == 1 + 1 + 1 + 258  # 32, 8, 2, then one by one
    # Where it takes long to copy the weights, slices are longer, up to a limit.
    assert launches(0.0, copies=1e12, longest=1e6) == 3
    assert launches(0.0, copies=1e12, longest=0.0) == 1 + 1 + 1 + 258
