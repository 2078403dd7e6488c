"""Learning-rate schedules: their first twenty factors, worked sequences, and warm-up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.base.errors import ConfigError
from fastmlp.ops.schedules import SCHEDULES

# The first twenty factors with 2 updates an epoch, in a run of 10 epochs.
STEPS_PER_EPOCH, EPOCHS = 2, 10
TWENTY = {
    "constant": [1.0] * 20,
    "step(every=3, factor=0.5)": [1.0] * 6 + [0.5] * 6 + [0.25] * 6 + [0.125] * 2,
    "exponential(0.5)": [0.5 ** (t // 2) for t in range(20)],
    "inverse": [
        1.0, 0.70710678, 0.57735027, 0.5, 0.4472136, 0.40824829, 0.37796447, 0.35355339,
        0.33333333, 0.31622777, 0.30151134, 0.28867513, 0.2773501, 0.26726124, 0.25819889,
        0.25, 0.24253563, 0.23570226, 0.22941573, 0.2236068,
    ],
    "inverse(power=1)": [1 / t for t in range(1, 21)],
    "cosine": [
        1.0, 0.99384417, 0.97552826, 0.94550326, 0.9045085, 0.85355339, 0.79389263, 0.72699525,
        0.65450850, 0.57821723, 0.5, 0.42178277, 0.3454915, 0.27300475, 0.20610737, 0.14644661,
        0.0954915, 0.05449674, 0.02447174, 0.00615583,
    ],
    "cosine(least=0.2)": [0.2 + 0.4 * (1 + math.cos(math.pi * t / 20)) for t in range(20)],
    "cosine(flat=0.5)": [
        *[1.0] * 10, *(0.5 + 0.5 * math.cos(math.pi * t / 10) for t in range(10)),
    ],
    # Cycles end at 1/15, 3/15 and 7/15 of the run.
    "coslog": [0.5 - 0.5 * math.cos(2 * math.pi * math.log2(1 + 0.75 * t)) for t in range(20)],
    "coslog(1)": [0.5 - 0.5 * math.cos(2 * math.pi * math.log2(1 + t / 20)) for t in range(20)],
    # Up to update 5 = 0.3 * 20 - 1, and down to update 19.
    "one_cycle(start=4, end=100)": [
        *(0.25 + 0.75 * (1 - math.cos(math.pi * t / 5)) / 2 for t in range(6)),
        *(0.0025 + 0.9975 * (1 + math.cos(math.pi * t / 14)) / 2 for t in range(1, 15)),
    ],
    "plateau": [1.0] * 20,
    "adaptive": [1.0] * 20,
    # With one row an epoch.
    "invscaling": [(1 + t // 2) ** -0.5 for t in range(20)],
    "invscaling(power=1, seen=3)": [1.0, 1.0, *(1 / (4 + t // 2) for t in range(2, 20))],
}  # fmt: skip
# What warm-up stands in front of.
SPECS = [*TWENTY, "one_cycle", "one_cycle(rise=0.01)", "one_cycle(rise=0.99)"]


def factors(
    spec: str, first: int = 0, last: int = STEPS_PER_EPOCH * EPOCHS,
    steps_per_epoch: int = STEPS_PER_EPOCH, epochs: int = EPOCHS,
) -> np.ndarray:  # fmt: skip
    return SCHEDULES.parse(spec).factors(first, last, steps_per_epoch, epochs)


def with_warmup(spec: str, warmup: float) -> str:
    return f"{spec[:-1]}, warmup={warmup})" if spec.endswith(")") else f"{spec}(warmup={warmup})"


def watched(spec: str, monitored: list[float], base_rate: float = 1.0) -> list[float]:
    """The controller's factor after each observation."""
    controller = SCHEDULES.parse(spec).controller(base_rate)
    assert controller.factor == 1
    values = []
    for value in monitored:
        controller.observe(value)
        values.append(controller.factor)
    return values


# --- functions of time ---


def test_the_table_covers_the_registry() -> None:
    assert {SCHEDULES.parse(spec).name for spec in TWENTY} == set(SCHEDULES.names())


@pytest.mark.parametrize("spec", TWENTY)
def test_the_first_twenty_factors_are_those_worked_by_hand(spec: str) -> None:
    np.testing.assert_allclose(factors(spec), TWENTY[spec], rtol=0, atol=5e-9)


def test_decay_by_epochs_waits_for_the_end_of_an_epoch() -> None:
    found = factors("step(every=2, factor=0.1)", 0, 50, steps_per_epoch=10)
    np.testing.assert_allclose(found, [1.0] * 20 + [0.1] * 20 + [0.01] * 10)
    np.testing.assert_allclose(
        factors("exponential(0.9)", 0, 14, steps_per_epoch=7), [1.0] * 7 + [0.9] * 7
    )


