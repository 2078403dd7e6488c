"""Softmax and losses with rows in the lanes have the bits of the kernels of one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.kernels import buffers
from fastmlp.kernels.call_types import call_loss
from fastmlp.kernels.rules import activations
from fastmlp.kernels.rules.rows_in_lanes import softmax_in_lanes
from fastmlp.model.launch import launch
from harness import DTYPES, Case, Run, one_row_loss, worker

ROWS = [1, 3, 4, 15, 16, 17, 33, 100]
COLUMNS = [*range(1, 41), 100, 127, 128, 129]
UNTOUCHED = -5.0

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@worker
def lose(member, team, sync, net, work, data, objective, first_row, first, last, scale):
    """Call the loss of a block's rows."""
    call_loss(
        objective.loss,
        (net, work, data, objective, first_row, first, last, net.params.dtype.type(scale)),
    )


def odd_rows(shape: tuple[int, int], dtype: str) -> np.ndarray:
    """Pre-activations of any size; among the rows some with equal, infinite and missing ones."""
    rng = np.random.default_rng(shape[1])
    Z = rng.normal(0, 1, shape) * rng.choice([1e-3, 1, 30], (shape[0], 1))
    Z[2::11] = np.round(Z[2::11])
    for start, value in ((5, np.nan), (6, np.inf), (7, -np.inf), (8, 1e30)):
        Z[start::11, rng.integers(shape[1])] = value
    return Z.astype(dtype)


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether all bits are the same, but for those of NaN."""
    one, other = (np.where(np.isnan(part), 0, part) for part in (one, other))
    return one.tobytes() == other.tobytes()


def assert_same(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_array_equal(one, other)
    assert same_bits(one, other)


@each_dtype
@pytest.mark.parametrize("n", COLUMNS)
def test_softmax_has_the_bits_of_one_row(n: int, dtype: str) -> None:
    lanes = 64 // np.dtype(dtype).itemsize
    stride, start = -(-n // lanes) * lanes, 2 * lanes
    for rows in ROWS:
        Z = np.zeros((rows + 2, stride), dtype)
        Z[1:-1, :n] = odd_rows((rows, n), dtype)
        A = np.zeros_like(Z)
        A[0], A[-1] = UNTOUCHED, UNTOUCHED
        expected = A.copy()
        for z, a in zip(Z[1:-1], expected[1:-1], strict=True):
            activations.softmax(z[:n], a[:n], Z.dtype.type(0))
        flat_z, flat_a = (np.concatenate([np.zeros(start, dtype), M.ravel()]) for M in (Z, A))
        softmax_in_lanes(flat_z, flat_a, start, stride, n, 1, rows + 1)
        assert_same(flat_a[start:].reshape(A.shape), expected)


class Block:
    """A block whose last layer's pre-activations are odd, after the forward pass."""

    def __init__(self, case: Case):
        self.run = Run(case)
        self.work, net = self.run.workspace.work, self.run.workspace.net
        self.last, self.n = net.layers[-1], case.sizes[-1]
        self.Z, self.A, self.D = (self._rows(M) for M in (self.work.Z, self.work.A, self.work.D))
        self.Z[: case.rows, : self.n] = odd_rows((case.rows, self.n), case.dtype)
        function = getattr(activations, case.output)
        for z, a in zip(self.Z, self.A, strict=True):
            function(z[: self.n], a[: self.n], a.dtype.type(0))
        self.D[:, : self.n] = UNTOUCHED

    def _rows(self, flat: np.ndarray) -> np.ndarray:
        start, stride = self.last[[buffers.OUT, buffers.OUT_ROW]]
        return flat[start : start + len(self.work.row_loss) * stride].reshape(-1, stride)

    def lose(self, first_row: int, first: int, last: int, scale: float) -> None:
        run = self.run
        net, data = run.workspace.net, run.data
        launch(lose, 1, net, self.work, data, run.objective, first_row, first, last, scale)

    def expected(self, row: int, source: int, scale: float) -> tuple[float, np.ndarray]:
        """The loss and the gradient of a row, whose target and weight are those of a source."""
        case, dtype, d = self.run.case, self.A.dtype.type, np.zeros(self.n, self.A.dtype)
        y, s, weights = self.run.Y[source], case.label_smoothing, self.run.data.weights
        if s > 0 and self.n == 1:
            y = dtype(1 - s) * y + dtype(s / 2)
        elif s > 0:
            y = np.where(y == 1, dtype(s / self.n) + dtype(1 - s), dtype(s / self.n))
        weight = weights[source] if weights.size else 1.0
        scale = dtype(scale) * dtype(weight)
        loss = one_row_loss(case.loss, self.Z[row, : self.n], self.A[row, : self.n], y, d, scale)
        with np.errstate(invalid="ignore"):  # infinity, of a row whose weight is 0
            return loss * weight, d


