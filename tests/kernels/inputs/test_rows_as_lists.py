"""The first layer on lists of numbers: as the twin, and as on dense rows, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.buffers import QUARTERS
from fastmlp.kernels.inputs.compress import GRAIN
from fastmlp.model.sparse import compress
from fastmlp.ops.scalers import NO_SCALING, SCALERS
from harness import (
    DTYPES,
    TOLERANCE,
    Case,
    Run,
    assert_close,
    assert_matches_twin,
    with_each_option,
)

LISTS = Case(inputs="shifted lists", sizes=(70, 40, 9, 3), zeros=0.8, rows=23, batch_size=10)
SHAPES = [
    LISTS,
    LISTS.but(sizes=(1, 1), output="sigmoid", loss="binary_cross_entropy"),
    LISTS.but(sizes=(40, 3)),
    LISTS.but(sizes=(3, 17, 2)),
    LISTS.but(sizes=(33, 150, 4)),
    LISTS.but(hidden="softmax"),
    LISTS.but(zeros=0.0),
    LISTS.but(zeros=1.0),
    LISTS.but(batch_size=1),
    LISTS.but(batch_size=23, block_rows=4),
    LISTS.but(scale="standard"),
    LISTS.but(scale="standard", sizes=(40, 3)),
    LISTS.but(scale="minmax", sizes=(33, 150, 4), batch_size=23, block_rows=5),
]
OPTIONS = with_each_option(LISTS)

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
def test_trajectory_equals_that_on_dense_rows(case: Case) -> None:
    case = case.but(epochs=20, rate=0.01)
    lists, dense = Run(case), Run(case.but(inputs="dense"))
    lists.train()
    dense.train()
    np.testing.assert_allclose(lists.network.params, dense.network.params, rtol=0, atol=1e-12)


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
    lists, dense = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype, inputs="dense"))
    outputs, losses, _ = lists.evaluate(threads=2)
    twins, twin_losses, _ = dense.evaluate()
    assert_close([outputs, losses], [twins, twin_losses], dtype)


@each_dtype
def test_weights_of_columns_without_numbers_keep_their_bits(dtype: str) -> None:
    run = Run(LISTS.but(dtype=dtype, zeros=1.0))
    before = run.network.weights[0].copy()
    run.train()
    assert run.network.weights[0].tobytes() == before.tobytes()


@each_dtype
def test_a_nan_in_the_weights_reaches_the_loss(dtype: str) -> None:
    run = Run(LISTS.but(dtype=dtype, zeros=0.0, epochs=1))
    run.network.weights[0][2, 3] = np.nan
    assert all(np.isnan(step.loss) for step in run.train())


@pytest.mark.parametrize("scale", ["none", "standard", "minmax"])
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@each_dtype
def test_lists_hold_what_the_rows_hold(kind: str, scale: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    X = (rng.integers(0, 200, (13, 30)) * (rng.random((13, 30)) < 0.2)).astype(kind)
    scaling = SCALERS.parse(scale).fit(X, None)
    lists = compress(X, scaling, np.dtype(dtype))
    found = np.zeros((14, 30))
    starts = lists.starts.reshape(-1)
    for row in range(14):
        for part in range(QUARTERS):
            numbers = slice(starts[row * QUARTERS + part], starts[row * QUARTERS + part + 1])
            columns = lists.columns[numbers]
            assert ((lists.cuts[part] <= columns) & (columns < lists.cuts[part + 1])).all()
            found[row, columns] = lists.values[numbers]
    expected = (X - scaling.offset) * scaling.factor
    np.testing.assert_allclose(found[:13] + found[13], expected, atol=10 * TOLERANCE[dtype])
    assert (lists.shift.size > 0) == bool(found[13].any())


def test_parts_have_about_as_many_numbers_each() -> None:
    X = np.zeros((8, 1000))
    X[:, 400:600] = 1
    cuts = compress(X, NO_SCALING, np.dtype("float64")).cuts
    assert (cuts[1:-1] % GRAIN == 0).all()
    assert np.diff([X[:, :cut].sum() for cut in cuts]).max() <= X.sum() / 4 + 8 * GRAIN
