"""Which step a run takes, on how many threads and in what blocks: by its settings alone."""

from __future__ import annotations

from typing import Any

import pytest

from fastmlp import TrainConfig
from fastmlp.kernels.emit.row_products import MOST_FEATURES
from fastmlp.model.workspace import BLOCK_ROWS
from fastmlp.training.plan import (
    BYTES_ROWS,
    LISTS_DENSITY,
    LISTS_FEATURES,
    LISTS_SHIFT,
    TEAM_LARGE_ROWS,
    TEAM_ROWS,
    TEAM_WEIGHTS,
    TEAM_WORK,
    Inputs,
    Plan,
    plan,
    plan_inputs,
)

RULE: dict[str, Any] = {
    "learning_rate": 0.1, "optimizer": "sgd", "schedule": "constant", "clip_norm": 0.0,
}  # fmt: skip
INPUTS = Inputs("dense", "40% of the features are not zero")
TOO_SMALL = "are too small to share"


def planned(
    n_train: int = 1000, n_weights: int = TEAM_WEIGHTS, threads: int = 3, **settings: Any
) -> Plan:
    return plan(TrainConfig(**{**RULE, **settings}), n_train, n_weights, threads, INPUTS)


def how(found: Plan) -> tuple[str, int, int, int]:
    return found.step, found.batch_size, found.block_rows, found.threads


def test_a_minibatch_goes_through_the_network_in_blocks() -> None:
    assert how(planned(batch_size=32)) == ("general", 32, 32, 3)
    assert how(planned(batch_size=BLOCK_ROWS)) == ("general", BLOCK_ROWS, BLOCK_ROWS, 3)
    assert how(planned(batch_size=BLOCK_ROWS + 1)) == ("general", 129, 65, 3)
    assert how(planned(batch_size=400)) == ("general", 400, 100, 3)


@pytest.mark.parametrize("settings", [{}, {"mode": "batch"}], ids=str)
def test_blocks_are_as_few_and_as_equal_as_they_can_be(settings: dict[str, Any]) -> None:
    config = TrainConfig(**{**RULE, "batch_size": 5000, **settings})
    for batch_size in range(1, 5000):
        block_rows = plan(config, batch_size, TEAM_WEIGHTS, 2, INPUTS).block_rows
        n_blocks = -(-batch_size // block_rows)
        assert 1 <= block_rows <= BLOCK_ROWS
        assert (n_blocks - 1) * BLOCK_ROWS < batch_size  # one block less would not do
        assert n_blocks * (block_rows - 1) < batch_size  # nor would one row less in each


def is_worth_a_team(batch_size: int, n_weights: int) -> bool:
    much_work = n_weights >= TEAM_WEIGHTS or n_weights * batch_size >= TEAM_WORK
    return (much_work and batch_size >= TEAM_ROWS) or batch_size >= TEAM_LARGE_ROWS


@pytest.mark.parametrize("mode", ["minibatch", "batch"])
@pytest.mark.parametrize(
    "n_weights", [1, TEAM_WORK // 33, TEAM_WEIGHTS - 1, TEAM_WEIGHTS, 10 * TEAM_WEIGHTS]
)
@pytest.mark.parametrize(
    "batch_size",
    [1, TEAM_ROWS - 1, TEAM_ROWS, 33, TEAM_LARGE_ROWS - 1, TEAM_LARGE_ROWS, 10 * TEAM_LARGE_ROWS],
)
@pytest.mark.parametrize("threads", [2, 3, 8])
def test_team_is_used_if_there_is_enough_work(
    mode: str, n_weights: int, batch_size: int, threads: int
) -> None:
    rows = {"minibatch": 100 * TEAM_LARGE_ROWS, "batch": batch_size}[mode]
    found = planned(rows, n_weights, threads, mode=mode, batch_size=batch_size)
    assert found.batch_size == batch_size
    assert found.threads == (threads if is_worth_a_team(batch_size, n_weights) else 1)
    # A refused team is explained with the figures of the decision.
    refusals = [reason for reason in found.reasons if TOO_SMALL in reason]
    assert len(refusals) == (found.threads == 1)
    for reason in refusals:
        assert f"{batch_size} rows by {n_weights:,} weights" in reason
        assert f"  because {reason}" in found.lines()
    # Nobody is refused what was not asked for; and all else is the same.
    alone = planned(rows, n_weights, 1, mode=mode, batch_size=batch_size)
    assert alone.threads == 1
    assert not any(TOO_SMALL in reason for reason in alone.reasons)
    assert how(alone)[:3] == how(found)[:3]


def test_what_decides_is_the_update_and_not_the_setting() -> None:
    # A batch of few rows, since there are no more.
    found = planned(TEAM_ROWS - 1, batch_size=TEAM_LARGE_ROWS)
    assert how(found) == ("general", TEAM_ROWS - 1, TEAM_ROWS - 1, 1)
    assert any(f"{TEAM_ROWS - 1} rows" in reason for reason in found.reasons)


def test_a_batch_is_never_larger_than_the_training_part() -> None:
    assert how(planned(50, batch_size=200)) == ("general", 50, 50, 3)


@pytest.mark.parametrize(
    ("n_train", "block_rows"), [(1, 1), (50, 50), (128, 128), (1000, 125), (1025, 114)]
)
def test_batch_mode_takes_every_row(n_train: int, block_rows: int) -> None:
    found = planned(n_train, mode="batch", batch_size=7)
    assert how(found) == ("general", n_train, block_rows, 3 if n_train >= TEAM_ROWS else 1)


def test_accumulating_takes_rows_one_at_a_time() -> None:
    for n_train in (1000, TEAM_LARGE_ROWS):
        assert how(planned(n_train, accumulate=True, batch_size=32)) == ("general", 32, 1, 1)
        found = planned(n_train, accumulate=True, mode="batch")
        assert how(found) == ("general", n_train, 1, 1)
        assert any("which a team cannot share" in reason for reason in found.reasons)


@pytest.mark.parametrize("sampling", ["shuffle", "replacement"])
def test_plain_stochastic_descent_has_its_own_step(sampling: str) -> None:
    found = planned(mode="stochastic", sampling=sampling, batch_size=32)
    assert how(found) == ("per_sample", 1, 1, 2)
    small = planned(n_weights=TEAM_WEIGHTS - 1, mode="stochastic", sampling=sampling)
    assert how(small) == ("per_sample", 1, 1, 1)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"optimizer": "sgd(momentum=0.5)"}, "optimizer sgd(momentum=0.5) is not plain SGD"),
        ({"optimizer": "adam"}, "optimizer adam is not plain SGD"),
        ({"l1": 1e-9}, "the penalty changes every weight"),
        ({"l2": 1e-9, "monitor": "train_objective"}, "needs the penalty before every update"),
        ({"l2": 1.1}, "the penalty decays all weights by more than a tenth"),
        ({"optimizer": "adamw"}, "optimizer adamw is not plain SGD"),
        ({"optimizer": "rmsprop"}, "optimizer rmsprop is not plain SGD"),
        ({"max_norm": 1e-9}, "max_norm reads every weight"),
        ({"clip_norm": 1e-9}, "clipping needs the whole gradient"),
        ({"clip_value": 1e-9}, "clipping needs the whole gradient"),
        ({"dropout": 0.5}, "dropout needs separate inputs and outputs of a layer"),
        ({"dropout": (0.0, 0.5)}, "dropout needs separate inputs and outputs of a layer"),
        ({"input_dropout": 0.5}, "dropout needs separate inputs and outputs of a layer"),
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
        {"l2": 0.9},
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
    assert how(planned(mode="stochastic", **settings)) == ("per_sample", 1, 1, 2)


