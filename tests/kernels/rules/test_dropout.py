"""Dropout: the masks are Philox's, as often zero as asked for, and the same in both passes."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from fastmlp.base.random import Purpose, key
from fastmlp.kernels.rules.dropout import drop, philox
from fastmlp.model.workspace import Workspace
from harness import DTYPES, HIDDEN, Case, Run, assert_matches_twin, compiled

LARGEST = 2**64 - 1
PLACES, UNITS = 4000, 37
KEY = key(3, Purpose.DROPOUT, 1)

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_rate = pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])


def dropped(
    x: np.ndarray,
    rate: float,
    place: int = 0,
    layer: int = 0,
    key: np.ndarray = KEY,
    start: int = 0,
) -> np.ndarray:
    out = np.full_like(x, np.nan)
    compiled(drop)(x, out, rate, key[0], key[1], place, layer, start)
    return out


def masks(rate: float, layer: int = 0, key: np.ndarray = KEY, places: int = PLACES) -> np.ndarray:
    """The units that are kept, for a number of rows."""
    x = np.ones(UNITS)
    return np.array([dropped(x, rate, place, layer, key) > 0 for place in range(places)])


# --- the generator ---


@pytest.mark.parametrize(
    "counter",
    [(0, 0, 0, 0), (1, 0, 0, 0), (5, 6, 7, 8), (LARGEST,) * 4, (0, LARGEST, 0, LARGEST)],
    ids=str,
)
@pytest.mark.parametrize("keys", [(0, 0), (1, 2), (LARGEST, LARGEST), tuple(map(int, KEY))])
def test_the_generator_is_that_of_numpy(counter: tuple[int, ...], keys: tuple[int, int]) -> None:
    before = (sum(word << (64 * place) for place, word in enumerate(counter)) - 1) % 2**256
    expected = np.random.Philox(key=np.array(keys, np.uint64), counter=before).random_raw(4)
    found = compiled(philox)(*map(np.uint64, (*counter, *keys)))
    assert list(found) == expected.tolist()


# --- one row ---


@each_dtype
@each_rate
@pytest.mark.parametrize("n", [1, 7, 8, 9, 37])
def test_a_row_is_the_twins(n: int, rate: float, dtype: str) -> None:
    x = np.random.default_rng(n).normal(size=n).astype(dtype)
    for place, layer in ((0, 0), (1, 0), (0, 1), (10**6, 3)):
        kept = reference.kept(KEY, rate, place, layer, n)
        expected = np.where(kept, x * x.dtype.type(1 / (1 - rate)), 0)
        np.testing.assert_array_equal(dropped(x, rate, place, layer), expected)


@each_dtype
@each_rate
@pytest.mark.parametrize("cuts", [(8,), (16,), (16, 32), (8, 16, 24, 32)], ids=str)
def test_dropout_of_row_in_pieces_equals_dropout_of_row(
    cuts: tuple[int, ...], rate: float, dtype: str
) -> None:
    x = np.random.default_rng(1).normal(size=UNITS).astype(dtype)
    for place, layer in ((0, 0), (7, 2)):
        pieces = [
            dropped(x[first:last], rate, place, layer, start=first)
            for first, last in zip((0, *cuts), (*cuts, UNITS), strict=True)
        ]
        whole = dropped(x, rate, place, layer)
        assert np.concatenate(pieces).tobytes() == whole.tobytes()
        # Pieces that all began at unit 0 would repeat the mask of the first.
        assert dropped(x[8:16], rate, place, layer).tobytes() != whole[8:16].tobytes()


@each_dtype
def test_what_is_not_finite_is_seen_where_it_is_kept(dtype: str) -> None:
    kept = reference.kept(KEY, 0.5, 0, 0, UNITS)
    out = dropped(np.full(UNITS, np.nan, dtype), 0.5)
    assert 0 < kept.sum() < UNITS
    assert np.isnan(out[kept]).all() and (out[~kept] == 0).all()


# --- many rows ---


@each_dtype
@each_rate
def test_mean_and_variance_are_those_of_inverted_dropout(rate: float, dtype: str) -> None:
    x = np.linspace(-2, 2, UNITS).astype(dtype)
    rows = np.array([dropped(x, rate, place) for place in range(PLACES)], np.float64)
    variance = x.astype(np.float64) ** 2 * rate / (1 - rate)
    # Five standard errors.
    assert (np.abs(rows.mean(axis=0) - x) <= 5 * np.sqrt(variance / PLACES) + 1e-6).all()
    np.testing.assert_allclose(rows.var(axis=0), variance, rtol=0.2)


@each_rate
def test_every_unit_is_dropped_as_often_as_asked_for(rate: float) -> None:
    error = np.sqrt(rate * (1 - rate) / PLACES)
    assert (np.abs((~masks(rate)).mean(axis=0) - rate) < 5 * error).all()


def test_units_and_rows_are_dropped_independently() -> None:
    kept = masks(0.5)
    between_units = np.corrcoef(kept.T) - np.eye(UNITS)
    assert np.abs(between_units).max() < 5 / np.sqrt(PLACES)
    between_rows = np.corrcoef(kept[:-1].ravel(), kept[1:].ravel())[0, 1]
    assert abs(between_rows) < 5 / np.sqrt(kept.size)


def test_epochs_layers_seeds_and_steps_have_masks_of_their_own() -> None:
    streams = [
        masks(0.5, layer, key(seed, Purpose.DROPOUT, epoch), places=200).ravel()
        for seed in (0, 1)
        for epoch in (1, 2)
        for layer in (0, 1, 2)
    ]
    between = np.corrcoef(streams) - np.eye(len(streams))
    assert np.abs(between).max() < 5 / np.sqrt(streams[0].size)


# --- in training ---

BOTH = Case(sizes=(9, 20, 17, 3), dropout=(0.2, 0.5, 0.5), rows=30, batch_size=11)


@each_dtype
@pytest.mark.parametrize(
    "case",
    [
        BOTH,
        BOTH.but(dropout=(0.3, 0.0, 0.0)),  # of the inputs alone
        BOTH.but(dropout=(0.0, 0.5, 0.0), block_rows=4, optimizer="adam"),
        BOTH.but(dropout=(0.0, 0.0, 0.9), hidden="relu", batch_size=1),
        BOTH.but(sizes=(5, 3), dropout=(0.4,), l2=0.1),
        BOTH.but(sizes=(1, 1, 1), dropout=(0.5, 0.5), output="sigmoid", loss="squared_error"),
    ],
    ids=str,
)
def test_training_with_dropout_is_the_twin(case: Case, dtype: str) -> None:
    assert_matches_twin(case.but(dtype=dtype))


@pytest.mark.parametrize("hidden", HIDDEN)
def test_dropout_behind_every_activation_is_the_twin(hidden: str) -> None:
    assert_matches_twin(BOTH.but(hidden=hidden, dropout=(0.0, 0.5, 0.3)))


@pytest.mark.parametrize("hidden", ["tanh", "sigmoid"])
def test_what_was_dropped_has_no_gradient(hidden: str) -> None:
    case = Case(
        sizes=(20, 20, 3), rows=1, batch_size=1, zeros=0.0, dropout=(0.4, 0.4), hidden=hidden
    )
    run = Run(case)
    (dW1, dW2), (db1, _) = run.gradients()
    inputs, hidden_units = (mask[0] > 0 for mask in run.masks(0, [0]) if mask is not None)
    assert 0 < inputs.sum() < 20 and 0 < hidden_units.sum() < 20
    np.testing.assert_array_equal((dW1 != 0).any(axis=1), inputs)
    np.testing.assert_array_equal((dW1 != 0).any(axis=0), hidden_units)
    np.testing.assert_array_equal(db1 != 0, hidden_units)
    np.testing.assert_array_equal((dW2 != 0).any(axis=1), hidden_units)


@each_dtype
def test_a_rate_of_zero_is_no_dropout_bit_for_bit(dtype: str) -> None:
    plain = Run(Case(dtype=dtype))
    none = Run(Case(dtype=dtype, layers="dropout(0), dense(7), dropout(0)", input_shape=(5,)))
    assert plain.train() == none.train()
    assert plain.network.params.tobytes() == none.network.params.tobytes()


def test_the_data_are_left_as_they_are() -> None:
    run = Run(BOTH)
    before = run.X.tobytes()
    run.train()
    assert run.X.tobytes() == before


@each_dtype
def test_evaluation_drops_nothing(dtype: str) -> None:
    run = Run(BOTH.but(dtype=dtype))
    run.train()
    run.workspace = Workspace(run.network, run.case.block_rows, training=False)
    outputs, _, _ = run.evaluate()
    weights, biases, activations, _ = run.model()
    expected = reference.forward(weights, biases, activations, run.X)[1][-1]
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5)
