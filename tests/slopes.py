"""Central differences of the objective, by NumPy's twin, for gradients of the kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import reference
import reference_layers
import twin
from harness import Case, Run

STEP = 1e-5
MARGIN = 1e-3  # what is nearer than this to a kink may cross it within a step
SMALL_MARGIN = 2e-4  # for a step that all weights of an array share
KINKED = {"relu", "leaky_relu", "elu"}  # in the value or in the slope


def away_from_kinks(case: Case, margin: float = MARGIN) -> Run:
    """The case with the first seed for which no kink is nearer than the margin."""
    for seed in range(100):
        run = Run(case.but(seed=seed))
        if distance_to_kinks(run) > margin:
            return run
    raise AssertionError(f"every seed is near a kink: {case}")


def masks(run: Run) -> reference_layers.Masks:
    """The twin's masks for rows in the order of the data (the kernel's is that of the epoch)."""
    places = np.argsort(run.orders[0])
    return run.masks(0, places.tolist())


def passes(run: Run) -> reference.Passes:
    """How the twin computes the network, with these masks."""
    return twin.passes_of(run.network, masks(run))


def distance_to_kinks(run: Run) -> float:
    weights, biases, activations, loss = run.model()
    Zs, As = passes(run).forward(weights, biases, activations, run.X)
    distances = [
        np.abs(Z).min() for Z, (name, _) in zip(Zs, activations, strict=True) if name in KINKED
    ]
    distances += gaps_of_maxima(run, As)
    errors = np.abs(As[-1] - run.Y)
    if loss in ("absolute_error", "quantile"):
        distances.append(errors.min())
    if loss == "huber":
        distances.append(np.abs(errors - run.loss.kernel_parameters[0]).min())
    if run.case.l1 > 0:
        distances += [np.abs(W).min() for W in weights]
    return float(min(distances, default=np.inf))


def gaps_of_maxima(run: Run, As: list[np.ndarray]) -> list[float]:
    """Between the two largest elements of a window, unless they are equal because both are 0."""
    gaps = [np.inf]
    for layer, X in zip(run.network.layers, As, strict=False):
        if layer.name == "max_pool2d":
            _, geometry = twin.layer_of(layer)
            for _, _, window in reference_layers.windows(X, geometry["size"], geometry["stride"]):
                elements = np.sort(reference_layers.in_rows(window), axis=1)
                gap = elements[:, -1] - elements[:, -2]
                gaps.append(np.where(gap == 0, np.inf, gap).min())
    return gaps


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


def objective_of(run: Run, l1: float, l2: float) -> tuple[Callable[[], float], Arrays]:
    """Return a function of all weights and biases, and these arrays."""
    weights, biases, activations, loss = run.model()
    both, Y, smoothing = passes(run), run.Y, run.case.label_smoothing
    if smoothing:
        Y = reference.smooth(run.task, Y, smoothing)
    row_weights = run.data.weights if run.case.weighted else None

    def value() -> float:
        return reference.objective(
            weights, biases, activations, loss, run.X, Y, l1, l2,
            run.loss.kernel_parameters, row_weights, both,
        )  # fmt: skip

    return value, [*weights, *biases]


def slopes_of_the_objective(run: Run, l1: float, l2: float) -> Arrays:
    """Its slopes along every weight and bias, from its values."""
    return slopes_of(*objective_of(run, l1, l2))


def assert_close(gradients: tuple[Arrays, Arrays], slopes: Arrays) -> None:
    for gradient, slope in zip([*gradients[0], *gradients[1]], slopes, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=1e-7, atol=1e-9)


def assert_gradients_are_slopes(run: Run) -> None:
    assert_close(run.gradients(), slopes_of_the_objective(run, run.case.l1, run.case.l2))


def assert_gradients_are_slopes_along_lines(run: Run) -> None:
    """Along one random direction for each array: faster than along every weight."""
    value, arrays = objective_of(run, run.case.l1, run.case.l2)
    rng = np.random.default_rng(run.case.seed)
    gradients = [*run.gradients()[0], *run.gradients()[1]]
    for array, gradient in zip(arrays, gradients, strict=True):
        direction = rng.normal(size=array.shape)
        direction /= np.linalg.norm(direction)
        before, ends = array.copy(), []
        for step in (STEP, -STEP):
            array[...] = before + step * direction
            ends.append(value())
        array[...] = before
        slope = (ends[0] - ends[1]) / (2 * STEP)
        np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=1e-7, atol=1e-9)
