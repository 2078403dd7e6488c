from __future__ import annotations

import math

import numpy as np
import pytest

from fastmlp import ConfigError
from fastmlp.training.monitors import find_monitor
from fastmlp.training.stopping import BestWeights


def follow(monitor: str, values: list[float], min_delta: float = 0.0) -> BestWeights:
    """Observe a value per epoch; the weights of epoch e are [e], those before the first [0]."""
    live = np.zeros(1)
    monitored, best = find_monitor(monitor), BestWeights(min_delta, live)
    for epoch, value in enumerate(values, start=1):
        live[:] = epoch
        best.observe(epoch, monitored.value({monitor: value}), live)
    return best


@pytest.mark.parametrize("monitor", ["validation_loss", "train_loss"])
def test_the_lowest_loss_is_best(monitor: str) -> None:
    best = follow(monitor, [3.0, 1.0, 2.0])
    assert (best.epoch, best.params.tolist()) == (2, [2.0])


@pytest.mark.parametrize("monitor", ["validation_accuracy", "train_accuracy"])
def test_the_highest_accuracy_is_best(monitor: str) -> None:
    best = follow(monitor, [0.3, 0.9, 0.5])
    assert (best.epoch, best.params.tolist()) == (2, [2.0])


def test_of_equals_the_first_is_best() -> None:
    assert follow("train_loss", [2.0, 1.0, 1.0]).epoch == 2


def test_before_the_first_epoch_the_initial_weights_are_best() -> None:
    best = follow("train_loss", [])
    assert (best.epoch, best.params.tolist()) == (None, [0.0])


def test_live_weights_can_change_without_harm() -> None:
    live = np.ones(2)
    best = BestWeights(0.0, live)
    live[:] = 5
    assert best.params.tolist() == [1, 1]
    best.observe(1, 1.0, live)
    live[:] = 7
    assert best.params.tolist() == [5, 5]


@pytest.mark.parametrize(
    ("monitor", "values"),
    [("train_loss", [1.0, 0.75, 0.25]), ("train_accuracy", [0.0, 0.25, 0.75])],
)
def test_an_improvement_must_exceed_min_delta(monitor: str, values: list[float]) -> None:
    best = follow(monitor, values, min_delta=0.5)
    assert best.epoch == 3
    assert follow(monitor, values, min_delta=0.75).epoch == 1


def test_stale_epochs_are_counted_since_the_last_improvement() -> None:
    assert follow("train_loss", [3.0, 4.0, 2.0, 2.0, 2.5]).improvement.stale == 2


def test_nan_is_never_best() -> None:
    assert follow("train_loss", [math.nan, 2.0, math.nan]).epoch == 2


def test_lower_is_better_whatever_is_monitored() -> None:
    row = {"train_loss": 0.25, "train_accuracy": 0.75}
    assert find_monitor("train_loss").value(row) == 0.25
    assert find_monitor("train_accuracy").value(row) == -0.75


def test_what_a_run_does_not_have_cannot_be_monitored() -> None:
    with pytest.raises(ConfigError, match=r"^monitor validation_loss has no value in this run: "):
        find_monitor("validation_loss").value({"validation_loss": None})
