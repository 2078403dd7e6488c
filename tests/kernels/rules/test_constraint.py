"""Clipping of gradients and the max-norm constraint: what each promises, and their twins."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from fastmlp.kernels.emit.emitter import lanes
from fastmlp.kernels.rules.constraint import clip, limit_unit_norms, norm_factor, squared_norm
from harness import DTYPES, Case, Run, assert_close, assert_matches_twin, compiled

LIMITS = [(0.1, 0.0), (0.0, 0.02), (0.1, 0.02)]  # by norm, by value, both

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_limit = pytest.mark.parametrize(("clip_norm", "clip_value"), LIMITS)

# A step of plain SGD of rate 1 moves by the gradient; all rows are one batch.
PLAIN = Case(rows=10, batch_size=10, epochs=1, rate=1.0)


def draw(dtype: str, *shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(dtype)


def step(case: Case, threads: int = 1) -> list[np.ndarray]:
    """By how much one step lowers every weight and bias."""
    run = Run(case)
    weights, biases, *_ = run.model()
    run.train(threads)
    after = [*run.network.weights, *run.network.biases]
    return [old - new for old, new in zip([*weights, *biases], after, strict=True)]


# --- the kernels ---


@each_dtype
@pytest.mark.parametrize("n", [1, 16, 37])
def test_a_squared_norm_is_taken_in_float64(dtype: str, n: int) -> None:
    g = draw(dtype, n)
    expected = np.square(g.astype(np.float64)).sum()
    assert compiled(squared_norm)(g) == pytest.approx(expected, rel=1e-14)
    assert compiled(squared_norm)(np.full(n, 1e30, dtype)) == pytest.approx(n * 1e60, rel=1e-6)


@pytest.mark.parametrize(
    ("squares", "limit", "expected"),
    [
        ([9.0, 16.0], 1.0, 1 / 5),
        ([9.0, 16.0], 5.1, 1.0),
        ([9.0, 16.0], 500.0, 1.0),
        ([0.0], 1.0, 1.0),
        ([np.inf], 1.0, 0.0),
    ],
)
def test_the_factor_brings_the_norm_to_the_limit(
    squares: list[float], limit: float, expected: float
) -> None:
    found = compiled(norm_factor)(np.array(squares), limit)
    assert found == pytest.approx(expected, rel=1e-6)


@each_dtype
@pytest.mark.parametrize("n", [1, 16, 37])
@pytest.mark.parametrize(("factor", "limit"), [(0.25, 0.0), (1.0, 0.5), (0.5, 0.25)])
def test_clipping_scales_first(dtype: str, n: int, factor: float, limit: float) -> None:
    g = draw(dtype, n)
    expected = factor * g if limit == 0 else np.clip(factor * g, -limit, limit)
    compiled(clip)(g, factor, limit)
    np.testing.assert_array_equal(g, expected.astype(dtype))


@each_dtype
@pytest.mark.parametrize("place", [0, 18, 36])
def test_nan_stays_nan(dtype: str, place: int) -> None:
    g = draw(dtype, 37)
    g[place] = np.nan
    for factor, limit in ((0.5, 0.0), (1.0, 0.5), (0.5, 0.5)):
        clipped = g.copy()
        compiled(clip)(clipped, factor, limit)
        np.testing.assert_array_equal(np.isnan(clipped), np.isnan(g))
    assert np.isnan(compiled(squared_norm)(g))


@each_dtype
@pytest.mark.parametrize("n_in", [1, 6, 40])
def test_unit_norms_are_limited_in_the_panel_asked_for(dtype: str, n_in: int) -> None:
    width, start, limit = lanes(np.dtype(dtype)), 3, 0.8
    W = draw(dtype, n_in, width)
    W[:, [0, 5]] *= 0.01 / np.linalg.norm(W[:, [0, 5]], axis=0)
    flat = np.concatenate([np.full(start, -5, dtype), W.ravel(), np.full(2 * width, -5, dtype)])
    expected = W.copy()
    reference.limit_unit_norms(expected, limit)
    compiled(limit_unit_norms)(flat, start, n_in, limit)
    panel = flat[start : start + W.size].reshape(W.shape)
    np.testing.assert_allclose(panel, expected, rtol=1e-6 if dtype == "float32" else 1e-15)
    assert (np.delete(flat, slice(start, start + W.size)) == -5).all()
    within = np.linalg.norm(W, axis=0) < limit
    assert 2 <= within.sum() < width
    np.testing.assert_array_equal(panel[:, within], W[:, within])


@each_dtype
def test_units_without_weights_and_nan_are_left(dtype: str) -> None:
    width = lanes(np.dtype(dtype))
    W = np.zeros((3, width), dtype)
    W[1, 2], W[:, 4] = np.nan, [0, 3, 4]
    compiled(limit_unit_norms)(W.ravel(), 0, 3, 1.0)
    expected = np.zeros_like(W)
    expected[1, 2], expected[:, 4] = np.nan, [0, 0.6, 0.8]
    np.testing.assert_allclose(W, expected, rtol=1e-6, atol=0)


# --- clipping in a step ---


@each_dtype
@each_limit
@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_a_clipped_step_is_the_twin(
    clip_norm: float, clip_value: float, l2: float, dtype: str
) -> None:
    case = Case(sizes=(5, 4, 6, 3), rows=23, batch_size=7, block_rows=3, dtype=dtype, l2=l2)
    assert_matches_twin(case.but(clip_norm=clip_norm, clip_value=clip_value))


@pytest.mark.parametrize("optimizer", ["sgd(0.9)", "nesterov", "adam", "adamw", "rmsprop"])
@each_limit
def test_gradients_are_clipped_before_the_optimizer_sees_them(
    clip_norm: float, clip_value: float, optimizer: str
) -> None:
    case = Case(optimizer=optimizer, rate=0.01, clip_norm=clip_norm, clip_value=clip_value)
    assert_matches_twin(case)


@each_dtype
@pytest.mark.parametrize("limit", [0.01, 0.1, 0.5])
def test_the_norm_after_clipping_is_the_limit(limit: float, dtype: str) -> None:
    free = step(PLAIN.but(dtype=dtype))
    clipped = step(PLAIN.but(dtype=dtype, clip_norm=limit))
    assert reference.norm(free) > 0.5
    # limit / (norm + 1e-6) falls a little short of it.
    assert reference.norm(clipped) == pytest.approx(limit, rel=1e-4)
    factor = limit / reference.norm(free)
    for one, other in zip(clipped, free, strict=True):
        np.testing.assert_allclose(one, factor * other, rtol=1e-4, atol=1e-6)


@each_dtype
def test_the_penalty_counts_in_the_norm(dtype: str) -> None:
    case = PLAIN.but(dtype=dtype, l1=1.0, l2=3.0)
    assert reference.norm(step(case)) > 5
    assert reference.norm(step(case.but(clip_norm=0.5))) == pytest.approx(0.5, rel=1e-4)


@each_dtype
@pytest.mark.parametrize("limit", [0.001, 0.05])
def test_no_gradient_is_beyond_the_value(limit: float, dtype: str) -> None:
    free, clipped = step(PLAIN.but(dtype=dtype)), step(PLAIN.but(dtype=dtype, clip_value=limit))
    tolerance = 1e-6 if dtype == "float32" else 1e-15
    for one, other in zip(clipped, free, strict=True):
        np.testing.assert_allclose(one, np.clip(other, -limit, limit), rtol=0, atol=tolerance)
    assert max(np.abs(g).max() for g in free) > 0.06


@each_dtype
@pytest.mark.parametrize("limits", [{"clip_norm": 100.0}, {"clip_value": 100.0}], ids=str)
def test_what_is_within_the_limits_is_untouched_bit_for_bit(
    limits: dict[str, float], dtype: str
) -> None:
    case = Case(dtype=dtype, l2=0.1, rows=23, optimizer="adam")
    free, limited = Run(case), Run(case.but(**limits))
    assert limited.train() == free.train()
    assert limited.network.params.tobytes() == free.network.params.tobytes()


@each_dtype
@each_limit
def test_divergence_shows_through_clipping(clip_norm: float, clip_value: float, dtype: str) -> None:
    case = Case(hidden="relu", dtype=dtype, zeros=0.0, epochs=1)
    run = Run(case.but(clip_norm=clip_norm, clip_value=clip_value))
    run.network.weights[0][2, 3] = np.nan
    assert all(np.isnan(step.loss) for step in run.train())
    assert np.isnan(run.network.weights[1]).any()


# --- max-norm ---


def unit_norms(run: Run) -> np.ndarray:
    norms = [np.linalg.norm(W.astype(np.float64), axis=0) for W in run.network.weights]
    return np.concatenate(norms)


@each_dtype
@pytest.mark.parametrize(
    "case",
    [
        Case(max_norm=0.7),
        Case(max_norm=0.7, sizes=(5, 4, 6, 7, 3), optimizer="adam", l2=0.1, rows=23, batch_size=7),
        Case(max_norm=0.4, sizes=(5, 4, 6, 3), block_rows=2, optimizer="sgd(0.9)"),
        Case(max_norm=0.3, sizes=(1, 1, 1), output="sigmoid", loss="squared_error"),
        Case(max_norm=0.5, clip_norm=0.1, sizes=(17, 33, 9)),
        Case(max_norm=100.0),
    ],
    ids=str,
)
def test_constrained_training_is_the_twin(case: Case, dtype: str) -> None:
    assert_matches_twin(case.but(dtype=dtype))


@each_dtype
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_no_unit_is_beyond_the_limit_after_any_step(optimizer: str, dtype: str) -> None:
    case = Case(
        sizes=(9, 20, 6, 3), max_norm=0.6, optimizer=optimizer, dtype=dtype, rows=30, epochs=1
    )
    run, free = Run(case), Run(case.but(max_norm=0.0))
    for part in range(run.blocks):
        assert unit_norms(run).max() > 0.6 if part == 0 else True
        run.train_part(part, part + 1, [0.05] * run.batches)
        assert unit_norms(run).max() <= 0.6 * (1 + 4 * np.finfo(dtype).eps)
    free.train()
    assert unit_norms(free).max() > 0.7


@each_dtype
def test_units_within_the_limit_are_untouched_bit_for_bit(dtype: str) -> None:
    case = Case(dtype=dtype, rows=23, optimizer="adam")
    free, limited = Run(case), Run(case.but(max_norm=100.0))
    assert limited.train() == free.train()
    assert limited.network.params.tobytes() == free.network.params.tobytes()


@each_dtype
def test_biases_are_not_constrained(dtype: str) -> None:
    run = Run(Case(dtype=dtype, max_norm=1e-3, rate=0.0, epochs=1))
    _, biases, *_ = run.model()
    run.train()
    assert_close(run.network.biases, biases, dtype)
    assert unit_norms(run).max() < 1.001e-3
