"""Feature scalers by the definitions of scikit-learn's, computed in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler

from fastmlp.base.errors import ConfigError
from fastmlp.ops import columns
from fastmlp.ops.scalers import SCALERS, Scaling

RANGE = (0.0, 255.0)
each_scaler = pytest.mark.parametrize("name", SCALERS.names())
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def draw(rows: int = 50, features: int = 4, dtype: str = "float64") -> np.ndarray:
    X = np.random.default_rng(rows).uniform(0, 255, (rows, features)) * np.arange(1, features + 1)
    return (X / features).astype(dtype)


def fit(name: str, X: np.ndarray, feature_range: tuple[float, float] | None = RANGE) -> Scaling:
    return SCALERS.parse(name).fit(X, feature_range)


def scaled(
    name: str, X: np.ndarray, feature_range: tuple[float, float] | None = RANGE
) -> np.ndarray:
    return fit(name, X, feature_range).apply(X, np.dtype("float64"))


def standard_scaler(X: np.ndarray) -> np.ndarray:
    """StandardScaler: the population's deviation, and 1 instead of 0."""
    deviation = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(deviation == 0, 1, deviation)


def min_max_scaler(X: np.ndarray) -> np.ndarray:
    """MinMaxScaler to [0, 1]: a width of 0 counts as 1."""
    width = X.max(axis=0) - X.min(axis=0)
    return (X - X.min(axis=0)) / np.where(width == 0, 1, width)


def robust_scaler(X: np.ndarray) -> np.ndarray:
    """RobustScaler, half the range where the quartiles are equal; then clipped smoothly."""
    width = np.ptp(np.quantile(X, (0.25, 0.75), axis=0), axis=0)
    width = np.where(width == 0, np.ptp(X, axis=0) / 2, width)
    s = (X - np.median(X, axis=0)) / np.where(width == 0, 1, width)
    return s / np.sqrt(1 + (s / 3) ** 2)


EXPECTED = {
    "none": lambda X: X,
    "unit": lambda X: X / 255,
    "minmax": min_max_scaler,
    "maxabs": lambda X: X / np.abs(X).max(axis=0),
    "standard": standard_scaler,
    "standard_global": lambda X: (X - X.mean()) / X.std(),
    "robust": robust_scaler,
}


def test_the_definitions_cover_the_registry() -> None:
    assert set(EXPECTED) == set(SCALERS.names())


@each_scaler
@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8", "int8", "int64", "bool"])
def test_features_of_any_type_are_scaled_by_definition(name: str, dtype: str) -> None:
    X = draw().astype("uint8").astype(dtype)
    expected = EXPECTED[name](X.astype(np.float64))
    np.testing.assert_allclose(scaled(name, X), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in SCALERS.names() if not SCALERS.parse(n).clip])
def test_rows_that_were_not_fitted_are_scaled_alike(name: str) -> None:
    X = draw()
    both = fit(name, X).apply(np.concatenate([X, 3 * X + 1]), np.dtype("float64"))
    np.testing.assert_array_equal(both[:50], scaled(name, X))
    # The same straight line: (3x + 1) is mapped to 3 f(x) - 2 f(0) + (f(1) - f(0)).
    origin, one = fit(name, X).apply(np.array([[0.0] * 4, [1.0] * 4]), np.dtype("float64"))
    np.testing.assert_allclose(both[50:], 3 * both[:50] - 3 * origin + one, atol=1e-11)


@pytest.mark.parametrize("name", ["minmax", "standard"])
@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e9 / 3])
def test_constant_features_become_zero(name: str, value: float) -> None:
    X = draw()
    X[:, 2] = value
    result = scaled(name, X)
    assert (result[:, 2] == 0).all()
    assert fit(name, X).factor[2] == 0
    assert np.isfinite(result).all() and result[:, 1].std() > 0


@pytest.mark.parametrize("name", ["minmax", "standard", "standard_global"])
def test_constant_data_become_zero(name: str) -> None:
    assert (scaled(name, np.full((6, 3), 0.1)) == 0).all()
    assert (scaled(name, np.full((1, 3), 0.1)) == 0).all()


@pytest.mark.parametrize("name", ["minmax", "standard"])
def test_a_single_row_becomes_zero(name: str) -> None:
    assert (scaled(name, draw(rows=1)) == 0).all()


def test_a_small_spread_far_from_zero_is_kept() -> None:
    X = 1e8 + np.array([[0.0], [1.0], [2.0], [3.0]])
    np.testing.assert_allclose(scaled("standard", X), standard_scaler(X - 1e8), rtol=1e-7)


@each_scaler
@each_dtype
def test_the_result_is_a_contiguous_copy_in_the_dtype(name: str, dtype: str) -> None:
    X = np.asfortranarray(draw())
    before = X.copy()
    result = fit(name, X).apply(X, np.dtype(dtype))
    assert result.dtype == dtype and result.flags.c_contiguous
    assert not np.shares_memory(result, X)
    np.testing.assert_array_equal(X, before)


@each_scaler
def test_rows_beyond_the_first_chunk_are_fitted_and_scaled_too(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = draw(rows=50)
    whole = scaled(name, X)
    for rows_at_once in (1, 7, 25, 49):
        monkeypatch.setattr(columns, "ROWS_AT_ONCE", rows_at_once)
        np.testing.assert_allclose(scaled(name, X), whole, rtol=1e-12, atol=1e-12)


def test_no_rows_give_no_rows() -> None:
    assert fit("standard", draw()).apply(np.empty((0, 4)), np.dtype("float32")).shape == (0, 4)


def test_unit_uses_the_known_range_and_not_the_data() -> None:
    X = np.array([[10.0], [20.0]])
    np.testing.assert_array_equal(scaled("unit", X, (10.0, 30.0)), [[0.0], [0.5]])


def test_unit_without_a_known_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"known feature range.*use minmax or standard"):
        fit("unit", draw(), None)


@pytest.mark.parametrize("name", ["none", "minmax", "standard", "standard_global"])
def test_the_others_need_no_range(name: str) -> None:
    np.testing.assert_array_equal(scaled(name, draw(), None), scaled(name, draw()))


def test_robust_is_the_robust_scaler_before_it_is_clipped() -> None:
    X = draw()
    found = fit("robust", X)
    expected = RobustScaler().fit_transform(X)
    np.testing.assert_allclose((X - found.offset) * found.factor, expected, rtol=1e-12, atol=1e-12)
    far = found.apply(np.array([[1e300] * 4, [-np.inf] * 4]), np.dtype("float64"))
    np.testing.assert_array_equal(far, [[3.0] * 4, [np.nan] * 4])


def test_robust_takes_half_the_range_where_the_quartiles_are_equal() -> None:
    X = np.array([[0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [8.0], [-2.0]])
    found = fit("robust", X)
    assert (found.offset[0], found.factor[0]) == (0.0, 1 / 5)
    assert (scaled("robust", np.full((3, 1), 7.0)) == 0).all()


@each_scaler
def test_fitted_scaler_names_its_kind(name: str) -> None:
    assert fit(name, draw()).kind == name
