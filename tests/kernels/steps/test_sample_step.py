"""The per-sample step: the general step with batches of one, and its twin, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.steps.sample_operations import list_units
from harness import DTYPES, HIDDEN, TOGETHER, Case, Run, assert_close, assert_same_steps, compiled

SAMPLES = Case(batch_size=1, sizes=(9, 6, 7, 3), rate=0.03)
# The first layer takes blocks of these at once, each while the one before is trained on.
BYTES = SAMPLES.but(
    of_bytes=True, inputs="bytes", scale="unit", sizes=(64, 33, 3), rows=70, zeros=0.7
)
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
    SAMPLES.but(sizes=(30, 100, 70, 20, 3), hidden="relu", zeros=0.8),
    SAMPLES.but(sizes=(9, 40, 33, 3), hidden=("softmax", "relu")),
    SAMPLES.but(l2=0.3, sizes=(9, 40, 33, 17, 3), hidden="relu"),
    SAMPLES.but(l2=3.0, epochs=20, sizes=(9, 40, 3)),
    # Long enough to apply deferred updates; the scale alone reaches its minimum before.
    SAMPLES.but(l2=1.0, epochs=1, rows=1100, sizes=(9, 40, 3)),
    SAMPLES.but(scale="standard", inputs="shifted lists", epochs=1, rows=700, sizes=(9, 40, 3)),
    SAMPLES.but(scale="standard", inputs="shifted lists", sizes=(9, 40, 33, 3), zeros=0.7),
    SAMPLES.but(scale="minmax", inputs="shifted lists", l2=0.5, sizes=(9, 3), zeros=0.7),
    SAMPLES.but(scale="standard", inputs="shifted lists", l2=0.1, rows=70, sizes=(9, 33, 3)),
    SAMPLES.but(rows=1),
    BYTES,
    BYTES.but(rows=1),
    BYTES.but(sizes=(90, 5, 3), zeros=0.0),
    BYTES.but(sizes=(70, 40, 20, 3), hidden="relu", l2=0.3, rows=530, epochs=1),
    BYTES.but(sizes=(64, 100, 3), hidden="softmax", blank=True, rows=33),
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
    # It reports no penalties: a run that wants them takes the general step.
    twin_steps = [step._replace(penalty=0.0) for step in twin_steps]
    assert_same_steps(steps, twin_steps, case.dtype)
    assert_close(sample.network.weights, weights, case.dtype)
    assert_close(sample.network.biases, biases, case.dtype)
    general_steps = [step._replace(penalty=0.0) for step in general.train()]
    assert_same_steps(steps, general_steps, case.dtype)
    assert_close([sample.network.params], [general.network.params], case.dtype)


@pytest.mark.parametrize(("hidden", "output", "loss", "dtype"), TOGETHER)
def test_every_activation_and_loss_matches(hidden: str, output: str, loss: str, dtype: str) -> None:
    assert_matches(SAMPLES.but(hidden=hidden, output=output, loss=loss, dtype=dtype))


@each_dtype
@each_shape
def test_every_shape_matches(case: Case, dtype: str) -> None:
    assert_matches(case.but(dtype=dtype))


@each_dtype
def test_zero_inputs_train_only_biases(dtype: str) -> None:
    run = Run(SAMPLES.but(zeros=1.0, sizes=(5, 3), dtype=dtype))
    weights, biases, *_ = run.model()
    run.train_samples()
    assert run.network.weights[0].tobytes() == weights[0].tobytes()
    assert (run.network.biases[0] != biases[0]).all()


@each_dtype
@each_shape
def test_results_do_not_depend_on_what_scratch_held_before(case: Case, dtype: str) -> None:
    clean, poisoned = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype))
    poisoned.lay_out_for_samples()
    poisoned.poison()
    assert poisoned.train_samples() == clean.train_samples()
    assert poisoned.network.params.tobytes() == clean.network.params.tobytes()
    assert np.isfinite(poisoned.network.params).all()


@each_dtype
@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_bits_are_the_same_if_an_epoch_is_done_in_pieces(pieces: int, dtype: str) -> None:
    whole, parts = Run(SAMPLES.but(dtype=dtype)), Run(SAMPLES.but(dtype=dtype))
    assert parts.train_samples(pieces=pieces) == whole.train_samples()
    assert parts.network.params.tobytes() == whole.network.params.tobytes()


@each_dtype
@pytest.mark.parametrize("pieces", [32, 64])
def test_blocks_of_bytes_end_where_pieces_may(pieces: int, dtype: str) -> None:
    whole, parts = Run(BYTES.but(dtype=dtype)), Run(BYTES.but(dtype=dtype))
    assert parts.train_samples(pieces=pieces) == whole.train_samples()
    assert parts.network.params.tobytes() == whole.network.params.tobytes()


@each_dtype
@pytest.mark.parametrize("team", [1, 2])
@pytest.mark.parametrize("pieces", [1, 7, 33, 40])
def test_pieces_that_cut_blocks_of_bytes_give_what_the_twin_gives(
    pieces: int, team: int, dtype: str
) -> None:
    run = Run(BYTES.but(dtype=dtype))
    weights, biases, _ = run.twin()
    run.train_samples(team, pieces=pieces, full_team=team > 1)
    assert_close(run.network.weights, weights, dtype)
    assert_close(run.network.biases, biases, dtype)


@each_dtype
@pytest.mark.parametrize("hidden", HIDDEN)
def test_padding_stays_exactly_zero(hidden: str, dtype: str) -> None:
    run = Run(SAMPLES.but(hidden=hidden, dtype=dtype))
    run.train_samples()
    params = run.workspace.in_rows(run.workspace.net.params)
    assert run.padding(params).size > 0
    assert (run.padding(params) == 0).all()


@each_dtype
def test_a_nan_in_the_weights_reaches_the_loss(dtype: str) -> None:
    run = Run(SAMPLES.but(hidden="relu", dtype=dtype, zeros=0.0, epochs=1))
    run.network.weights[0][2, 3] = np.nan
    assert all(np.isnan(step.loss) for step in run.train_samples())


@each_dtype
@each_shape
@pytest.mark.parametrize("team", [2])
def test_two_members_give_the_same_bits_as_one(case: Case, team: int, dtype: str) -> None:
    alone, together = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype))
    together.lay_out_for_samples()
    together.poison()
    assert together.train_samples(team, full_team=True) == alone.train_samples()
    assert together.network.params.tobytes() == alone.network.params.tobytes()


@each_dtype
def test_units_that_do_not_count_are_left_out(dtype: str) -> None:
    A = np.array([7, 7, np.nan, -0.0, np.inf, 0.0, 1, 7], dtype)
    columns, values = np.full(8, -7, np.int32), np.zeros(8, dtype)
    assert compiled(list_units)(A, 2, 7, 1, 1, columns, values) == 3
    assert columns[2:5].tolist() == [1, 3, 5]
    np.testing.assert_array_equal(values[2:5], A[[2, 4, 6]])
    assert compiled(list_units)(A, 2, 7, 1, 0, columns, values) == 5
