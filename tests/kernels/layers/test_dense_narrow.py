"""Dense layers with few units: their kernels beside the NumPy twin."""

from __future__ import annotations

import pytest

from fastmlp.kernels.emit import narrow
from fastmlp.ops import layers
from fastmlp.ops.layers import Dense
from harness import DTYPES, Case, Run, assert_matches_twin

# Few units in each number, with inputs around a vector and around four.
SIZES = [
    (1, 1, 1), (2, 7, 2), (3, 8, 3), (4, 9, 4), (4, 33, 4), (5, 16, 5), (2, 100, 1), (3, 70, 2),
    (40, 1, 1), (33, 4, 37, 3), (17, 64, 2, 4), (1, 2, 3, 4), (64, 4),
]  # fmt: skip

each_sizes = pytest.mark.parametrize("sizes", SIZES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def case_of(sizes: tuple[int, ...], dtype: str, **changes: object) -> Case:
    return Case(sizes=sizes, dtype=dtype, rows=23, batch_size=19, block_rows=11).but(**changes)


@each_dtype
@each_sizes
def test_training_matches_the_twin(sizes: tuple[int, ...], dtype: str) -> None:
    for changes in (
        {},
        {"optimizer": "adam", "l2": 0.1},
        {"hidden": "softmax", "clip_norm": 0.1},
        {"output": "identity", "loss": "squared_error", "optimizer": "sgd(momentum=0.9)"},
        {"l1": 0.01, "max_norm": 0.5},
    ):
        assert_matches_twin(case_of(sizes, dtype, **changes))


@each_dtype
@each_sizes
def test_threads_change_no_bit(sizes: tuple[int, ...], dtype: str) -> None:
    for changes in ({}, {"optimizer": "adam", "l2": 0.1, "rows": 45, "batch_size": 45}):
        found = set()
        for threads in (1, 2, 3, 4):
            run = Run(case_of(sizes, dtype, **changes))
            run.train(threads, full_team=threads > 1)
            found.add(run.network.params.tobytes())
        assert len(found) == 1


@each_dtype
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8, 9])
def test_any_number_of_rows(rows: int, dtype: str) -> None:
    for sizes in [(4, 9, 4), (2, 100, 1)]:
        assert_matches_twin(case_of(sizes, dtype, rows=rows, batch_size=rows, block_rows=rows))


def test_the_form_follows_from_the_shapes() -> None:
    many, few = layers.MANY, layers.FEW
    assert (many, few) == (narrow.MANY, narrow.FEW)
    for inputs, units, form in [
        (many, few, "dense_narrow"), (many + 1, few, "dense"), (many, few + 1, "dense"),
        (1, 1, "dense_narrow"), (few, few + 1, "dense"),
    ]:  # fmt: skip
        assert Dense(units).kernels((inputs,), (1, 1)) == form


@each_dtype
def test_the_largest_strips(dtype: str) -> None:
    sizes = (layers.FEW, layers.MANY, layers.FEW)
    assert_matches_twin(case_of(sizes, dtype, rows=5, batch_size=5, block_rows=5))
