"""Gradients of the kernels against central differences of the objective, in float64."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import reference
from fastmlp.ops.losses import legal_pairs
from harness import HIDDEN, Case, Run
from slopes import (
    assert_close,
    assert_gradients_are_slopes,
    away_from_kinks,
    masks,
    slopes_of,
    slopes_of_the_objective,
)

PENALTIES = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.2, 0.1)]

PLAIN = Case(sizes=(3, 4, 4, 2), rows=5, batch_size=5, epochs=1)

each_pair = pytest.mark.parametrize(("output", "loss"), legal_pairs())


@each_pair
@pytest.mark.parametrize("hidden", HIDDEN)
def test_gradients_are_the_slopes_of_the_objective(hidden: str, output: str, loss: str) -> None:
    # The slopes of a sum are the sums of slopes: those of the loss are taken once.
    run = away_from_kinks(PLAIN.but(hidden=hidden, output=output, loss=loss, l1=1.0))
    of_loss, weights = slopes_of_the_objective(run, 0.0, 0.0), run.network.weights
    for l1, l2 in PENALTIES:
        penalised = Run(run.case.but(l1=l1, l2=l2))
        of_weights = slopes_of(partial(reference.penalty, weights, l1, l2), weights)
        of_all = [*map(np.add, of_loss, of_weights), *of_loss[len(weights) :]]
        assert_close(penalised.gradients(), of_all)


@each_pair
@pytest.mark.parametrize(
    "options",
    [
        {"weighted": True},
        {"dropout": (0.0, 0.4, 0.3)},
        {"dropout": (0.3, 0.0, 0.0), "weighted": True, "l1": 0.2, "l2": 0.1},
    ],
    ids=str,
)
def test_weights_and_frozen_dropout_keep_them_the_slopes(
    output: str, loss: str, options: dict[str, object]
) -> None:
    case = PLAIN.but(hidden=("elu(0.5)", "gelu"), output=output, loss=loss, **options)
    assert_gradients_are_slopes(away_from_kinks(case))


@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_activation_has_them_behind_and_before_a_dropout(hidden: str) -> None:
    run = away_from_kinks(PLAIN.but(hidden=hidden, dropout=(0.2, 0.4, 0.4), block_rows=2))
    dropped = [mask for mask in masks(run) if mask is not None]
    assert len(dropped) == 3 and all(0 < (mask == 0).sum() < mask.size for mask in dropped)
    assert_gradients_are_slopes(run)


@pytest.mark.parametrize(
    ("output", "loss"), [pair for pair in legal_pairs() if pair[0] in ("softmax", "sigmoid")]
)
@pytest.mark.parametrize("smoothing", [0.1, 0.9])
def test_label_smoothing_keeps_them_the_slopes(output: str, loss: str, smoothing: float) -> None:
    case = PLAIN.but(sizes=(3, 4, 3), output=output, loss=loss, label_smoothing=smoothing)
    assert_gradients_are_slopes(away_from_kinks(case.but(weighted=True)))


@pytest.mark.parametrize("hidden", [("relu", "tanh"), ("softmax", "softplus"), ("silu", "elu(2)")])
def test_layers_have_their_own_activations(hidden: tuple[str, ...]) -> None:
    assert_gradients_are_slopes(away_from_kinks(PLAIN.but(hidden=hidden)))


@pytest.mark.parametrize("delta", [0.1, 0.5, 3.0])
def test_every_delta_of_huber_has_them(delta: float) -> None:
    case = PLAIN.but(output="identity", loss=f"huber({delta})")
    assert_gradients_are_slopes(away_from_kinks(case))


@pytest.mark.parametrize("sizes", [(1, 1), (1, 1, 1), (4, 3), (2, 3, 1, 3, 2)], ids=str)
def test_networks_of_other_depths_have_them_too(sizes: tuple[int, ...]) -> None:
    case = PLAIN.but(sizes=sizes, output="tanh", loss="squared_error", l2=0.1)
    assert_gradients_are_slopes(Run(case))


def test_gradients_summed_over_blocks_are_the_same_slopes() -> None:
    assert_gradients_are_slopes(Run(PLAIN.but(rows=7, batch_size=7, block_rows=3)))


@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_a_step_of_rate_one_moves_by_the_gradient(l1: float, l2: float) -> None:
    run = Run(PLAIN.but(l1=l1, l2=l2))
    dWs, dbs = ([g.copy() for g in gradients] for gradients in run.gradients())
    weights, biases, *_ = run.model()
    run.train_part(0, 1, [1.0])
    for before, after, gradient in zip(
        [*weights, *biases],
        [*run.network.weights, *run.network.biases],
        [*dWs, *dbs],
        strict=True,
    ):
        np.testing.assert_allclose(before - after, gradient, rtol=0, atol=1e-15)