def test_invscaling_counts_samples_and_holds_the_rate_for_an_epoch() -> None:
    found = SCHEDULES.parse("invscaling(power=0.5)").factors(0, 6, 2, 3, rows_per_epoch=24)
    np.testing.assert_allclose(found, [1, 1, 1 / 5, 1 / 5, 1 / 7, 1 / 7])


def test_one_cycle_starts_low_peaks_at_the_base_rate_and_ends_lowest() -> None:
    found = factors("one_cycle")
    assert found[0] == pytest.approx(1 / 25)
    assert found[5] == found.max() == pytest.approx(1)
    assert found[-1] == pytest.approx(1 / 250_000)
    assert (np.diff(found[:6]) > 0).all() and (np.diff(found[5:]) < 0).all()


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("warmup", [1.0, 2.5])
def test_warmup_rises_linearly_and_the_schedule_starts_after_it(spec: str, warmup: float) -> None:
    # 2.5 epochs of 2 updates are 5 updates; the schedule has what is left of the run.
    rising, total = int(warmup * STEPS_PER_EPOCH), STEPS_PER_EPOCH * EPOCHS
    found, plain = factors(with_warmup(spec, warmup)), SCHEDULES.parse(spec)
    start = plain.factors(0, 1, 1, total - rising)[0]
    np.testing.assert_allclose(found[:rising], start * np.arange(1, rising + 1) / rising)
    by_step = plain.name in ("inverse", "cosine", "coslog", "one_cycle")
    after = (
        plain.factors(0, total - rising, 1, total - rising)
        if by_step
        else plain.factors(0, total - rising, STEPS_PER_EPOCH, EPOCHS)
    )
    np.testing.assert_allclose(found[rising:], after, rtol=1e-14)


def test_warmup_may_be_a_part_of_an_epoch_or_longer_than_the_run() -> None:
    part = factors("constant(warmup=0.5)", 0, 12, steps_per_epoch=8)
    np.testing.assert_allclose(part, [0.25, 0.5, 0.75] + [1.0] * 9)
    long = factors("cosine(warmup=20)")
    np.testing.assert_allclose(long, np.arange(1, 21) / 40)


each_run = given(
    spec=st.sampled_from(SPECS),
    warmup=st.sampled_from([0.0, 0.3, 1.0, 50.0]),
    steps_per_epoch=st.integers(1, 9),
    epochs=st.integers(1, 9),
    cut=st.integers(0, 120),
)


@each_run
def test_factors_in_pieces_are_the_factors_at_once(
    spec: str, warmup: float, steps_per_epoch: int, epochs: int, cut: int
) -> None:
    run = (steps_per_epoch, epochs)
    spec = with_warmup(spec, warmup)
    whole = factors(spec, 0, 120, *run)
    pieces = [factors(spec, 0, cut, *run), factors(spec, cut, 120, *run)]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


@each_run
def test_factors_stay_between_0_and_1_even_beyond_the_end(
    spec: str, warmup: float, steps_per_epoch: int, epochs: int, cut: int
) -> None:
    found = factors(with_warmup(spec, warmup), cut, cut + 200, steps_per_epoch, epochs)
    assert found.dtype == np.float64 and found.shape == (200,)
    assert (found >= 0).all() and (found <= 1 + 1e-12).all()


@pytest.mark.parametrize(("spec", "last"), [("cosine(0.1)", 0.1), ("one_cycle(end=10)", 0.004)])
def test_beyond_the_end_the_least_factor_stays(spec: str, last: float) -> None:
    np.testing.assert_allclose(factors(spec, 20, 60), last)


@pytest.mark.parametrize("spec", SPECS)
def test_no_updates_have_no_factors(spec: str) -> None:
    assert factors(spec, 7, 7).shape == (0,)


# --- PyTorch's formulas, where it is installed ---