def test_a_plan_depends_on_nothing_but_its_arguments() -> None:
    assert planned() == planned()


def test_lines_report_action_and_reason() -> None:
    for settings in (
        {}, {"n_weights": 1}, {"mode": "stochastic"}, {"mode": "stochastic", "l1": 1},
    ):  # fmt: skip
        found = planned(**settings)
        first, *others = found.lines()
        for fact in (found.step, f"{found.batch_size} rows", f"threads: {found.threads}"):
            assert fact in first
        why = [f"  because {reason}" for reason in found.reasons]
        assert why
        assert others == [*why, "inputs: dense", "  because 40% of the features are not zero"]


@pytest.mark.parametrize(
    ("settings", "n_features", "density", "kind"),
    [
        ({}, 784, 0.19, "shifted lists"),
        ({"mode": "batch", "optimizer": "adam"}, 784, LISTS_DENSITY, "shifted lists"),
        ({"mode": "stochastic", "l1": 0.1}, 784, 0.19, "shifted lists"),
        ({}, 784, LISTS_DENSITY + 0.01, "dense"),
        ({}, LISTS_FEATURES, 0.0, "shifted lists"),
        ({}, LISTS_FEATURES - 1, 0.0, "dense"),
        ({"input_dropout": 0.1}, 784, 0.19, "dense"),
        ({"dropout": 0.5}, 784, 0.19, "shifted lists"),
        ({"mode": "stochastic"}, 4, 1.0, "lists"),
        ({"mode": "stochastic"}, 4, 0.2, "shifted lists"),
    ],
    ids=str,
)
def test_rows_are_lists_where_most_features_are_zero(
    settings: dict[str, Any], n_features: int, density: float, kind: str
) -> None:
    found = plan_inputs(TrainConfig(**{**RULE, **settings}), n_features, density)
    assert found.kind == kind
    assert found.reason


