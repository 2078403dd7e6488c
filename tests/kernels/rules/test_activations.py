"""Activation kernels, called by their addresses, against their twins."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from fastmlp.kernels.rules.activations import activate, activate_backward
from fastmlp.model.functions import activation_addresses
from fastmlp.ops.activations import ACTIVATIONS, Activation
from harness import DTYPES, compiled

ROWS, START, SPARE = 5, 2, 3
SPECS = [*ACTIVATIONS.names(), "leaky_relu(0.3)", "elu(0.3)"]
EXTREMES = [1000, -1000, 90, -90, 30, -30, 1e-4, -1e-4, 0, -0.0]

each_activation = pytest.mark.parametrize("activation", [*map(ACTIVATIONS.parse, SPECS)], ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_width = pytest.mark.parametrize("n", [1, 2, 3, 16, 37])


def flat(rows: np.ndarray) -> np.ndarray:
    """The rows in a flat buffer, starting at START, with SPARE cells of -5 behind each."""
    wide = np.full((len(rows), rows.shape[1] + SPARE), -5, rows.dtype)
    wide[:, : rows.shape[1]] = rows
    return np.concatenate([np.full(START, -5, rows.dtype), wide.ravel()])


def as_rows(buffer: np.ndarray, n: int) -> np.ndarray:
    return buffer[START:].reshape(-1, n + SPARE)[:, :n]


def addresses(activation: Activation, dtype: np.dtype) -> tuple[int, int]:
    return activation_addresses(activation.name, dtype)


def forward(activation: Activation, Z: np.ndarray) -> np.ndarray:
    n = Z.shape[1]
    A = flat(np.zeros_like(Z))
    parameter = Z.dtype.type(activation.kernel_parameter)
    function, _ = addresses(activation, Z.dtype)
    compiled(activate)(function, parameter, flat(Z), A, START, n + SPARE, n, 0, len(Z))
    return as_rows(A, n)


def backward(activation: Activation, Z: np.ndarray, A: np.ndarray, D: np.ndarray) -> np.ndarray:
    n = Z.shape[1]
    buffer = flat(D)
    parameter = Z.dtype.type(activation.kernel_parameter)
    _, derivative = addresses(activation, Z.dtype)
    compiled(activate_backward)(
        derivative, parameter, flat(Z), flat(A), buffer, START, n + SPARE, n, 0, len(Z)
    )  # fmt: skip
    return as_rows(buffer, n)


def twin(activation: Activation, Z: np.ndarray) -> np.ndarray:
    """The exact result for these inputs, but for float64's own rounding."""
    wide = Z.astype(np.float64)
    # The parameter as the kernel gets it.
    parameter = float(Z.dtype.type(activation.kernel_parameter))
    exact = reference.activate((activation.name, parameter), wide)
    # What is too large for the type is infinite in it.
    return np.where(exact > np.finfo(Z.dtype).max, np.inf, exact)


def tail_error(activation: Activation, Z: np.ndarray) -> np.ndarray | float:
    """By how much an activation may miss its value besides relative errors."""
    # 1 + erf(z) is rounded to a multiple of eps, and then multiplied by z.
    return np.abs(Z) * np.finfo(Z.dtype).eps if activation.name == "gelu" else 0.0


def test_the_twins_cover_the_registry() -> None:
    assert set(ACTIVATIONS.names()) == set(reference.FORWARD) == set(reference.BACKWARD)


@each_activation
@each_dtype
@each_width
def test_forward_is_the_twin(activation: Activation, dtype: str, n: int) -> None:
    Z = np.random.default_rng(n).normal(0, 3, (ROWS, n)).astype(dtype)
    eps = np.finfo(dtype).eps
    found, expected = forward(activation, Z), twin(activation, Z)
    assert np.isclose(found, expected, rtol=16 * eps, atol=tail_error(activation, Z)).all()


@each_activation
@each_dtype
def test_forward_of_extreme_logits_is_the_twin(activation: Activation, dtype: str) -> None:
    Z = np.array([EXTREMES, EXTREMES[::-1]], dtype)
    info = np.finfo(dtype)
    found, expected = forward(activation, Z), twin(activation, Z)
    # Where exp(-z) overflows, silu is 0: z exp(z) is below |z| times the least number.
    absolute = tail_error(activation, Z) + info.tiny * (1 + np.abs(Z))
    assert np.isclose(found, expected, rtol=64 * info.eps, atol=absolute).all()


@each_activation
@each_dtype
@each_width
def test_backward_is_the_twin(activation: Activation, dtype: str, n: int) -> None:
    rng = np.random.default_rng(n)
    Z, D = (rng.normal(0, 3, (ROWS, n)).astype(dtype) for _ in range(2))
    Z[0, 0] = 0
    A = twin(activation, Z).astype(dtype)
    expected = reference.activate_backward(
        (activation.name, activation.kernel_parameter), Z, A, D.astype(np.float64)
    )
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(backward(activation, Z, A, D), expected, rtol=4 * eps, atol=64 * eps)


@each_activation
@each_dtype
def test_backward_of_extreme_logits_is_finite(activation: Activation, dtype: str) -> None:
    Z = np.array([EXTREMES], dtype)
    A = twin(activation, Z).astype(dtype)
    if activation.name == "exponential":
        A = np.minimum(A, np.finfo(dtype).max)
    expected = reference.activate_backward(
        (activation.name, activation.kernel_parameter), Z, A, np.ones_like(Z)
    )
    result = backward(activation, Z, A, np.ones_like(Z))
    np.testing.assert_allclose(result, expected, rtol=0, atol=8 * np.finfo(dtype).eps)


@each_activation
@each_dtype
@pytest.mark.parametrize("place", [0, 1, 18, 36])
def test_nan_stays_nan(activation: Activation, dtype: str, place: int) -> None:
    Z = np.ones((1, 37), dtype)
    Z[0, place] = np.nan
    spread = activation.name == "softmax"
    nan = np.isnan(forward(activation, Z))
    assert nan[0, place] and nan.sum() == (37 if spread else 1)
    D = np.where(np.isnan(Z), Z, 1)
    nan = np.isnan(backward(activation, np.ones_like(Z), np.ones_like(Z), D))
    assert nan[0, place] and nan.sum() == (37 if spread else 1)


@each_activation
@each_dtype
def test_only_the_rows_and_columns_asked_for_are_written(
    activation: Activation, dtype: str
) -> None:
    n = 4
    Z = flat(np.ones((ROWS, n), dtype))
    parameter = Z.dtype.type(activation.kernel_parameter)
    A, D = np.full_like(Z, -9), np.full_like(Z, -9)
    function, derivative = addresses(activation, Z.dtype)
    compiled(activate)(function, parameter, Z, A, START, n + SPARE, n, 1, 3)
    compiled(activate_backward)(derivative, parameter, Z, Z, D, START, n + SPARE, n, 1, 3)
    inside = np.zeros(Z.size, bool)
    as_rows(inside, n)[1:3] = True
    assert (A[inside] != -9).all() and (A[~inside] == -9).all()
    assert (D[~inside] == -9).all()
