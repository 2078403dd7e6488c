"""Gradients of the kernels against central differences of the objective, in float64."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from driving import Case, Run
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.losses import legal_pairs

STEP = 1e-5
MARGIN = 1e-3  # what is nearer than this to a kink may cross it within a step
KINKED = {"relu", "leaky_relu"}
PENALTIES = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.2, 0.1)]

PLAIN = Case(sizes=(3, 4, 4, 2), rows=5, batch_size=5, epochs=1)


def away_from_kinks(case: Case) -> Run:
    """The case with the first seed for which no kink is near."""
    for seed in range(100):
        run = Run(case.but(seed=seed))
        if distance_to_kinks(run) > MARGIN:
            return run
    raise AssertionError(f"every seed is near a kink: {case}")


def distance_to_kinks(run: Run) -> float:
    weights, biases, activations, _ = run.model()
    Zs, _ = reference.forward(weights, biases, activations, run.X)
    distances = [
        np.abs(Z).min() for Z, (name, _) in zip(Zs, activations, strict=True) if name in KINKED
    ]
    if run.case.l1 > 0:
        distances += [np.abs(W).min() for W in weights]
    return float(min(distances, default=np.inf))


def central_differences(run: Run) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The gradient of the objective with respect to every weight and bias, from its values."""
    weights, biases, activations, loss = run.model()

    def slope(array: np.ndarray, place: tuple[int, ...]) -> float:
        value, ends = array[place], []
        for moved in (value + STEP, value - STEP):
            array[place] = moved
            ends.append(
                reference.objective(
                    weights, biases, activations, loss, run.X, run.Y, run.case.l1, run.case.l2
                )
            )
        array[place] = value
        return (ends[0] - ends[1]) / (2 * STEP)

    def slopes(array: np.ndarray) -> np.ndarray:
        return np.array([slope(array, p) for p in np.ndindex(array.shape)]).reshape(array.shape)

    return [slopes(W) for W in weights], [slopes(b) for b in biases]


def assert_gradients_are_slopes(run: Run) -> None:
    dWs, dbs = run.gradients()
    slope_dWs, slope_dbs = central_differences(run)
    for gradient, slope in zip([*dWs, *dbs], [*slope_dWs, *slope_dbs], strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("output", "loss"), legal_pairs())
@pytest.mark.parametrize("hidden", ACTIVATIONS.names())
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_gradients_are_the_slopes_of_the_objective(
    hidden: str, output: str, loss: str, l1: float, l2: float
) -> None:
    case = PLAIN.but(hidden=hidden, output=output, loss=loss, l1=l1, l2=l2)
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