@pytest.mark.parametrize(
    ("settings", "facts", "kind"),
    [
        ({}, (784, 0.19), "bytes"),
        ({"mode": "batch", "optimizer": "adam"}, (LISTS_FEATURES, LISTS_DENSITY), "bytes"),
        ({}, (LISTS_FEATURES - 1, 0.19), "dense"),
        ({}, (784, LISTS_DENSITY + 0.01), "dense"),
        ({}, (784, 0.19, 1.01 * LISTS_SHIFT), "dense"),
        ({"input_dropout": 0.1}, (784, 0.19), "dense"),
        ({"mode": "stochastic"}, (784, 0.19), "shifted lists"),
        ({"mode": "stochastic", "dropout": 0.5}, (784, 0.19), "shifted lists"),
        ({"mode": "minibatch", "batch_size": BYTES_ROWS}, (784, 0.19), "bytes"),
        ({"mode": "minibatch", "batch_size": BYTES_ROWS - 1}, (784, 0.19), "shifted lists"),
        ({"mode": "batch", "accumulate": True}, (784, 0.19), "shifted lists"),
    ],
    ids=str,
)
def test_bytes_are_looked_through_where_lists_would_pay(
    settings: dict[str, Any], facts: tuple[Any, ...], kind: str
) -> None:
    found = plan_inputs(TrainConfig(**{**RULE, **settings}), *facts, are_bytes=True)
    assert found.kind == kind


@pytest.mark.parametrize(
    ("settings", "facts", "is_plain", "kind"),
    [
        ({}, (784, 0.19), True, "bytes"),
        ({"l2": 0.01}, (LISTS_FEATURES, LISTS_DENSITY), True, "bytes"),
        ({}, (784, 0.19), False, "shifted lists"),
        ({}, (784, LISTS_DENSITY + 0.01), True, "lists"),
        ({}, (LISTS_FEATURES - 1, 0.19), True, "shifted lists"),
        ({}, (MOST_FEATURES + 1, 0.19), True, "shifted lists"),
        ({"hidden_layer_sizes": ()}, (784, 0.19), True, "shifted lists"),
        ({"dropout": 0.5}, (784, 0.19), True, "shifted lists"),
    ],
    ids=str,
)
def test_the_per_sample_step_looks_ahead_over_bytes_that_are_only_multiplied(
    settings: dict[str, Any], facts: tuple[Any, ...], is_plain: bool, kind: str
) -> None:
    config = TrainConfig(**{**RULE, "mode": "stochastic", **settings})
    assert plan_inputs(config, *facts, are_bytes=True, is_plain=is_plain).kind == kind


@pytest.mark.parametrize(("mode", "kind"), [("minibatch", "dense"), ("stochastic", "lists")])
def test_a_large_offset_is_not_kept_apart(mode: str, kind: str) -> None:
    config = TrainConfig(**RULE, mode=mode)
    assert plan_inputs(config, 784, 0.1, LISTS_SHIFT).kind == "shifted lists"
    assert plan_inputs(config, 784, 0.1, 1.01 * LISTS_SHIFT).kind == kind


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (16, 99)},
        {"hidden_layer_sizes": (8,), "dtype": "float64"},
        {"hidden_layer_sizes": (99, 99), "activation": ("softmax", "relu")},
    ],
    ids=str,
)
def test_a_first_layer_that_cannot_be_halved_is_one_threads(settings: dict[str, Any]) -> None:
    assert planned(mode="stochastic", **settings).threads == 1


@pytest.mark.parametrize("density", [0.0, 1e-5, 1.0])
@pytest.mark.parametrize("n_features", [1, LISTS_FEATURES, 10**6])
def test_a_sparse_matrix_is_lists_whatever_its_width_and_density(
    n_features: int, density: float
) -> None:
    found = plan_inputs(TrainConfig(**RULE), n_features, density, is_sparse=True)
    assert found.kind == "shifted lists" and "sparse matrix" in found.reason
    stochastic = TrainConfig(**RULE, mode="stochastic")
    assert plan_inputs(stochastic, n_features, density, is_sparse=True).kind == "shifted lists"


def test_densities_of_sparse_features_are_distinguished() -> None:
    found = plan_inputs(TrainConfig(**RULE), 1000, 0.0012, is_sparse=True)
    assert found.reason.startswith("0.12% of the features")


@pytest.mark.parametrize(
    ("n_features", "most"),
    [(784, BLOCK_ROWS), (50_000, BLOCK_ROWS), (2**20, 32), (2**25, 1), (2**26, 1)],
)
def test_of_the_widest_lists_fewer_rows_are_taken_at_once(n_features: int, most: int) -> None:
    inputs = plan_inputs(TrainConfig(**RULE), n_features, 0.001)
    assert inputs.most_rows == most
    config = TrainConfig(**RULE, batch_size=100)
    found = plan(config, 1000, TEAM_WEIGHTS, 2, inputs)
    assert found.block_rows == (100 if most == BLOCK_ROWS else min(most, 25))
    assert (
        plan_inputs(TrainConfig(**RULE, input_dropout=0.1), n_features, 0.001).most_rows
        == BLOCK_ROWS
    )
