"""The first layer on rows of bytes: as the twin, and as on dense rows, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.emit.bits import HALF_WORD, WORD
from fastmlp.model.sparse import as_bytes
from harness import (
    DTYPES,
    TOLERANCE,
    Case,
    Run,
    assert_close,
    assert_matches_twin,
    with_each_option,
)

BYTES = Case(
    inputs="bytes", of_bytes=True, scale="maxabs", sizes=(70, 40, 9, 3), zeros=0.8, rows=23,
    batch_size=10,
)  # fmt: skip
SHAPES = [
    BYTES,
    BYTES.but(sizes=(WORD, 1), output="sigmoid", loss="binary_cross_entropy"),
    BYTES.but(sizes=(2 * WORD, 3)),
    BYTES.but(sizes=(2 * WORD + 1, 17, 2)),
    BYTES.but(sizes=(191, 150, 4)),
    BYTES.but(hidden="softmax"),
    BYTES.but(zeros=0.0),
    BYTES.but(zeros=1.0),
    BYTES.but(blank=True),
    BYTES.but(batch_size=1),
    BYTES.but(batch_size=23, block_rows=4),
    BYTES.but(rows=HALF_WORD + 70, batch_size=HALF_WORD, block_rows=HALF_WORD),
    BYTES.but(rows=150, batch_size=HALF_WORD + 1),
    BYTES.but(rows=150, batch_size=WORD),
    BYTES.but(rows=270, batch_size=2 * WORD + 5, block_rows=2 * WORD + 5),
    BYTES.but(scale="standard"),
    BYTES.but(scale="standard_global", sizes=(80, 3)),
    BYTES.but(scale="minmax", sizes=(73, 150, 4), batch_size=23, block_rows=5),
]
OPTIONS = with_each_option(BYTES)

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_shape = pytest.mark.parametrize("case", SHAPES, ids=str)
each_case = pytest.mark.parametrize("case", [*SHAPES, *OPTIONS[2:]], ids=str)


@each_dtype
@each_shape
def test_every_shape_matches_the_twin(case: Case, dtype: str) -> None:
    assert_matches_twin(case.but(dtype=dtype))


@pytest.mark.parametrize("case", OPTIONS, ids=str)
def test_every_option_matches_the_twin(case: Case) -> None:
    assert_matches_twin(case)


@each_case
def test_trajectory_equals_those_on_lists_and_dense_rows(case: Case) -> None:
    case = case.but(epochs=10, rate=0.01)
    runs = [Run(case.but(inputs=inputs)) for inputs in ("bytes", "shifted lists", "dense")]
    for run in runs:
        run.train()
    for run in runs[1:]:
        np.testing.assert_allclose(runs[0].network.params, run.network.params, rtol=0, atol=1e-12)


@each_dtype
@each_case
@pytest.mark.parametrize("team", [2, 3, 4])
def test_every_team_gives_the_same_bits(case: Case, team: int, dtype: str) -> None:
    alone, together = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype))
    together.poison()
    assert together.train(team, full_team=True) == alone.train()
    assert together.network.params.tobytes() == alone.network.params.tobytes()


@each_dtype
@each_shape
def test_evaluation_agrees_with_that_of_dense_rows(case: Case, dtype: str) -> None:
    found, dense = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype, inputs="dense"))
    outputs, losses, _ = found.evaluate(threads=2)
    twins, twin_losses, _ = dense.evaluate()
    assert_close([outputs, losses], [twins, twin_losses], dtype)


@each_dtype
def test_weights_of_columns_without_numbers_keep_their_bits(dtype: str) -> None:
    run = Run(BYTES.but(dtype=dtype, zeros=1.0))
    before = run.network.weights[0].copy()
    run.train()
    assert run.network.weights[0].tobytes() == before.tobytes()


@each_dtype
def test_a_nan_in_the_weights_reaches_the_loss(dtype: str) -> None:
    run = Run(BYTES.but(dtype=dtype, zeros=0.0, epochs=1))
    run.network.weights[0][2, 3] = np.nan
    assert all(np.isnan(step.loss) for step in run.train())


@each_dtype
@pytest.mark.parametrize("byte", [1, 128, 255])
@pytest.mark.parametrize("width", [WORD, WORD + 1, 2 * WORD - 1, 2 * WORD])
def test_each_byte_of_a_row_is_taken_once(byte: int, width: int, dtype: str) -> None:
    # One number in each row, in each column in turn: the output is its weight.
    run = Run(BYTES.but(dtype=dtype, sizes=(width, 2), output="identity", rows=width,
                        loss="squared_error", scale="none", zeros=1.0))  # fmt: skip
    X = as_bytes(byte * np.eye(width, dtype=np.uint8))
    run.data = run.data._replace(sparse=run.data.sparse._replace(X=X))
    outputs, _, _ = run.evaluate()
    expected = byte * run.network.weights[0] + run.network.biases[0]
    np.testing.assert_allclose(outputs, expected, rtol=TOLERANCE[dtype])