TORCH = {
    "step(every=3, factor=0.5)": lambda s, o: s.StepLR(o, 3, gamma=0.5),
    "exponential(0.8)": lambda s, o: s.ExponentialLR(o, gamma=0.8),
    "cosine(least=0.1)": lambda s, o: s.CosineAnnealingLR(o, T_max=20, eta_min=0.1),
    "one_cycle": lambda s, o: s.OneCycleLR(
        o, 1.0, total_steps=20, anneal_strategy="cos", three_phase=False, cycle_momentum=False
    ),
    "one_cycle(0.4, 10, 50)": lambda s, o: s.OneCycleLR(
        o, 1.0, total_steps=20, pct_start=0.4, div_factor=10.0, final_div_factor=50.0,
        cycle_momentum=False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("spec", TORCH)
def test_factors_are_those_of_pytorch(spec: str) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = TORCH[spec](torch.optim.lr_scheduler, optimizer)
    expected = []
    for _ in range(20):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    # One update an epoch: PyTorch counts the calls of step().
    np.testing.assert_allclose(factors(spec, 0, 20, 1, 20), expected, rtol=1e-12, atol=1e-15)


# --- plateau ---


def test_a_constant_rate_stays_whatever_is_observed() -> None:
    assert watched("constant", [3.0, 3.0, math.nan]) == [1.0, 1.0, 1.0]


def test_plateau_lowers_the_rate_after_more_than_patience_stale_epochs() -> None:
    # Stale for:   0    0    1    2     3->0 1    2    3->0 0    1
    monitored = [1.0, 0.9, 0.9, 0.95, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8]
    assert watched("plateau(0.5, patience=2)", monitored) == [
        1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25,
    ]  # fmt: skip


def test_plateau_without_patience_lowers_at_the_first_stale_epoch() -> None:
    assert watched("plateau(0.5, patience=0)", [1.0, 1.0, 0.5, 0.6]) == [1.0, 0.5, 0.5, 0.25]


def test_an_improvement_restarts_the_patience() -> None:
    monitored = [1.0, 1.0, 0.9, 0.9, 0.8, 0.8]
    assert watched("plateau(0.5, patience=1)", monitored) == [1.0] * 6


def test_too_small_an_improvement_is_none() -> None:
    monitored = [1.0, 0.95, 0.91, 0.89]
    assert watched("plateau(0.5, patience=1)", monitored) == [1.0] * 4
    assert watched("plateau(0.5, patience=1, min_delta=0.1)", monitored)[2] == 0.5


def test_nan_is_no_improvement() -> None:
    assert watched("plateau(0.5, patience=1)", [1.0, math.nan, math.nan])[-1] == 0.5


def test_the_rate_does_not_fall_below_its_least() -> None:
    values = watched("plateau(0.1, patience=0, min_rate=0.01)", [1.0] * 6, base_rate=0.2)
    assert values == pytest.approx([1.0, 0.1, 0.05, 0.05, 0.05, 0.05])


def test_a_least_rate_above_the_base_rate_does_not_raise_it() -> None:
    assert watched("plateau(0.5, patience=0, min_rate=1)", [1.0] * 4, base_rate=0.1) == [1.0] * 4


def test_runs_of_one_schedule_do_not_share_their_state() -> None:
    schedule = SCHEDULES.parse("plateau(0.5, patience=0)")
    first, second = schedule.controller(1.0), schedule.controller(1.0)
    for _ in range(3):
        first.observe(1.0)
    assert (first.factor, second.factor) == (0.25, 1.0)


def test_adaptive_reduces_rate_instead_of_stopping_down_to_min_rate() -> None:
    controller = SCHEDULES.parse("adaptive(0.1, min_rate=0.01)").controller(base_rate=0.5)
    assert [(controller.lower(), controller.factor) for _ in range(3)] == [
        (True, 0.1), (True, pytest.approx(0.01)), (False, pytest.approx(0.01)),
    ]  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_only_adaptive_reduces_rate_instead_of_stopping(name: str) -> None:
    schedule = SCHEDULES.parse(name)
    assert schedule.controller(1.0).lower() == schedule.needs_stopping == (name == "adaptive")


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_schedule_that_monitors_a_quantity_declares_it(name: str) -> None:
    moves = watched(f"{name}(patience=0)" if name == "plateau" else name, [1.0, 1.0])[-1] != 1
    assert SCHEDULES.parse(name).needs_monitor == moves


# --- as text ---


@pytest.mark.parametrize("name", SCHEDULES.names())
def test_every_schedule_takes_a_warmup_by_name(name: str) -> None:
    schedule = SCHEDULES.parse(f"{name}(warmup=1.5)")
    assert schedule.warmup == 1.5
    assert str(schedule) == f"{name}(warmup=1.5)"


def test_values_in_order_do_not_mean_the_warmup() -> None:
    schedule = SCHEDULES.parse("step(5, 0.5, warmup=2)")
    assert (schedule.every, schedule.factor, schedule.warmup) == (5, 0.5, 2.0)  # type: ignore[attr-defined]
    assert SCHEDULES.parse(str(schedule)) == schedule
    with pytest.raises(ConfigError, match=r"constant takes warmup; got 1 values"):
        SCHEDULES.parse("constant(5)")
    with pytest.raises(ConfigError, match=r"takes .*; got 3 values"):
        SCHEDULES.parse("step(5, 0.5, 2)")
