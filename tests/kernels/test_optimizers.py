"""Update rules and penalties, by the switch that picks them, against their twins."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from driving import DTYPES, compiled
from fastmlp.kernels import buffers
from fastmlp.kernels.optimizers import update
from fastmlp.ops.optimizers import OPTIMIZERS, Optimizer

SPECS = ["sgd", "sgd(0.9)", "sgd(0.5, nesterov=true)", "adam", "adam(0.8, 0.99, 0.001)", "adam(0)"]
PENALTIES = [(0.0, 0.0), (0.03, 0.0), (0.0, 0.2), (0.03, 0.2)]
START, SPARE, STEPS = 3, 2, 5
# 1 - beta2^t loses three digits of float64 in the first steps, in the kernel and in the twin.
TOLERANCE = {"float32": 2e-6, "float64": 2e-14}

each_optimizer = pytest.mark.parametrize(
    "optimizer", [OPTIMIZERS.parse(spec) for spec in SPECS], ids=str
)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def objective(optimizer: Optimizer) -> buffers.Objective:
    parameters = np.array(optimizer.kernel_parameters)
    return buffers.Objective(0, 0, 0.5, 0.0, 0.0, optimizer.code, parameters)


def run_kernel(
    optimizer: Optimizer, w: np.ndarray, gs: np.ndarray, rate: float, l1: float, l2: float
) -> np.ndarray:
    """One update for each gradient, of a stretch inside larger buffers of -5; return all of it."""
    n, inside = w.size, slice(START, START + w.size)
    params = np.full(START + n + SPARE, -5, w.dtype)
    params[inside] = w
    state = np.zeros(optimizer.state_buffers * params.size, w.dtype)
    for step, g in enumerate(gs, start=1):
        grads = np.full_like(params, np.nan)
        grads[inside] = g
        compiled(update)(
            objective(optimizer), params, grads, state, START, n, rate, step, l1, l2
        )  # fmt: skip
    return params


def run_twin(
    optimizer: Optimizer, w: np.ndarray, gs: np.ndarray, rate: float, l1: float, l2: float
) -> np.ndarray:
    w, parameters = w.copy(), {name: getattr(optimizer, name) for name in vars(optimizer)}
    state = [np.zeros_like(w) for _ in range(reference.STATE_ARRAYS[optimizer.name])]
    for step, g in enumerate(gs, start=1):
        full = g + reference.penalty_gradient(w, l1, l2)
        reference.update(optimizer.name, parameters, w, full, state, rate, step)
    return w


def test_the_twins_cover_the_registry() -> None:
    assert set(OPTIMIZERS.names()) == set(reference.STATE_ARRAYS)
    assert {OPTIMIZERS.parse(spec).name for spec in SPECS} == set(OPTIMIZERS.names())


@each_optimizer
@each_dtype
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
@pytest.mark.parametrize("n", [1, 3, 16, 37])
def test_updates_are_the_twins(
    optimizer: Optimizer, dtype: str, l1: float, l2: float, n: int
) -> None:
    rng = np.random.default_rng(n)
    w, gs = rng.normal(0, 1, n).astype(dtype), rng.normal(0, 1, (STEPS, n)).astype(dtype)
    params = run_kernel(optimizer, w, gs, 0.05, l1, l2)
    expected = run_twin(optimizer, w, gs, 0.05, l1, l2)
    np.testing.assert_allclose(
        params[START : START + n], expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )
    assert (np.delete(params, range(START, START + n)) == -5).all()


@each_optimizer
@each_dtype
def test_zero_parameters_with_zero_gradients_stay_exactly_zero(
    optimizer: Optimizer, dtype: str
) -> None:
    # So does the padding of every row.
    zeros = np.zeros(37, dtype)
    params = run_kernel(optimizer, zeros, np.zeros((STEPS, 37), dtype), 0.1, 0.5, 0.5)
    assert (params[START : START + 37] == 0).all()


@each_dtype
def test_an_l1_penalty_pulls_by_the_sign_alone(dtype: str) -> None:
    w = np.array([2, -2, 1e-3, -1e-3, 0], dtype)
    params = run_kernel(OPTIMIZERS.parse("sgd"), w, np.zeros((1, 5), dtype), 0.5, 0.25, 0.0)
    moved = params[START : START + 5] - w
    np.testing.assert_allclose(moved, [-0.125, 0.125, -0.125, 0.125, 0], rtol=1e-4)


@each_optimizer
@each_dtype
def test_nan_stays_nan(optimizer: Optimizer, dtype: str) -> None:
    gs = np.ones((1, 5), dtype)
    gs[0, 2] = np.nan
    w = run_kernel(optimizer, np.ones(5, dtype), gs, 0.1, 0.1, 0.1)[START : START + 5]
    np.testing.assert_array_equal(np.isnan(w), np.isnan(gs[0]))


@each_dtype
def test_adams_first_step_is_the_rate_whatever_the_gradient(dtype: str) -> None:
    gs = np.array([[100, 1, 0.01, -100]], dtype)
    params = run_kernel(OPTIMIZERS.parse("adam"), np.zeros(4, dtype), gs, 0.1, 0.0, 0.0)
    np.testing.assert_allclose(params[START : START + 4], [-0.1, -0.1, -0.1, 0.1], rtol=1e-6)


@each_optimizer
def test_the_record_says_how_much_state_the_kernel_keeps(optimizer: Optimizer) -> None:
    assert optimizer.state_buffers <= reference.STATE_ARRAYS[optimizer.name]
    assert optimizer.state_buffers == {"adam": 2}.get(optimizer.name, int("0." in str(optimizer)))
