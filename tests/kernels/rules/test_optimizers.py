"""Update rules and penalties, called by their addresses, against their twins."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import reference
from fastmlp.kernels.rules import codes
from fastmlp.kernels.rules.optimizers import add_penalty, update
from fastmlp.model.functions import objective
from fastmlp.ops.losses import LOSSES
from fastmlp.ops.optimizers import OPTIMIZERS, Optimizer
from harness import DTYPES, compiled

SPECS = [
    "sgd", "sgd(0.9)", "sgd(0.5, nesterov=true)", "sgd(0.9, with_rate=true)",
    "sgd(0.5, nesterov=true, with_rate=true)", "adam",
    "adam(0.8, 0.99, 0.01, epsilon_hat=true)", "adam(0.8, 0.99, 0.001)", "adam(0)",
    "adamw", "adamw(0.8, 0.99, 0.001, 0.5)", "rmsprop", "rmsprop(0.9, 0.001, 0.5)", "rmsprop(0)",
]  # fmt: skip
PENALTIES = [(0.0, 0.0), (0.03, 0.0), (0.0, 0.2), (0.03, 0.2)]
START, SPARE, STEPS = 3, 2, 5
# 1 - beta2^t loses three digits of float64 in the first steps, in the kernel and in the twin.
TOLERANCE = {"float32": 2e-6, "float64": 2e-14}

each_optimizer = pytest.mark.parametrize(
    "optimizer", [OPTIMIZERS.parse(spec) for spec in SPECS], ids=str
)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def run_kernel(
    optimizer: Optimizer, w: np.ndarray, gs: np.ndarray, rate: float, is_weight: bool = True
) -> np.ndarray:
    """One update for each gradient, of a stretch inside larger buffers of -5; return all of it."""
    n, inside = w.size, slice(START, START + w.size)
    params = np.full(START + n + SPARE, -5, w.dtype)
    params[inside] = w
    state = np.zeros(optimizer.state_buffers * params.size, w.dtype)
    given = objective(LOSSES.parse("squared_error"), optimizer, w.dtype, codes.REGRESSION)
    for step, g in enumerate(gs, start=1):
        grads = np.full_like(params, np.nan)
        grads[inside] = g
        compiled(update)(given, params, START, n, grads, START, state, rate, step, is_weight)
    return params


def run_twin(
    optimizer: Optimizer, w: np.ndarray, gs: np.ndarray, rate: float, is_weight: bool = True
) -> np.ndarray:
    w, parameters = w.copy(), dataclasses.asdict(optimizer)
    state = [np.zeros_like(w) for _ in range(reference.STATE_ARRAYS[optimizer.name])]
    for step, g in enumerate(gs, start=1):
        reference.update(optimizer.name, parameters, w, g, state, rate, step, is_weight)
    return w


def test_the_twins_cover_the_registry() -> None:
    assert set(OPTIMIZERS.names()) == set(reference.STATE_ARRAYS)
    assert {OPTIMIZERS.parse(spec).name for spec in SPECS} == set(OPTIMIZERS.names())


@each_optimizer
@each_dtype
@pytest.mark.parametrize("is_weight", [True, False])
@pytest.mark.parametrize("n", [1, 3, 16, 37])
def test_updates_are_the_twins(optimizer: Optimizer, dtype: str, is_weight: bool, n: int) -> None:
    rng = np.random.default_rng(n)
    w, gs = rng.normal(0, 1, n).astype(dtype), rng.normal(0, 1, (STEPS, n)).astype(dtype)
    params = run_kernel(optimizer, w, gs, 0.05, is_weight)
    expected = run_twin(optimizer, w, gs, 0.05, is_weight)
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
    params = run_kernel(optimizer, zeros, np.zeros((STEPS, 37), dtype), 0.1)
    assert (params[START : START + 37] == 0).all()


@each_dtype
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
@pytest.mark.parametrize("n", [1, 3, 16, 37])
def test_penalties_are_the_twins(l1: float, l2: float, n: int, dtype: str) -> None:
    rng = np.random.default_rng(n)
    w, g = (rng.normal(0, 1, n).astype(dtype) for _ in range(2))
    w[0] = 0
    expected = g + reference.penalty_gradient(w, l1, l2)
    compiled(add_penalty)(w, g, w.dtype.type(l1), w.dtype.type(l2))
    np.testing.assert_allclose(g, expected, rtol=0, atol=4 * np.finfo(dtype).eps)


@each_dtype
def test_an_l1_penalty_pulls_by_the_sign_alone(dtype: str) -> None:
    w, g = np.array([2, -2, 1e-3, -1e-3, 0, np.nan], dtype), np.zeros(6, dtype)
    compiled(add_penalty)(w, g, w.dtype.type(0.25), w.dtype.type(0))
    np.testing.assert_array_equal(g, [0.25, -0.25, 0.25, -0.25, 0, np.nan])


@each_dtype
def test_adamw_shrinks_weights_and_not_biases(dtype: str) -> None:
    optimizer = OPTIMIZERS.parse("adamw(weight_decay=0.5)")
    w, gs = np.array([2, -1, 0], dtype), np.zeros((2, 3), dtype)
    shrunk = run_kernel(optimizer, w, gs, 0.1)[START : START + 3]
    np.testing.assert_allclose(shrunk, w * 0.95**2, rtol=1e-6)
    assert (run_kernel(optimizer, w, gs, 0.1, is_weight=False)[START : START + 3] == w).all()


@each_dtype
def test_adamw_without_decay_is_adam(dtype: str) -> None:
    rng = np.random.default_rng(0)
    w, gs = rng.normal(0, 1, 5).astype(dtype), rng.normal(0, 1, (STEPS, 5)).astype(dtype)
    plain = run_kernel(OPTIMIZERS.parse("adam(0.8)"), w, gs, 0.1)
    decoupled = run_kernel(OPTIMIZERS.parse("adamw(0.8, weight_decay=0)"), w, gs, 0.1)
    assert plain.tobytes() == decoupled.tobytes()


@each_optimizer
@each_dtype
def test_nan_stays_nan(optimizer: Optimizer, dtype: str) -> None:
    gs = np.ones((1, 5), dtype)
    gs[0, 2] = np.nan
    w = run_kernel(optimizer, np.ones(5, dtype), gs, 0.1)[START : START + 5]
    np.testing.assert_array_equal(np.isnan(w), np.isnan(gs[0]))


@each_dtype
def test_adams_first_step_is_the_rate_whatever_the_gradient(dtype: str) -> None:
    gs = np.array([[100, 1, 0.01, -100]], dtype)
    params = run_kernel(OPTIMIZERS.parse("adam"), np.zeros(4, dtype), gs, 0.1)
    np.testing.assert_allclose(params[START : START + 4], [-0.1, -0.1, -0.1, 0.1], rtol=1e-6)


@each_optimizer
def test_record_declares_state_per_weight(optimizer: Optimizer) -> None:
    wanted = reference.STATE_ARRAYS[optimizer.name]
    if optimizer == OPTIMIZERS.parse("sgd"):
        wanted = 0
    assert optimizer.state_buffers == wanted
