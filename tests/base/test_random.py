"""Keyed random streams: the key alone decides the numbers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from fastmlp.base.random import Purpose, key, stream

LARGEST = (2**64 - 1, 2**24 - 1, 2**32 - 1)
# What Philox gives for the key (0, 1 << 56).
GOLDEN = [7274502290123408059, 18152087587716312223]


def first(*key: int) -> tuple[int, ...]:
    """The first numbers of a stream with the key (seed, purpose, epoch, step)."""
    seed, purpose, *counters = key
    return tuple(stream(seed, Purpose(purpose), *counters).integers(0, 2**63, 4).tolist())


def test_the_same_key_gives_the_same_numbers() -> None:
    assert first(1, Purpose.SHUFFLE, 2, 3) == first(1, Purpose.SHUFFLE, 2, 3)


def test_every_part_of_the_key_matters() -> None:
    keys = list(product((0, 1, LARGEST[0]), Purpose, (0, 1, LARGEST[1]), (0, 1, LARGEST[2])))
    assert len({first(*key) for key in keys}) == len(keys)


def test_parts_of_the_key_cannot_stand_for_each_other() -> None:
    keys = [(1, 2, 0, 0), (2, 1, 0, 0), (0, 1, 2, 0), (0, 2, 1, 0), (0, 1, 0, 2), (0, 2, 0, 1)]
    assert len({first(*key) for key in keys}) == len(keys)


def test_epoch_and_step_are_0_unless_given() -> None:
    assert first(5, Purpose.SPLIT) == first(5, Purpose.SPLIT, 0, 0)


def test_drawing_from_one_stream_does_not_change_another() -> None:
    expected = first(0, Purpose.DROPOUT)
    stream(0, Purpose.SHUFFLE).permutation(1000)
    other = stream(0, Purpose.DROPOUT)
    stream(0, Purpose.SHUFFLE).permutation(1000)
    assert tuple(other.integers(0, 2**63, 4).tolist()) == expected


def test_numbers_of_purposes_are_part_of_the_format() -> None:
    # Saved runs are resumed with them: add new ones, never change or reuse one.
    assert {purpose.name: purpose.value for purpose in Purpose}.items() >= {
        "SPLIT": 1,
        "VALIDATION": 2,
        "WEIGHTS": 3,
        "BIASES": 4,
        "SHUFFLE": 5,
        "SAMPLE": 6,
        "DROPOUT": 7,
        "SYNTHETIC": 8,
        "SEARCH": 9,
    }.items()
    assert len({purpose.value for purpose in Purpose}) == len(Purpose)


def test_the_generator_is_part_of_the_format() -> None:
    # Philox with the key (seed, purpose << 56 | epoch << 32 | step), by its published constants.
    expected = np.random.Philox(key=7 | (5 << 56 | 2 << 32 | 3) << 64).random_raw(4)
    raw = stream(7, Purpose.SHUFFLE, 2, 3).bit_generator.random_raw(4)
    np.testing.assert_array_equal(raw, expected)
    golden = stream(0, Purpose.SPLIT).bit_generator.random_raw(2)
    assert golden.tolist() == GOLDEN


def test_a_key_is_that_of_its_stream() -> None:
    # Kernels that draw for themselves, such as dropout, are given the key alone.
    drawn = key(LARGEST[0], Purpose.DROPOUT, 2, 3)
    assert (drawn.dtype, drawn.tolist()) == (np.uint64, [LARGEST[0], 7 << 56 | 2 << 32 | 3])
    raw = stream(LARGEST[0], Purpose.DROPOUT, 2, 3).bit_generator.random_raw(4)
    np.testing.assert_array_equal(np.random.Philox(key=drawn).random_raw(4), raw)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(OverflowError):
        stream(seed, Purpose.SPLIT)


def test_streams_are_not_correlated() -> None:
    draws = [stream(0, purpose, epoch).normal(size=4000) for purpose in Purpose for epoch in (0, 1)]
    correlations = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlations).max() < 0.08  # five standard deviations
