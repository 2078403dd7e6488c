"""Sample weights: a row of weight n counts as n rows."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.ops.losses import legal_pairs
from harness import DTYPES, Case, Run, assert_matches_twin

BATCH = Case(rows=9, batch_size=9, epochs=3)

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def with_weights(case: Case, weights: object) -> Run:
    run = Run(case)
    run.data = run.data._replace(weights=np.array(weights, np.float64))
    return run


def repeated(case: Case, counts: np.ndarray) -> Run:
    """The same network and rows, each so often."""
    single, run = Run(case), Run(case.but(rows=counts.sum(), batch_size=counts.sum()))
    run.network.set_weights(single.network.weights, single.network.biases)
    data, rows = single.data, np.repeat(np.arange(case.rows), counts)
    run.data = run.data._replace(
        X=data.X[rows],
        labels=data.labels[rows] if data.labels.size else data.labels,
        targets=data.targets[rows] if data.targets.size else data.targets,
    )
    return run


@pytest.mark.parametrize(("output", "loss"), legal_pairs())
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_weighted_step_is_a_step_on_repeated_rows(output: str, loss: str, l2: float) -> None:
    counts = np.array([1, 2, 0, 3, 1, 1, 4, 0, 2])
    case = BATCH.but(output=output, loss=loss, l2=l2)
    weighted, often = with_weights(case, counts), repeated(case, counts)
    steps, expected = weighted.train(), often.train()
    np.testing.assert_allclose(
        weighted.network.params, often.network.params, rtol=1e-12, atol=1e-12
    )
    for one, other in zip(steps, expected, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-12)
        assert (one.weight, one.rows) == (other.rows, 9)


@each_dtype
@pytest.mark.parametrize(
    "case",
    [
        Case(),
        Case(rows=23, batch_size=7, block_rows=3, l1=0.01, l2=0.1),
        Case(rows=40, batch_size=13, block_rows=4, optimizer="adam"),
        Case(rows=9, batch_size=1),
        Case(output="identity", loss="absolute_error", sizes=(5, 4, 6, 2)),
    ],
    ids=str,
)
def test_weighted_training_is_the_twin(case: Case, dtype: str) -> None:
    assert_matches_twin(case.but(weighted=True, dtype=dtype))


@each_dtype
def test_weights_of_one_are_none_bit_for_bit(dtype: str) -> None:
    case = Case(dtype=dtype, rows=23, batch_size=7, block_rows=3)
    plain, ones = Run(case), with_weights(case, np.ones(23))
    assert ones.train() == plain.train()
    assert ones.network.params.tobytes() == plain.network.params.tobytes()


@each_dtype
def test_only_the_ratios_of_weights_matter(dtype: str) -> None:
    weights = np.random.default_rng(0).uniform(0.5, 2, 9)
    one = with_weights(BATCH.but(dtype=dtype), weights)
    other = with_weights(BATCH.but(dtype=dtype), 8 * weights)
    one.train()
    steps = other.train()
    assert one.network.params.tobytes() == other.network.params.tobytes()
    assert steps[0].weight == pytest.approx(8 * weights.sum(), rel=1e-15)


@each_dtype
def test_a_row_of_weight_zero_has_no_influence(dtype: str) -> None:
    weights = [1, 2, 0, 1, 1, 0.5, 1, 1, 1]
    one, other = (with_weights(BATCH.but(dtype=dtype), weights) for _ in range(2))
    other.X[2] = 1e3
    other.data.labels[2] = (other.data.labels[2] + 1) % 3
    one_steps, other_steps = one.train(), other.train()
    assert one.network.params.tobytes() == other.network.params.tobytes()
    assert [s.loss for s in one_steps] == [s.loss for s in other_steps]


@each_dtype
@pytest.mark.parametrize("optimizer", ["sgd", "sgd(0.9)", "adam", "rmsprop"])
def test_a_batch_without_any_weight_changes_nothing(optimizer: str, dtype: str) -> None:
    run = with_weights(BATCH.but(dtype=dtype, optimizer=optimizer), np.zeros(9))
    before = run.network.params.tobytes()
    steps = run.train()
    assert run.network.params.tobytes() == before
    assert [(s.loss, s.weight, s.rows) for s in steps] == [(0.0, 0.0, 9)] * 3


@each_dtype
def test_a_batch_without_any_weight_leaves_the_next_its_own(dtype: str) -> None:
    case = Case(dtype=dtype, rows=8, batch_size=4, epochs=1)
    run = Run(case)
    weights = np.ones(8)
    weights[run.orders[0][:4]] = 0
    weighted, plain = with_weights(case, weights), Run(case)
    weighted.train()
    plain.train_part(1, 2, [0.1, 0.1])
    assert weighted.network.params.tobytes() == plain.network.params.tobytes()
