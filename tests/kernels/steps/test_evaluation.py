"""Outputs, losses and hits of rows that are not trained on."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from harness import DTYPES, SEPARATELY, TOLERANCE, Case, Run

SHAPES = [
    Case(sizes=(1, 1), output="sigmoid", loss="binary_cross_entropy"),
    Case(sizes=(17, 33, 9), rows=40, block_rows=7),
    Case(sizes=(5, 4, 6, 7, 3), rows=23, block_rows=6),
    Case(rows=1),
    Case(rows=200),
    Case(rows=5, block_rows=1),
]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_shape = pytest.mark.parametrize("case", SHAPES, ids=str)


def assert_matches_twin(run: Run) -> None:
    weights, biases, activations, loss = run.model()
    rows = run.data.order
    outputs, losses, hits = run.evaluate()
    Zs, As = reference.forward(weights, biases, activations, run.X[rows])
    expected = reference.LOSSES[loss](Zs[-1], As[-1], run.Y[rows], run.loss.kernel_parameters)
    tolerance = TOLERANCE[run.case.dtype]
    np.testing.assert_allclose(outputs, As[-1], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(losses, expected, rtol=tolerance, atol=tolerance)
    expected = reference.hits(run.task, As[-1], run.Y[rows], run.case.threshold)
    assert hits.tolist() == expected.tolist()


@pytest.mark.parametrize(("hidden", "output", "loss", "dtype"), SEPARATELY)
def test_every_activation_and_loss_is_the_twin(
    hidden: str, output: str, loss: str, dtype: str
) -> None:
    assert_matches_twin(Run(Case(hidden=hidden, output=output, loss=loss, dtype=dtype)))


@each_dtype
@each_shape
def test_every_shape_is_the_twin(case: Case, dtype: str) -> None:
    assert_matches_twin(Run(case.but(dtype=dtype)))


@each_dtype
@each_shape
@pytest.mark.parametrize("threads", [2, 3, 4])
def test_bits_are_the_same_on_any_number_of_threads(case: Case, dtype: str, threads: int) -> None:
    run = Run(case.but(dtype=dtype))
    plain, team = run.evaluate(), run.evaluate(threads)
    assert [part.tobytes() for part in team] == [part.tobytes() for part in plain]


@each_dtype
@pytest.mark.parametrize("team", [2, 3, 4])
def test_bits_are_the_same_in_a_team_of_any_size(team: int, dtype: str) -> None:
    run = Run(Case(rows=100, block_rows=30, dtype=dtype))
    plain, full = run.evaluate(), run.evaluate(team, full_team=True)
    assert [part.tobytes() for part in full] == [part.tobytes() for part in plain]


@pytest.mark.parametrize("rows", [1, 6, 29, 30, 31, 61, 100])
@pytest.mark.parametrize("team", [2, 3, 4])
def test_members_never_touch_each_others_rows_of_the_scratch(rows: int, team: int) -> None:
    # They do not wait for each other between blocks, not even before a last one with fewer rows.
    touched = np.zeros((2, 32), int)  # whole panels of rows
    for member in range(team):
        run = Run(Case(rows=rows, block_rows=30))
        run.poison()
        run.evaluate_as(member, team)
        for layer in (0, 1):
            touched[layer] += ~np.isnan(run.activation_rows(layer)).any(axis=1)
    assert touched.max() == 1
    assert touched.sum(axis=1).tolist() == [min(rows, 30)] * 2


@each_dtype
@each_shape
def test_bits_do_not_depend_on_the_block_size(case: Case, dtype: str) -> None:
    case = case.but(dtype=dtype)
    one, other = Run(case).evaluate(), Run(case.but(block_rows=96)).evaluate()
    assert [part.tobytes() for part in one] == [part.tobytes() for part in other]


@each_dtype
@each_shape
def test_results_do_not_depend_on_what_scratch_held_before(case: Case, dtype: str) -> None:
    clean, poisoned = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype))
    poisoned.poison()
    for part, expected in zip(poisoned.evaluate(), clean.evaluate(), strict=True):
        assert part.tobytes() == expected.tobytes()


def test_rows_are_those_of_the_order() -> None:
    run = Run(Case())
    run.data = run.data._replace(order=np.array([3, 3, 9, 0]))
    assert_matches_twin(run)


@each_dtype
def test_sample_weights_multiply_losses_and_nothing_else(dtype: str) -> None:
    run = Run(Case(dtype=dtype, weighted=True))
    weights = run.data.weights
    assert weights.size == 10 and len(set(weights)) > 3
    outputs, losses, hits = run.evaluate()
    run.data = run.data._replace(weights=np.empty(0))
    plain_outputs, plain_losses, plain_hits = run.evaluate()
    assert outputs.tobytes() == plain_outputs.tobytes()
    np.testing.assert_allclose(losses, weights * plain_losses, rtol=1e-15)
    assert hits.tolist() == plain_hits.tolist()


def test_training_is_not_disturbed() -> None:
    run = Run(Case(optimizer="adam"))
    run.train()
    before = run.network.params.tobytes(), run.workspace.work.state.tobytes()
    run.evaluate()
    assert (run.network.params.tobytes(), run.workspace.work.state.tobytes()) == before


@each_dtype
def test_without_targets_only_outputs_are_computed(dtype: str) -> None:
    run = Run(Case(dtype=dtype))
    with_targets, _, _ = run.evaluate()
    run.data = run.data._replace(labels=np.empty(0, np.int32))
    outputs, losses, hits = run.evaluate()
    assert outputs.tobytes() == with_targets.tobytes()
    assert np.isnan(losses).all() and (hits == -1).all()


def test_unused_outputs_are_not_written() -> None:
    run = Run(Case())
    outputs, losses, hits = run.evaluate(want_outputs=False)
    _, *expected = run.evaluate()
    assert outputs.size == 0
    assert (losses.tolist(), hits.tolist()) == tuple(part.tolist() for part in expected)


@each_dtype
def test_a_nan_in_the_weights_reaches_outputs_and_losses(dtype: str) -> None:
    run = Run(Case(hidden="relu", dtype=dtype, zeros=0.0))
    run.network.weights[0][2, 3] = np.nan
    outputs, losses, _ = run.evaluate()
    assert np.isnan(outputs).all() and np.isnan(losses).all()
