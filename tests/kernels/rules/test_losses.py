"""Loss kernels, called by their addresses, against their twins; and what counts as a hit."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from fastmlp.kernels.rules import codes
from fastmlp.kernels.rules.loss_of_rows import row_hit
from fastmlp.ops.losses import LOSSES, legal_pairs
from harness import DTYPES, compiled, one_row_loss

EXTREMES = [
    [1000, -1000, 0],
    [-1000, 1000, 1000],
    [90, -90, 30],
    [1e-4, 0, -1e-4],
]

PAIRS = [*legal_pairs(), ("identity", "huber(delta=0.25)")]
each_pair = pytest.mark.parametrize(("output", "loss"), PAIRS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def draw_targets(output: str, shape: tuple[int, int], dtype: str) -> np.ndarray:
    rng = np.random.default_rng(shape[1])
    if output == "softmax":
        return reference.one_hot(rng.integers(0, shape[1], shape[0]), shape[1], dtype)
    if output == "sigmoid":
        return rng.integers(0, 2, shape).astype(dtype)
    if output == "exponential":
        return rng.poisson(1.5, shape).astype(dtype)
    return rng.normal(0, 1, shape).astype(dtype)


def losses_and_gradients(
    spec: str, Z: np.ndarray, A: np.ndarray, Y: np.ndarray, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """What the kernel returns for each row, and the d it leaves."""
    D = np.full_like(A, np.nan)
    values = [one_row_loss(spec, *row, scale) for row in zip(Z, A, Y, D, strict=True)]
    return np.array(values), D


def expected_losses(spec: str, Z: np.ndarray, A: np.ndarray, Y: np.ndarray) -> np.ndarray:
    loss = LOSSES.parse(spec)
    return reference.LOSSES[loss.name](Z, A, Y, loss.kernel_parameters)


def expected_gradient(spec: str, A: np.ndarray, Y: np.ndarray) -> np.ndarray:
    loss = LOSSES.parse(spec)
    if loss.name in reference.FUSED:
        return reference.fused_gradient(A, Y)
    return reference.LOSS_GRADIENTS[loss.name](A, Y, loss.kernel_parameters)


def test_the_twins_cover_the_registry() -> None:
    assert set(LOSSES.names()) == set(reference.LOSSES) == set(reference.LOSS_GRADIENTS)


@each_pair
@each_dtype
@pytest.mark.parametrize("n", [1, 2, 3, 16, 37])
def test_value_and_gradient_are_the_twins(output: str, loss: str, dtype: str, n: int) -> None:
    Z = np.random.default_rng(n).normal(0, 3, (6, n)).astype(dtype)
    A, Y = reference.activate((output, 0.0), Z), draw_targets(output, (6, n), dtype)
    values, D = losses_and_gradients(loss, Z, A, Y, scale=0.25)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(values, expected_losses(loss, Z, A, Y), rtol=32 * eps, atol=4 * eps)
    expected = 0.25 * expected_gradient(loss, A, Y)
    np.testing.assert_allclose(D, expected, rtol=8 * eps, atol=2 * eps)


@each_pair
@each_dtype
def test_extreme_logits_give_the_twins_finite_loss(output: str, loss: str, dtype: str) -> None:
    Z = np.array(EXTREMES, dtype)
    A, Y = reference.activate((output, 0.0), Z), draw_targets(output, Z.shape, dtype)
    values, D = losses_and_gradients(loss, Z, A, Y)
    eps = np.finfo(dtype).eps
    if output != "exponential":  # exp(1000), which no loss can make finite
        assert np.isfinite(values).all()
    np.testing.assert_allclose(values, expected_losses(loss, Z, A, Y), rtol=32 * eps, atol=eps)
    np.testing.assert_allclose(D, expected_gradient(loss, A, Y), rtol=8 * eps)


@each_dtype
@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_huber_is_quadratic_then_linear(delta: float, dtype: str) -> None:
    errors = np.array([0, 0.25, 0.5, 2, 3, -0.25, -3], dtype)[:, None]
    Y = np.ones_like(errors)
    values, D = losses_and_gradients(f"huber({delta})", errors, Y + errors, Y)
    size = np.abs(errors[:, 0])
    expected = np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    np.testing.assert_array_equal(D, np.clip(errors, -delta, delta))


@each_dtype
def test_an_absolute_error_of_nothing_has_no_gradient(dtype: str) -> None:
    A, Y = np.array([[2, 1, -1]], dtype), np.array([[1, 1, 1]], dtype)
    values, D = losses_and_gradients("absolute_error", A, A, Y)
    assert (values.tolist(), D.tolist()) == ([3.0], [[1.0, 0.0, -1.0]])


@each_dtype
def test_poisson_is_nothing_where_the_mean_is_the_count(dtype: str) -> None:
    Y = np.array([[1, 2, 7]], dtype)
    values, D = losses_and_gradients("poisson", np.log(Y), Y, Y)
    assert abs(values[0]) < 1e-5 and (D == 0).all()
    # A count of 0 costs the mean.
    A, Y = np.array([[3.0]], dtype), np.zeros((1, 1), dtype)
    assert losses_and_gradients("poisson", np.log(A), A, Y)[0][0] == 3


@each_dtype
def test_confident_mistakes_cost_their_logit(dtype: str) -> None:
    Z = np.array([[1000, -1000]], dtype)
    A, Y = np.array([[1, 0]], dtype), np.array([[0, 1]], dtype)
    assert losses_and_gradients("cross_entropy", Z, A, Y)[0] == 2000
    assert losses_and_gradients("binary_cross_entropy", Z, A, Y)[0] == 2000


@each_dtype
@pytest.mark.parametrize("n", [2, 3, 37])
@pytest.mark.parametrize("shift", [0, -10, 1000, 30000])
def test_cross_entropy_does_not_depend_on_where_the_logits_lie(
    dtype: str, n: int, shift: int
) -> None:
    # The total comes from the largest output, from 1/n to 1: right to within its last digits,
    # however large the logits are and however small the loss is; and never below 0.
    Z = np.zeros((60, n), dtype)
    Z[:, 1] = np.arange(60) / 2
    Z += Z.dtype.type(shift)  # exact
    A, Y = reference.softmax(Z.astype(np.float64)).astype(dtype), np.zeros_like(Z)
    Y[:, 1] = 1
    values, _ = losses_and_gradients("cross_entropy", Z, A, Y)
    expected = reference.cross_entropy(Z, A, Y)
    eps = np.finfo(dtype).eps
    # In float64 the kernel's own differences round.
    limit = eps if dtype == "float32" else eps * (2 + np.abs(Z).max())
    np.testing.assert_allclose(values, expected, rtol=0, atol=limit)
    assert (values >= (0 if dtype == "float32" else -limit)).all()


@each_pair
@each_dtype
@pytest.mark.parametrize("place", [0, 1, 2])
def test_nan_stays_nan(output: str, loss: str, dtype: str, place: int) -> None:
    Z = np.zeros((1, 3), dtype)
    Z[0, place] = np.nan
    Y = draw_targets(output, Z.shape, dtype)
    A = reference.activate((output, 0.0), Z)
    values, D = losses_and_gradients(loss, Z, A, Y)
    assert np.isnan(values).all() and np.isnan(D[0, place])


@pytest.mark.parametrize("loss", LOSSES.names())
def test_fused_losses_are_those_of_the_twin(loss: str) -> None:
    assert LOSSES.parse(loss).is_fused == (loss in reference.FUSED)


@pytest.mark.parametrize("loss", list(reference.FUSED))
def test_fused_gradients_are_the_general_ones(loss: str) -> None:
    # A check of the twin: dL/dA through the activation's own backward rule.
    activation = (reference.FUSED[loss], 0.0)
    Z = np.random.default_rng(0).normal(0, 1, (6, 3))
    A, Y = reference.activate(activation, Z), draw_targets(activation[0], (6, 3), "float64")
    dA = reference.LOSS_GRADIENTS[loss](A, Y, 0.0)
    general = reference.activate_backward(activation, Z, A, dA)
    np.testing.assert_allclose(reference.fused_gradient(A, Y), general, rtol=1e-12, atol=1e-15)


def count_hits(task: int, threshold: float, A: np.ndarray, Y: np.ndarray) -> list[int]:
    return [compiled(row_hit)(task, threshold, a, y) for a, y in zip(A, Y, strict=True)]


@each_dtype
@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_multiclass_hits_are_the_twins(dtype: str, n: int) -> None:
    A = np.random.default_rng(n).integers(0, 4, (60, n)).astype(dtype)  # with ties
    Y = draw_targets("softmax", (60, n), dtype)
    assert count_hits(codes.MULTICLASS, 0.5, A, Y) == reference.hits("multiclass", A, Y).tolist()


@each_dtype
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.75])
def test_binary_hits_are_the_twins(dtype: str, n: int, threshold: float) -> None:
    A = np.random.default_rng(n).integers(0, 5, (60, n)).astype(dtype) / 4  # also at the threshold
    Y = draw_targets("sigmoid", (60, n), dtype)
    expected = reference.hits("binary", A, Y, threshold)
    assert count_hits(codes.BINARY, threshold, A, Y) == expected.tolist()
    assert 0 < expected.sum() < 60


@each_dtype
def test_a_regression_has_no_hits(dtype: str) -> None:
    Y = draw_targets("identity", (5, 2), dtype)
    assert count_hits(codes.REGRESSION, 0.5, Y, Y) == [0] * 5
