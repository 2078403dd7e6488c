from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from fastmlp.base.errors import ConfigError
from fastmlp.data.synthetic import SYNTHETIC, Blobs, Moons, Spirals, Synthetic

each_set = pytest.mark.parametrize("name", SYNTHETIC.names())


def neighbours_agree(X: np.ndarray, y: np.ndarray) -> float:
    """The share of rows whose nearest other row is of their class."""
    nearest = KNeighborsClassifier(1).fit(X, y).kneighbors(return_distance=False)
    return float(np.mean(y[nearest[:, 0]] == y))


def test_the_sets() -> None:
    assert SYNTHETIC.names() == ["blobs", "moons", "spirals"]
    assert SYNTHETIC.parse("blobs(classes=4, std=0.5)") == Blobs(classes=4, std=0.5)
    assert SYNTHETIC.parse("moons(50, noise=0)") == Moons(n=50, noise=0.0)
    assert SYNTHETIC.parse("Spirals(turns=2, seed=3)") == Spirals(turns=2.0, seed=3)


@each_set
def test_defaults(name: str) -> None:
    data = SYNTHETIC.parse(name).draw()
    assert (data.name, data.task) == (name, "classification")
    assert data.X.shape == (1000, 2)
    assert data.X.dtype == np.float64
    assert data.y.dtype == np.int64
    assert SYNTHETIC.parse(name).formula
    assert type(SYNTHETIC.parse(name)).__doc__


@each_set
def test_a_set_is_named_by_its_recipe(name: str) -> None:
    data = SYNTHETIC.parse(f"{name}(n=50, seed=7)").draw()
    again = SYNTHETIC.parse(data.name).draw()
    assert data.name == f"{name}(n=50, seed=7)"
    np.testing.assert_array_equal(data.X, again.X)
    np.testing.assert_array_equal(data.y, again.y)


@each_set
def test_another_seed_gives_another_set(name: str) -> None:
    one, other = (SYNTHETIC.parse(f"{name}(seed={seed})").draw() for seed in (0, 2**64 - 1))
    assert not np.array_equal(one.X, other.X)
    assert not np.array_equal(one.y, other.y)


@each_set
@settings(max_examples=20)
@given(n=st.integers(6, 200), seed=st.integers(0, 2**64 - 1))
def test_classes_are_balanced(name: str, n: int, seed: int) -> None:
    counts = np.bincount(SYNTHETIC.parse(f"{name}(n={n}, seed={seed})").draw().y)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


@each_set
def test_rows_are_shuffled(name: str) -> None:
    data = SYNTHETIC.parse(f"{name}(n=2000)").draw()
    # Of neighbouring rows, as many are of one class as chance has it, give or take 5 deviations.
    classes = len(np.unique(data.y))
    alike = np.mean(data.y[1:] == data.y[:-1])
    assert abs(alike - 1 / classes) < 5 * np.sqrt((1 - 1 / classes) / classes / 2000)
    # Nor do the points follow a path: their order tells nothing about their position.
    assert abs(np.corrcoef(data.X[1:, 0], data.X[:-1, 0])[0, 1]) < 0.1


def test_blobs_lie_about_a_circle_of_centres_6_apart() -> None:
    data = Blobs(n=20_000, classes=5, std=0.5).draw()
    centres = np.array([data.X[data.y == k].mean(axis=0) for k in range(5)])
    np.testing.assert_allclose(np.linalg.norm(centres - np.roll(centres, 1, 0), axis=1), 6, 0.01)
    np.testing.assert_allclose(np.hypot(*centres.T), 3 / np.sin(np.pi / 5), 0.01)
    residuals = data.X - centres[data.y]
    np.testing.assert_allclose(residuals.std(axis=0), 0.5, 0.03)


def test_moons_without_noise_lie_on_half_circles() -> None:
    data = Moons(noise=0.0).draw()
    outer, inner = data.X[data.y == 0], data.X[data.y == 1]
    np.testing.assert_allclose(np.hypot(*outer.T), 1)
    np.testing.assert_allclose(np.hypot(*(inner - [1, 0.5]).T), 1)
    assert outer[:, 1].min() >= 0 and inner[:, 1].max() <= 0.5
    assert np.ptp(outer[:, 0]) > 1.9 and np.ptp(inner[:, 0]) > 1.9


def test_spirals_without_noise_are_one_apart() -> None:
    data = Spirals(noise=0.0, turns=2.0).draw()
    radius = np.hypot(*data.X.T)
    assert 0.5 <= radius.min() < 0.6 and 4.4 < radius.max() <= 4.5
    angle = np.arctan2(data.X[:, 1], data.X[:, 0]) + np.pi * data.y
    # θ = π r at the angle θ + π k, as it is seen within a turn.
    np.testing.assert_allclose(np.cos(np.pi * radius - angle), 1)
    # Rows are equally dense along the arm: half of them on its outer 5/16 of turns or so.
    middle = np.sqrt((0.5**2 + 4.5**2) / 2)
    assert abs(np.mean(radius < middle) - 0.5) < 0.06


@pytest.mark.parametrize("turns", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_arms_of_a_spiral_stay_apart_at_the_default_noise(turns: float, seed: int) -> None:
    data = Spirals(n=1000, turns=turns, seed=seed).draw()
    assert neighbours_agree(data.X, data.y) == 1.0


def test_noise_is_a_deviation_in_units_of_the_plane() -> None:
    for record in (Moons, Spirals):
        clean, noisy = record(n=5000, noise=0.0).draw(), record(n=5000, noise=0.3).draw()
        np.testing.assert_array_equal(clean.y, noisy.y)
        np.testing.assert_allclose((noisy.X - clean.X).std(axis=0), 0.3, 0.05)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("moons(n=3)", "moons: n must be 4 (two a class) to 10000000, got 3"),
        ("blobs(n=9, classes=5)", "n must be 10"),
        ("spirals(n=10000001)", "n must be"),
        ("blobs(classes=1)", "blobs: classes must be 2 to 1000, got 1"),
        ("blobs(classes=1001, n=5000)", "classes must be"),
        ("blobs(std=-1)", "blobs: std must be 0 to 1000, got -1.0"),
        ("moons(noise=1e9)", "noise must be"),
        ("spirals(noise=-0.1)", "noise must be"),
        ("spirals(turns=0)", "spirals: turns must be above 0, at most 100, got 0.0"),
        ("spirals(turns=101)", "turns must be"),
        ("moons(seed=-1)", "moons: seed must be 0 to 2**64 - 1, got -1"),
        (f"moons(seed={2**64})", "seed must be"),
        ("moons(turns=1)", "moons has no parameter 'turns'"),
        ("moons(n=1e3)", "n must be a whole number, got 1000.0"),
    ],
)
def test_parameters_out_of_their_range_are_refused(spec: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SYNTHETIC.parse(spec)
    assert words in str(caught.value)


def test_nan_is_no_noise() -> None:
    with pytest.raises(ConfigError, match="noise must be"):
        Spirals(noise=float("nan"))


def test_the_base_draws_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Synthetic().draw()
