"""The per-sample step: the general step with batches of one, and its twin, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest

from driving import (
    DTYPES,
    HIDDEN,
    TOGETHER,
    Case,
    Run,
    assert_close,
    assert_same_steps,
    compiled,
)
from fastmlp.kernels.sample_step import find_nonzero

SAMPLES = Case(batch_size=1, sizes=(9, 6, 7, 3), rate=0.03)
SHAPES = [
    SAMPLES.but(sizes=(1, 1), output="sigmoid", loss="binary_cross_entropy"),
    SAMPLES.but(sizes=(1, 1, 1), output="identity", loss="squared_error"),
    SAMPLES.but(sizes=(4, 1, 3)),
    SAMPLES.but(sizes=(3, 20, 2)),
    SAMPLES.but(sizes=(40, 33, 17)),
    SAMPLES.but(sizes=(5, 4, 6, 7, 3)),
    SAMPLES.but(zeros=0.0),
    SAMPLES.but(zeros=1.0),
    SAMPLES.but(zeros=0.8, hidden="relu"),
    SAMPLES.but(block_rows=1),
    SAMPLES.but(rows=1),
    SAMPLES.but(hidden=("elu(0.5)", "gelu"), label_smoothing=0.1),
    SAMPLES.but(output="sigmoid", loss="binary_cross_entropy", label_smoothing=0.1),
    SAMPLES.but(output="identity", loss="huber(0.25)"),
]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_shape = pytest.mark.parametrize("case", SHAPES, ids=str)


def assert_matches(case: Case) -> None:
    """The per-sample step gives what the general step and the twin give."""
    sample, general = Run(case), Run(case)
    weights, biases, twin_steps = sample.twin()
    steps = sample.train_samples()
    assert_same_steps(steps, twin_steps, case.dtype)
    assert_close(sample.network.weights, weights, case.dtype)
    assert_close(sample.network.biases, biases, case.dtype)
    assert_same_steps(steps, general.train(), case.dtype)
    assert_close([sample.network.params], [general.network.params], case.dtype)


@pytest.mark.parametrize(("hidden", "output", "loss", "dtype"), TOGETHER)
def test_every_activation_and_loss_matches(hidden: str, output: str, loss: str, dtype: str) -> None:
    assert_matches(SAMPLES.but(hidden=hidden, output=output, loss=loss, dtype=dtype))


@each_dtype
@each_shape
def test_every_shape_matches(case: Case, dtype: str) -> None:
    assert_matches(case.but(dtype=dtype))


@each_dtype
def test_inputs_that_are_all_zero_train_the_biases_alone(dtype: str) -> None:
    run = Run(SAMPLES.but(zeros=1.0, sizes=(5, 3), dtype=dtype))
    weights, biases, *_ = run.model()
    run.train_samples()
    assert run.network.weights[0].tobytes() == weights[0].tobytes()
    assert (run.network.biases[0] != biases[0]).all()


@each_dtype
@each_shape
def test_results_do_not_depend_on_what_scratch_held_before(case: Case, dtype: str) -> None:
    clean, poisoned = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype))
    poisoned.lay_in_rows()
    poisoned.poison()
    assert poisoned.train_samples() == clean.train_samples()
    assert poisoned.network.params.tobytes() == clean.network.params.tobytes()
    assert np.isfinite(poisoned.network.params).all()


@each_dtype
@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_bits_are_the_same_if_an_epoch_is_done_in_pieces(pieces: int, dtype: str) -> None:
    whole, parts = Run(SAMPLES.but(dtype=dtype)), Run(SAMPLES.but(dtype=dtype))
    assert parts.train_samples(pieces) == whole.train_samples()
    assert parts.network.params.tobytes() == whole.network.params.tobytes()


@each_dtype
@pytest.mark.parametrize("hidden", HIDDEN)
def test_padding_stays_exactly_zero(hidden: str, dtype: str) -> None:
    run = Run(SAMPLES.but(hidden=hidden, dtype=dtype))
    run.train_samples()
    # The network's own numbers, in rows: nothing has to be brought over.
    assert run.workspace.net.params is run.network.params
    assert run.padding(run.network.params).size > 0
    assert (run.padding(run.network.params) == 0).all()


@each_dtype
def test_a_nan_in_the_weights_reaches_the_loss(dtype: str) -> None:
    run = Run(SAMPLES.but(hidden="relu", dtype=dtype, zeros=0.0, epochs=1))
    run.network.weights[0][2, 3] = np.nan
    assert all(np.isnan(step.loss) for step in run.train_samples())


@each_dtype
@pytest.mark.parametrize("n", [1, 4, 37])
@pytest.mark.parametrize("zeros", [0.0, 0.5, 1.0])
def test_the_nonzero_inputs_are_found_in_order(dtype: str, n: int, zeros: float) -> None:
    rng = np.random.default_rng(n)
    a = np.where(rng.random(n) < zeros, 0, rng.normal(0, 1, n)).astype(dtype)
    index = np.full(n + 1, -7)
    count = compiled(find_nonzero)(a, index)
    assert index[:count].tolist() == np.flatnonzero(a).tolist()


@each_dtype
def test_nan_counts_as_nonzero_and_minus_zero_does_not(dtype: str) -> None:
    index = np.zeros(5, np.int64)
    a = np.array([np.nan, -0.0, np.inf, 0.0], dtype)
    assert compiled(find_nonzero)(a, index) == 2
    assert index[:2].tolist() == [0, 2]
