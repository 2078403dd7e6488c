"""Dropout: the masks are Philox's, as often zero as asked for, and the same in both passes."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from fastmlp.base.random import Purpose, key
from fastmlp.kernels.rules.dropout import draw_lanes, drop
from fastmlp.model.workspace import Workspace
from harness import DTYPES, HIDDEN, Case, Run, assert_matches_twin, compiled

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
    rows: int = 1,
) -> np.ndarray:
    """The row, or as many copies of it, in panels as a network stores them."""
    lanes = 64 // x.itemsize
    panels = -(-x.size // lanes)
    A = np.full((2, panels, rows, lanes), np.nan, x.dtype)
    A[0] = np.pad(x, (0, panels * lanes - x.size)).reshape(panels, 1, lanes)
    flat = A.ravel()
    for p in range(panels):
        at = p * rows * lanes
        compiled(drop)(flat, at, at + A[0].size, lanes, rows, rate, key[0], key[1], place, layer, p)
    assert (A[1, -1, :, x.size - (panels - 1) * lanes :] == 0).all()  # padding stays zero
    found = A[1].transpose(1, 0, 2).reshape(rows, -1)[:, : x.size]
    return found[0] if rows == 1 else found


def masks(rate: float, layer: int = 0, key: np.ndarray = KEY, places: int = PLACES) -> np.ndarray:
    """The units that are kept, for a number of rows."""
    return dropped(np.ones(UNITS), rate, 0, layer, key, places) > 0


# --- the generator ---


@pytest.mark.parametrize(
    ("counter", "keys", "words"),
    [
        ((0,) * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)  # fmt: skip
def test_the_twin_gives_the_published_numbers(
    counter: tuple[int, ...], keys: tuple[int, int], words: str
) -> None:
    assert " ".join(f"{word:08x}" for word in reference.philox(counter, keys)) == words


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
@pytest.mark.parametrize("place", [0, 1, 6, 10**9 + 1])
@pytest.mark.parametrize("rows", [1, 2, 3, 8])
def test_rows_together_are_the_rows_alone(rows: int, place: int, dtype: str) -> None:
    x = np.random.default_rng(1).normal(size=UNITS).astype(dtype)
    together = dropped(x, 0.5, place, 2, rows=rows).reshape(rows, -1)
    alone = [dropped(x, 0.5, place + row, 2) for row in range(rows)]
    assert together.tobytes() == np.array(alone).tobytes()


@each_dtype
@pytest.mark.parametrize("place", [0, 1, 5])
@pytest.mark.parametrize("panels", [1, 2, 3])
def test_masks_of_images_are_those_of_rows(panels: int, place: int, dtype: str) -> None:
    lanes = 64 // np.dtype(dtype).itemsize
    units = panels * lanes
    T = np.full((units + 1) * lanes, np.nan, dtype)
    compiled(draw_lanes)(T, 0, units * lanes, 0.4, KEY[0], KEY[1], place, 3)
    expected = [reference.kept(KEY, 0.4, place + row, 3, units) for row in range(lanes)]
    np.testing.assert_array_equal(T[:-lanes].reshape(units, lanes).T, expected)
    assert np.isnan(T[-lanes:]).all()


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
    rows = dropped(x, rate, rows=PLACES).astype(np.float64)
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