def assert_rows_are_lost_alike(case: Case, first: int, scale: float = 0.3) -> None:
    block, last = Block(case), case.rows
    first_row = -first  # row ``first`` of the block is the first row of the data in this order
    order = np.random.default_rng(1).permutation(case.rows)
    block.run.data = block.run.data._replace(order=order)
    block.work.row_loss[:], block.work.row_hit[:] = UNTOUCHED, -7
    block.lose(first_row, first, last, scale)
    for row in range(first, last):
        source = order[first_row + row]
        loss, d = block.expected(row, source, scale)
        assert_same(block.work.row_loss[row : row + 1], np.array([loss]))
        assert_same(block.D[row, : block.n], d)
        a, y = block.A[row, : block.n], block.run.Y[source]
        if case.output == "softmax":
            best = 0
            for j in range(1, block.n):  # the first of equals; NaN is not larger
                best = j if a[j] > a[best] else best
            expected = best == int(y.argmax())
        else:
            expected = bool((a[0] >= case.threshold) == (y[0] >= 0.5))
        assert block.work.row_hit[row] == expected
    assert not block.D[first:last, block.n :].any()  # padding stays zero
    outside = [*range(first), *range(last, len(block.D))]
    assert (block.D[outside, : block.n] == UNTOUCHED).all()
    assert (block.work.row_loss[outside] == UNTOUCHED).all()
    assert (block.work.row_hit[outside] == -7).all()


OPTIONS: list[dict[str, Any]] = [{}, {"weighted": True}, {"label_smoothing": 0.1}]


@each_dtype
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("n", [*range(2, 19), 33, 40, 130])
def test_cross_entropy_has_the_bits_of_one_row(n: int, options: dict[str, Any], dtype: str) -> None:
    for rows in (2, 19, 37):
        assert_rows_are_lost_alike(Case(sizes=(3, n), rows=rows, dtype=dtype, **options), 1)


@each_dtype
@pytest.mark.parametrize("options", [*OPTIONS, {"threshold": 0.3}], ids=str)
@pytest.mark.parametrize("rows", [1, 3, 4, 5, 15, 16, 17, 18, 40, 96])
def test_binary_cross_entropy_has_the_bits_of_one_row(
    rows: int, options: dict[str, Any], dtype: str
) -> None:
    usual = Case(sizes=(3, 1), output="sigmoid", loss="binary_cross_entropy", rows=rows)
    for first in (0, 1, 6):
        if first < rows:
            assert_rows_are_lost_alike(usual.but(dtype=dtype, **options), first)


@each_dtype
@pytest.mark.parametrize(
    ("output", "loss", "n"),
    [("softmax", "cross_entropy", 3), ("softmax", "cross_entropy", 10),
     ("sigmoid", "binary_cross_entropy", 1)],
)  # fmt: skip
def test_row_has_the_same_bits_in_every_lane(output: str, loss: str, n: int, dtype: str) -> None:
    case = Case(sizes=(3, n), output=output, loss=loss, rows=40, dtype=dtype)
    whole, parts = Block(case), Block(case)
    whole.lose(0, 0, 40, 0.5)
    for first, last in ((0, 1), (1, 6), (6, 29), (29, 40)):
        parts.lose(0, first, last, 0.5)
    assert_same(whole.D, parts.D)
    assert_same(whole.work.row_loss, parts.work.row_loss)
    assert_same(whole.work.row_hit, parts.work.row_hit)


@each_dtype
def test_loss_of_missing_and_infinite_outputs_stays_visible(dtype: str) -> None:
    for value in (np.nan, np.inf):
        block = Block(Case(sizes=(3, 4), rows=20, dtype=dtype))
        block.Z[:20, :4], block.Z[3, 2] = 0.5, value
        for z, a in zip(block.Z, block.A, strict=True):
            activations.softmax(z[:4], a[:4], a.dtype.type(0))
        block.lose(0, 0, 20, 1.0)
        assert np.isnan(block.work.row_loss[:20]).tolist() == [row == 3 for row in range(20)]
        assert np.isnan(block.D[3, :4]).all()
