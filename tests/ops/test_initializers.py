"""Start values: their spread, their bounds, the fans they depend on, and their random streams."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastmlp.base.random import Purpose, stream
from fastmlp.model.network import Network
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.initializers import INITIALIZERS

SHAPE = (300, 400)
FAN_IN, FAN_OUT = SHAPE

# Uniform on (-limit, limit), by the papers' formulas.
LIMITS = {
    "glorot_uniform": math.sqrt(6 / (FAN_IN + FAN_OUT)),
    "he_uniform": math.sqrt(6 / FAN_IN),
    "lecun_uniform": math.sqrt(3 / FAN_IN),
    "random_uniform": 0.05,
    "random_uniform(0.3)": 0.3,
}
# Normal with standard deviation.
DEVIATIONS = {
    "glorot_normal": math.sqrt(2 / (FAN_IN + FAN_OUT)),
    "he_normal": math.sqrt(2 / FAN_IN),
    "lecun_normal": math.sqrt(1 / FAN_IN),
    "random_normal": 0.05,
    "random_normal(0.3)": 0.3,
}
ORTHOGONAL = {"orthogonal": 1.0, "orthogonal(1.5)": 1.5}  # by their gain
FILLED = {"zeros": 0.0, "ones": 1.0, "constant": 0.0, "constant(-2.5)": -2.5}


def sample(spec: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return INITIALIZERS.parse(spec).sample(np.random.default_rng(0), shape, *SHAPE)


def network(
    sizes: tuple[int, ...] = (5, 7, 3),
    weights: str = "glorot_uniform",
    biases: str = "zeros",
    seed: int = 0,
    dtype: str = "float64",
) -> Network:
    made = Network.of_sizes(sizes, [ACTIVATIONS.parse("relu")] * (len(sizes) - 1), dtype)
    made.initialize(INITIALIZERS.parse(weights), INITIALIZERS.parse(biases), seed)
    return made


def test_the_tables_cover_the_registry() -> None:
    specs = [*LIMITS, *DEVIATIONS, *ORTHOGONAL, *FILLED]
    assert {INITIALIZERS.parse(spec).name for spec in specs} == set(INITIALIZERS.names())


@pytest.mark.parametrize("spec", [*LIMITS, *DEVIATIONS, *ORTHOGONAL, *FILLED])
def test_samples_are_float64_of_the_shape(spec: str) -> None:
    assert sample(spec, (2, 3)).shape == (2, 3)
    assert sample(spec, (4,)).shape == (4,)
    assert sample(spec).dtype == np.float64


@pytest.mark.parametrize(("spec", "limit"), LIMITS.items())
def test_uniform_samples_fill_their_interval_evenly(spec: str, limit: float) -> None:
    values = sample(spec)
    assert np.abs(values).max() <= limit
    assert values.max() > 0.999 * limit and values.min() < -0.999 * limit
    assert abs(values.mean()) < 0.01 * limit
    assert values.std() == pytest.approx(limit / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(("spec", "deviation"), DEVIATIONS.items())
def test_normal_samples_have_their_moments(spec: str, deviation: float) -> None:
    values = sample(spec) / deviation
    assert abs(values.mean()) < 0.015
    assert values.std() == pytest.approx(1, rel=0.01)
    assert (values**4).mean() == pytest.approx(3, rel=0.05)
    assert np.abs(values).max() > 3.5  # not truncated


@pytest.mark.parametrize(("spec", "gain"), ORTHOGONAL.items())
@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (1, 6), (6, 1), (1, 1), (300, 40)])
def test_the_fewer_of_rows_and_columns_are_orthonormal_but_for_the_gain(
    shape: tuple[int, int], spec: str, gain: float
) -> None:
    Q = sample(spec, shape)
    products = Q.T @ Q if shape[0] >= shape[1] else Q @ Q.T
    np.testing.assert_allclose(products, gain**2 * np.eye(min(shape)), rtol=0, atol=1e-13)


def test_an_orthogonal_vector_has_the_gain_for_its_length() -> None:
    assert np.linalg.norm(sample("orthogonal(1.5)", (9,))) == pytest.approx(1.5)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_orthogonal_matrices_point_everywhere_alike(shape: tuple[int, int]) -> None:
    # What a QR decomposition gives has signs of its own.
    orthogonal = INITIALIZERS.parse("orthogonal")
    drawn = [orthogonal.sample(np.random.default_rng(s), shape, *shape) for s in range(400)]
    assert np.abs(np.mean(np.sign(drawn), axis=0)).max() < 5 / math.sqrt(400)


@pytest.mark.parametrize(("spec", "value"), FILLED.items())
def test_filled_samples_hold_one_value(spec: str, value: float) -> None:
    assert (sample(spec) == value).all()


def test_weights_have_the_fans_of_their_layer() -> None:
    made = network((400, 2, 300), weights="he_uniform")
    assert np.abs(made.weights[0]).max() <= math.sqrt(6 / 400)
    assert math.sqrt(6 / 400) < np.abs(made.weights[1]).max() <= math.sqrt(6 / 2)


def test_the_fans_of_a_bias_are_both_its_length() -> None:
    limit = math.sqrt(6 / (400 + 400))
    biases = network((2, 400), biases="glorot_uniform").biases[0]
    assert 0.98 * limit < np.abs(biases).max() <= limit
    deviation = math.sqrt(2 / 400)
    assert network((2, 400), biases="he_normal").biases[0].std() == pytest.approx(
        deviation, rel=0.1
    )


@pytest.mark.parametrize("spec", [*LIMITS, *DEVIATIONS, *ORTHOGONAL])
def test_float32_is_float64_rounded(spec: str) -> None:
    narrow, wide = (network(weights=spec, biases=spec, dtype=d) for d in ("float32", "float64"))
    for one, other in zip(
        [*narrow.weights, *narrow.biases], [*wide.weights, *wide.biases], strict=True
    ):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other.astype(np.float32))


def test_a_seed_gives_the_same_values_and_another_seed_others() -> None:
    first, again, other = (network(biases="random_normal", seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.params, again.params)
    for one, two in zip(
        [*first.weights, *first.biases], [*other.weights, *other.biases], strict=True
    ):
        assert (one != two).all()


def test_a_layers_values_do_not_depend_on_the_layers_before() -> None:
    small, large = network((5, 7, 3), biases="ones"), network((50, 7, 3), biases="random_normal")
    np.testing.assert_array_equal(small.weights[1], large.weights[1])


def test_layers_of_the_same_shape_have_different_values() -> None:
    made = network((6, 6, 6), biases="random_normal")
    assert (made.weights[0] != made.weights[1]).all()
    assert (made.biases[0] != made.biases[1]).all()


def test_weights_and_biases_have_their_own_streams() -> None:
    made = network((1, 9), weights="random_normal(1)", biases="random_normal(1)")
    for purpose, values in (
        (Purpose.WEIGHTS, made.weights[0][0]),
        (Purpose.BIASES, made.biases[0]),
    ):
        np.testing.assert_array_equal(values, stream(0, purpose).normal(0, 1, 9))
