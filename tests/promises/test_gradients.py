"""Gradients of the kernels against central differences of the objective, in float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

import reference
from fastmlp.ops.losses import legal_pairs
from harness import HIDDEN, Case, Run

STEP = 1e-5
MARGIN = 1e-3  # what is nearer than this to a kink may cross it within a step
KINKED = {"relu", "leaky_relu", "elu"}  # in the value or in the slope
PENALTIES = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.2, 0.1)]

PLAIN = Case(sizes=(3, 4, 4, 2), rows=5, batch_size=5, epochs=1)

each_pair = pytest.mark.parametrize(("output", "loss"), legal_pairs())


def away_from_kinks(case: Case) -> Run:
    """The case with the first seed for which no kink is near."""
    for seed in range(100):
        run = Run(case.but(seed=seed))
        if distance_to_kinks(run) > MARGIN:
            return run
    raise AssertionError(f"every seed is near a kink: {case}")


def masks(run: Run) -> reference.Masks:
    """The twin's masks for rows in the order of the data (the kernel's is that of the epoch)."""
    places = np.argsort(run.orders[0])
    return run.masks(0, places.tolist())


def distance_to_kinks(run: Run) -> float:
    weights, biases, activations, loss = run.model()
    Zs, As = reference.forward(weights, biases, activations, run.X, masks(run))
    distances = [
        np.abs(Z).min() for Z, (name, _) in zip(Zs, activations, strict=True) if name in KINKED
    ]
    errors = np.abs(As[-1] - run.Y)
    if loss == "absolute_error":
        distances.append(errors.min())
    if loss == "huber":
        distances.append(np.abs(errors - run.loss.kernel_parameter).min())
    if run.case.l1 > 0:
        distances += [np.abs(W).min() for W in weights]
    return float(min(distances, default=np.inf))


Arrays = list[np.ndarray]


def slopes_of(function: Callable[[], float], arrays: Arrays) -> Arrays:
    """Central differences of a function of arrays, which are moved in place."""

    def slope(array: np.ndarray, place: tuple[int, ...]) -> float:
        value, ends = array[place], []
        for moved in (value + STEP, value - STEP):
            array[place] = moved
            ends.append(function())
        array[place] = value
        return (ends[0] - ends[1]) / (2 * STEP)

    return [
        np.array([slope(array, place) for place in np.ndindex(array.shape)]).reshape(array.shape)
        for array in arrays
    ]


def slopes_of_the_objective(run: Run, l1: float, l2: float) -> Arrays:
    """Its slopes along every weight and bias, from its values."""
    weights, biases, activations, loss = run.model()
    mask, Y, smoothing = masks(run), run.Y, run.case.label_smoothing
    if smoothing:
        Y = reference.smooth(run.task, Y, smoothing)
    row_weights = run.data.weights if run.case.weighted else None

    def value() -> float:
        return reference.objective(
            weights, biases, activations, loss, run.X, Y, l1, l2,
            run.loss.kernel_parameter, row_weights, mask,
        )  # fmt: skip

    return slopes_of(value, [*weights, *biases])


def assert_close(gradients: tuple[Arrays, Arrays], slopes: Arrays) -> None:
    for gradient, slope in zip([*gradients[0], *gradients[1]], slopes, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=1e-7, atol=1e-9)


def assert_gradients_are_slopes(run: Run) -> None:
    assert_close(run.gradients(), slopes_of_the_objective(run, run.case.l1, run.case.l2))


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
    for layer, mask in enumerate(masks(run)):
        assert mask is not None and 0 < (mask == 0).sum() < mask.size, layer
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
