from __future__ import annotations

from typing import Any

import pytest

from fastmlp import TrainConfig
from fastmlp.model.workspace import BLOCK_ROWS
from fastmlp.training.plan import TEAM_ROWS, Plan, plan


def planned(n_train: int = 1000, threads: int = 3, **settings: Any) -> Plan:
    return plan(TrainConfig(**settings), n_train, threads)


def how(found: Plan) -> tuple[str, int, int, int]:
    return found.step, found.batch_size, found.block_rows, found.threads


def test_a_minibatch_goes_through_the_network_in_blocks() -> None:
    assert how(planned(batch_size=32)) == ("general", 32, 32, 1)
    assert how(planned(batch_size=BLOCK_ROWS)) == ("general", BLOCK_ROWS, BLOCK_ROWS, 1)
    assert how(planned(batch_size=400)) == ("general", 400, BLOCK_ROWS, 3)


def test_a_team_works_on_updates_of_many_rows() -> None:
    assert planned(batch_size=TEAM_ROWS).threads == 3
    few = planned(batch_size=TEAM_ROWS - 1)
    assert few.threads == 1
    assert any("the weights travel" in reason for reason in few.reasons)
    alone = planned(batch_size=TEAM_ROWS - 1, threads=1)
    assert not any("the weights travel" in reason for reason in alone.reasons)


def test_a_batch_is_never_larger_than_the_training_part() -> None:
    assert how(planned(50, batch_size=200)) == ("general", 50, 50, 1)


@pytest.mark.parametrize("n_train", [1, 50, 1000])
def test_batch_mode_takes_every_row(n_train: int) -> None:
    found = planned(n_train, mode="batch", batch_size=7)
    threads = 3 if n_train >= TEAM_ROWS else 1
    assert how(found) == ("general", n_train, min(n_train, BLOCK_ROWS), threads)


def test_accumulating_takes_rows_one_at_a_time() -> None:
    assert how(planned(accumulate=True, batch_size=32)) == ("general", 32, 1, 1)
    assert how(planned(accumulate=True, mode="batch")) == ("general", 1000, 1, 1)


@pytest.mark.parametrize("sampling", ["shuffle", "replacement"])
def test_plain_stochastic_descent_has_a_step_of_its_own(sampling: str) -> None:
    found = planned(mode="stochastic", sampling=sampling, batch_size=32)
    assert how(found) == ("per_sample", 1, 1, 1)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"optimizer": "sgd(momentum=0.5)"}, "optimizer sgd(momentum=0.5) changes every weight"),
        ({"optimizer": "adam"}, "optimizer adam changes every weight"),
        ({"l1": 1e-9}, "the penalty changes every weight"),
        ({"l2": 1e-9}, "the penalty changes every weight"),
        ({"optimizer": "adamw"}, "optimizer adamw changes every weight"),
        ({"optimizer": "rmsprop"}, "optimizer rmsprop changes every weight"),
        ({"max_norm": 1e-9}, "max_norm looks at every weight"),
        ({"clip_norm": 1e-9}, "clipping needs the whole gradient"),
        ({"clip_value": 1e-9}, "clipping needs the whole gradient"),
        ({"dropout": 0.5}, "dropout needs inputs and outputs of a layer apart"),
        ({"dropout": (0.0, 0.5)}, "dropout needs inputs and outputs of a layer apart"),
        ({"input_dropout": 0.5}, "dropout needs inputs and outputs of a layer apart"),
    ],
)
def test_what_changes_every_weight_takes_the_general_step(
    settings: dict[str, Any], reason: str
) -> None:
    found = planned(mode="stochastic", **settings)
    assert how(found) == ("general", 1, 1, 1)
    assert any(reason in line for line in found.reasons)


@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": (0.0, 0.0)},
        {"label_smoothing": 0.1},
        {"activation": ("elu", "gelu")},
        {"loss": "huber"},
        {"output_activation": "exponential", "loss": "poisson"},
        {"schedule": "one_cycle(warmup=2)"},
        {"schedule": "plateau"},
        {"target_scale": "standard"},
        {"threshold": 0.7},
    ],
    ids=str,
)
def test_what_changes_no_further_weight_keeps_the_step_per_sample(
    settings: dict[str, Any],
) -> None:
    assert how(planned(mode="stochastic", **settings)) == ("per_sample", 1, 1, 1)


def test_a_plan_depends_on_nothing_but_its_arguments() -> None:
    assert planned() == planned()


def test_lines_say_what_is_done_and_why() -> None:
    for settings in ({}, {"mode": "stochastic"}, {"mode": "stochastic", "l2": 1}):
        found = planned(**settings)
        first, *others = found.lines()
        for fact in (found.step, f"{found.batch_size} rows", f"threads: {found.threads}"):
            assert fact in first
        assert others == [f"  because {reason}" for reason in found.reasons]
        assert others
