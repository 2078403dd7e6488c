"""Schedules in the loop: the rates that updates are given, and those that are recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmlp import fit
from fastmlp.kernels.slices import Report, Slice
from fastmlp.ops.schedules import SCHEDULES
from fastmlp.training import ahead, slices
from toys import BARE, blobs, settings

N, EPOCHS, BASE = 25, 6, 0.02
UPDATES = {"stochastic": 25, "minibatch": 3, "batch": 1}


def one_cycle(t: np.ndarray, per_epoch: int, total: int) -> np.ndarray:
    peak = 0.5 * total - 1
    rise = 0.1 + 0.9 * (1 - np.cos(np.pi * t / peak)) / 2 if peak > 0 else np.ones(len(t))
    fall = (1 + np.cos(np.pi * (t - peak) / (total - 1 - peak))) / 2
    return np.where(t <= peak, rise, 0.001 + 0.999 * fall)


# Formulas of update t of T after the warm-up, with a number of updates per epoch.
FORMULAS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "constant": lambda t, per_epoch, T: np.ones(len(t)),
    "step(every=2, factor=0.5)": lambda t, per_epoch, T: 0.5 ** (t // per_epoch // 2),
    "exponential(0.8)": lambda t, per_epoch, T: 0.8 ** (t // per_epoch),
    "invscaling(power=0.25)": lambda t, per_epoch, T: (1 + N * (t // per_epoch)) ** -0.25,
    "inverse(power=0.75)": lambda t, per_epoch, T: (t + 1) ** -0.75,
    "cosine(least=0.25)": lambda t, per_epoch, T: 0.25 + 0.75 * (1 + np.cos(np.pi * t / T)) / 2,
    "cosine(flat=0.25)": lambda t, per_epoch, T: (
        1 + np.cos(np.pi * np.maximum(t / T - 0.25, 0) / 0.75)
    ) / 2,
    "coslog(2)": lambda t, per_epoch, T: (1 - np.cos(2 * np.pi * np.log2(1 + 3 * t / T))) / 2,
    "one_cycle(rise=0.5, start=10, end=100)": one_cycle,
    # At this rate nothing improves by so much: lowered after every second epoch from the first.
    "plateau(0.5, patience=1, min_delta=100)": lambda t, per_epoch, T: 0.5 ** (
        np.maximum(t // per_epoch - 1, 0) // 2
    ),
}  # fmt: skip


def expected(schedule: str, warmup: int, per_epoch: int) -> np.ndarray:
    formula, total = FORMULAS[schedule], EPOCHS * per_epoch
    if schedule.startswith("plateau"):  # monitors epochs, and is not delayed by a warm-up
        factors = formula(np.arange(total), per_epoch, total)
        factors[: warmup * per_epoch] *= np.arange(1, warmup * per_epoch + 1) / max(
            1, warmup * per_epoch
        )
        return BASE * factors
    rising = warmup * per_epoch
    t = np.arange(total - rising)
    after = formula(t, per_epoch, total - rising)
    return BASE * np.concatenate([np.arange(1, rising + 1) / max(1, rising) * after[0], after])


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rate of each update, as the kernel is given it."""
    rates: list[float] = []
    launch = slices.launch
    monkeypatch.setattr(ahead, "_MOST_EPOCHS", 1)  # each epoch is launched once

    def record(worker: Any, threads: int, *arguments: Any) -> None:
        (part,) = (a for a in arguments if isinstance(a, Slice))
        (report,) = (a for a in arguments if isinstance(a, Report))
        first, last = part.first // part.blocks_per_batch, part.last // part.blocks_per_batch
        rates.extend(report.rates[first:last].tolist())
        launch(worker, threads, *arguments)

    monkeypatch.setattr(slices, "launch", record)
    return rates


def test_every_schedule_is_here() -> None:
    there = {spec.partition("(")[0] for spec in FORMULAS}
    assert there | {"adaptive"} == set(SCHEDULES.names())


@pytest.mark.parametrize("warmup", [0, 2])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("mode", UPDATES)
@pytest.mark.parametrize("schedule", FORMULAS)
def test_each_update_has_the_rate_of_its_schedule(
    given: list[float], schedule: str, mode: str, optimizer: str, warmup: int
) -> None:
    spec = schedule
    if warmup:
        inside = schedule.rstrip(")").partition("(")[2]
        name = schedule.partition("(")[0]
        spec = f"{name}({inside + ', ' if inside else ''}warmup={warmup})"
    config = settings(
        **BARE, mode=mode, optimizer=optimizer, epochs=EPOCHS, learning_rate=BASE, schedule=spec,
        monitor="train_loss", hidden_layer_sizes=(3,),
    )  # fmt: skip
    result = fit(config, blobs(N))
    per_epoch = UPDATES[mode]
    rates = expected(schedule, warmup, per_epoch)
    assert len(given) == EPOCHS * per_epoch
    np.testing.assert_allclose(given, rates, rtol=1e-12)
    assert result.history["learning_rate"] == given[::per_epoch]


def test_an_adaptive_rate_falls_where_training_would_stop(given: list[float]) -> None:
    """Nothing improves by so much: stale from the second epoch on, lowered at every second."""
    config = settings(
        **BARE, epochs=9, learning_rate=BASE, schedule="adaptive(factor=0.1, min_rate=0.001)",
        early_stopping=2, min_delta=100, monitor="train_loss",
    )  # fmt: skip
    result = fit(config, blobs(N))
    wanted = [BASE] * 3 + [BASE / 10] * 2 + [BASE / 100] * 2
    np.testing.assert_allclose(given[:: UPDATES["minibatch"]], wanted, rtol=1e-12)
    assert (result.status, result.epochs_run) == ("stopped early", 7)


def test_a_run_goes_with_its_rates(given: list[float]) -> None:
    """A run by a schedule is the same run epoch by epoch, each at its constant rate."""
    config = settings(**BARE, mode="batch", epochs=3, schedule="exponential(0.5)")
    whole = fit(config, blobs(N))
    start_from = None
    for rate in whole.history["learning_rate"]:
        single = config.replace(epochs=1, schedule="constant", learning_rate=rate)
        network = fit(single, blobs(N), initial_weights=start_from).predictor.network
        start_from = (network.weights, network.biases)
    np.testing.assert_array_equal(whole.predictor.network.params, network.params)


def test_a_run_that_ends_within_its_warmup_only_rises(given: list[float]) -> None:
    fit(settings(**BARE, epochs=2, learning_rate=BASE, schedule="cosine(warmup=4)"), blobs(N))
    np.testing.assert_allclose(given, BASE * np.arange(1, 7) / 12, rtol=1e-12)


def test_half_an_epoch_of_warmup_is_rounded_to_updates(given: list[float]) -> None:
    fit(settings(**BARE, epochs=1, learning_rate=BASE, schedule="constant(warmup=0.5)"), blobs(40))
    np.testing.assert_allclose(given, BASE * np.array([0.5, 1, 1, 1]), rtol=1e-12)
