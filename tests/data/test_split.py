from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.base.random import Purpose, stream
from fastmlp.base.selection import Selection
from fastmlp.data import Dataset
from fastmlp.data.split import Parts, parse_split, parts, stratified_split, validation_rows

fuzz = settings(max_examples=80, deadline=None, database=None)
class_counts = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def split(
    labels: np.ndarray | None, n: int, n_second: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    return stratified_split(labels, n, n_second, stream(seed, Purpose.SPLIT))


def numbered(n: int = 100, n_test: int = 0, task: str = "classification") -> Dataset:
    """Rows that hold their own number, test rows following on; two classes, one twice the other."""
    X = np.arange(n + n_test)[:, None]
    y = (np.arange(n + n_test) % 3 == 0).astype(int) if task == "classification" else X[:, 0] / 2
    if not n_test:
        return Dataset(X, y)
    return Dataset(X[:n], y[:n], X[n:], y[n:])


def rows(part: np.ndarray | None) -> list[int]:
    assert part is not None
    return [int(row) for row in part[:, 0]]


def check_targets(result: Parts, data: Dataset) -> None:
    """Every row still has its own target."""
    y = data.y if data.y_test is None else np.concatenate((data.y, data.y_test))
    for X_part, y_part in zip(result[:6:2], result[1:6:2], strict=True):
        if X_part is not None:
            np.testing.assert_array_equal(y_part, y[X_part[:, 0]])


@fuzz
@given(counts=class_counts, share=st.floats(0, 1), seed=st.integers(0, 2**64 - 1))
def test_stratified_split_properties(counts: list[int], share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)) * 10 - 20, counts))
    n = len(labels)
    n_second = round(share * n)
    first, second = split(labels, n, n_second, seed)
    assert first.dtype == second.dtype == np.int64
    assert len(second) == n_second
    np.testing.assert_array_equal(np.sort(np.concatenate((first, second))), np.arange(n))
    assert np.all(np.diff(first) > 0) and np.all(np.diff(second) > 0)

    taken = np.array([np.sum(labels[second] == label) for label in np.unique(labels)])
    several = np.array(counts) > 1
    possible = n_second <= n - several.sum()
    if possible:
        assert np.all(taken[several] < np.array(counts)[several])
    exact = n_second * np.array(counts)  # times n, to stay in integers
    assert np.all(taken >= exact // n)
    if possible and np.all((-(-exact // n) < counts) | ~several):
        assert np.all(np.abs(taken * n - exact) < n)


@fuzz
@given(n=st.integers(1, 200), share=st.floats(0, 1))
def test_plain_split_properties(n: int, share: float) -> None:
    first, second = split(None, n, round(share * n))
    assert len(second) == round(share * n)
    np.testing.assert_array_equal(np.sort(np.concatenate((first, second))), np.arange(n))


def test_largest_remainders_get_the_rows_left_over() -> None:
    labels = np.repeat(["a", "b", "c"], [50, 29, 21])
    _, second = split(labels, 100, 10)
    # Exact quotas 5, 2.9, 2.1.
    assert [int(np.sum(labels[second] == label)) for label in "abc"] == [5, 3, 2]


def test_ties_go_to_the_earlier_class_whatever_the_seed() -> None:
    labels = np.repeat([2, 0, 1], 5)
    for seed in range(5):
        _, second = split(labels, 15, 4, seed)
        assert np.bincount(labels[second]).tolist() == [2, 1, 1]


def test_a_class_of_two_keeps_a_row_in_the_first_part() -> None:
    labels = np.array([0, 0] + [1] * 8)
    first, second = split(labels, 10, 8)
    assert np.bincount(labels[first]).tolist() == [1, 1]
    # With nine of ten it is no longer possible for both classes.
    first, second = split(labels, 10, 9)
    assert (len(first), len(second)) == (1, 9)


def test_every_row_is_as_likely_as_any_other() -> None:
    labels = np.repeat([0, 1], [4, 8])
    hits = np.zeros(12)
    for seed in range(600):
        hits[split(labels, 12, 3, seed)[1]] += 1
    # 150 expected each, standard deviation 10.6.
    assert np.all(np.abs(hits - 150) < 55)


def test_a_seed_gives_one_split_and_another_seed_another() -> None:
    labels = np.arange(100) % 4
    np.testing.assert_array_equal(split(labels, 100, 20, 3)[1], split(labels, 100, 20, 3)[1])
    assert not np.array_equal(split(labels, 100, 20, 3)[1], split(labels, 100, 20, 4)[1])
    assert not np.array_equal(split(None, 100, 20, 3)[1], split(None, 100, 20, 4)[1])


@pytest.mark.parametrize("n_second", [-1, 11])
def test_an_impossible_size_is_refused(n_second: int) -> None:
    with pytest.raises(ConfigError, match="n_second must be 0 to 10"):
        split(None, 10, n_second)


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("80-20", 0.2), ("90-10", 0.1), ("70-30", 0.3), ("66.7-33.3", 0.333), ("1-99", 0.99)],
)
def test_parse_split_shares(text: str, fraction: float) -> None:
    assert parse_split(text) == pytest.approx(fraction)


@pytest.mark.parametrize("name", ["auto", "official", "none"])
def test_parse_split_names(name: str) -> None:
    assert parse_split(name) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("80-30", "sum to 100, got '80-30'"),
        ("100-0", "two positive shares"),
        ("0-100", "two positive shares"),
        ("80:20", "got '80:20'"),
        ("-80-20", "got '-80-20'"),
        ("", "got ''"),
        ("oficial", "did you mean 'official'"),
    ],
)
def test_parse_split_refuses(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_split(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("validation", "n", "count"),
    [
        (0, 50, 0),
        (0.0, 50, 0),
        (0.1, 50, 5),
        (0.1, 60000, 6000),
        (0.001, 50, 1),
        (0.1, 1, 0),
        (0.5, 3, 2),
        (1, 50, 1),
        (1.0, 50, 1),
        (49, 50, 49),
    ],
)
def test_validation_rows(validation: float, n: int, count: int) -> None:
    assert validation_rows(validation, n) == count


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        (-0.1, "validation must be 0 or more, got -0.1"),
        (-3, "validation must be 0 or more, got -3"),
        (float("nan"), "got nan"),
        (float("inf"), "got inf"),
        (2.5, "whole count, got 2.5; use 2"),
        (50, "at least one row for training, got 50, which holds out 50 of 50"),
        (51, "at least one row for training"),
        (0.999, "at least one row for training, got 0.999"),
    ],
)
def test_validation_rows_refuses(validation: float, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validation_rows(validation, 50)
    assert words in str(caught.value)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("validation", [0, 0.2, 7])
@pytest.mark.parametrize(
    ("text", "n_test"),
    [(text, n_test) for text in ("auto", "70-30", "none") for n_test in (0, 30)]
    + [("official", 30)],
)
def test_parts_cover_the_dataset_once(text: str, validation: float, n_test: int, task: str) -> None:
    data = numbered(100, n_test, task)
    result = parts(data, split=text, validation=validation, seed=5)
    check_targets(result, data)
    present = [row for X in result[:6:2] if X is not None for row in rows(X)]
    assert sorted(present) == list(range(100 + n_test))
    assert (result.X_validation is None) == (validation == 0) == (result.y_validation is None)
    assert (result.X_test is None) == (text == "none") == (result.y_test is None)


def test_official_keeps_the_test_part_and_carves_validation_from_training() -> None:
    data = numbered(100, 30)
    for text in ("auto", "official"):
        result = parts(data, split=text, validation=0.1)
        assert result.X_test is data.X_test
        assert len(rows(result.X_validation)) == 10
        assert max(rows(result.X_validation)) < 100
        assert max(rows(result.X_train)) < 100


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_last_rows_of_the_training_part_are_held_out(task: str) -> None:
    result = parts(numbered(100, 30, task), validation=0.2, hold_out="last")
    assert rows(result.X_train) == list(range(80))
    assert rows(result.X_validation) == list(range(80, 100))
    check_targets(result, numbered(100, 30, task))


def with_validation_rows(n_test: int, form: Any = np.asarray) -> Dataset:
    """100 rows for training, then the test rows, then 20 for validation, which are numbered on."""
    data = numbered(100, n_test)
    numbers = np.arange(100 + n_test, 120 + n_test)[:, None]
    y = (numbers[:, 0] % 3 == 0).astype(int)
    X_test = None if data.X_test is None else form(data.X_test)
    return Dataset(form(data.X), data.y, X_test, data.y_test, X_validation=form(numbers),
                   y_validation=y)  # fmt: skip


@pytest.mark.parametrize("hold_out", ["random", "last"])
@pytest.mark.parametrize("validation", [0, 0.1, 50])
@pytest.mark.parametrize(
    ("text", "n_test", "lengths"),
    [
        ("auto", 0, (80, 20, 20)),
        ("auto", 30, (100, 20, 30)),
        ("official", 30, (100, 20, 30)),
        ("50-50", 0, (50, 20, 50)),
        ("50-50", 30, (65, 20, 65)),
        ("none", 0, (100, 20, None)),
        ("none", 30, (130, 20, None)),
    ],
)
def test_given_validation_rows_are_validation_part(
    text: str, n_test: int, lengths: tuple[int | None, ...], validation: float, hold_out: str
) -> None:
    data = with_validation_rows(n_test)
    result = parts(data, split=text, validation=validation, hold_out=hold_out)
    assert tuple(None if X is None else len(X) for X in result[:6:2]) == lengths
    assert result.X_validation is data.X_validation
    assert result.y_validation is data.y_validation
    others = [row for X in (result.X_train, result.X_test) if X is not None for row in rows(X)]
    assert sorted(others) == list(range(100 + n_test))


def test_sparse_validation_rows_stay_sparse() -> None:
    result = parts(with_validation_rows(30, scipy.sparse.csr_array))
    assert type(result.X_validation) is scipy.sparse.csr_array
    assert result.X_validation.shape == (20, 1)


def test_auto_is_80_20_without_an_official_part() -> None:
    result = parts(numbered(100), validation=0.1)
    lengths = [len(rows(X)) for X in result[:6:2]]
    assert lengths == [72, 8, 20]
    same = parts(numbered(100), split="80-20", validation=0.1)
    assert rows(same.X_test) == rows(result.X_test)


def test_shares_pool_the_official_test_part() -> None:
    result = parts(numbered(100, 100), split="90-10", validation=0)
    assert len(rows(result.X_test)) == 20
    assert min(rows(result.X_test)) < 100 <= max(rows(result.X_test))
    assert min(rows(result.X_train)) < 100 <= max(rows(result.X_train))


def test_classification_is_stratified_in_every_part() -> None:
    # 34 of 100 rows are in class 1.
    result = parts(numbered(100), split="50-50", validation=0.5)
    ones = [int(np.sum(y)) for y in result[1::2] if y is not None]
    assert ones[2] == 17
    assert sorted(ones[:2]) == [8, 9]


def test_seeds_and_streams() -> None:
    data = numbered(100)
    one, again, other = (parts(data, seed=seed) for seed in (1, 1, 2))
    assert rows(one.X_test) == rows(again.X_test) != rows(other.X_test)
    assert rows(one.X_validation) == rows(again.X_validation) != rows(other.X_validation)
    # Validation and test rows are drawn apart, even from the same rows in the same number.
    validation = parts(data, split="none", validation=20).X_validation
    assert rows(validation) != rows(parts(data, split="80-20").X_test)
    # The size of the validation part does not move the test part.
    assert rows(parts(data, seed=1, validation=0.5).X_test) == rows(one.X_test)


def test_nothing_is_copied_where_nothing_is_split() -> None:
    data = numbered(100, 30)
    result = parts(data, validation=0)
    assert result.X_train is data.X
    assert result.X_test is data.X_test


@pytest.mark.parametrize("text", ["official", "70-30", "none"])
def test_parts_without_copies_are_the_same_rows(text: str) -> None:
    data = numbered(100, 30)
    copied, selected = parts(data, split=text), parts(data, split=text, copy=False)
    for array, selection in zip(copied, selected, strict=True):
        assert array is None or isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, selection)
    assert isinstance(selected.X_train, Selection)
    if text == "official":
        assert selected.X_train.X is data.X
        assert selected.X_test is data.X_test


def test_official_without_an_official_part_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"must not be official for 'custom'.*80-20"):
        parts(numbered(100), split="official")


def test_a_split_that_leaves_no_training_row_is_refused() -> None:
    data = Dataset(np.zeros((1, 2)), np.zeros(1))
    with pytest.raises(ConfigError, match="leave at least one row for training"):
        parts(data, split="80-20")
    assert len(parts(data, split="none").X_train) == 1


@pytest.mark.parametrize("y", [np.ones(10, int), np.array(["a"] * 10)])
@pytest.mark.parametrize("text", ["auto", "none"])
def test_a_single_class_is_refused(y: Any, text: str) -> None:
    with pytest.raises(DataError, match="at least two classes in the training part, got only"):
        parts(Dataset(np.zeros((10, 1)), y), split=text)


def test_constant_targets_of_a_regression_are_no_single_class() -> None:
    assert len(parts(Dataset(np.zeros((10, 1)), np.ones(10)), split="none").X_train) == 9


def test_several_outputs_are_split_by_row() -> None:
    X = np.arange(20)[:, None]
    result = parts(Dataset(X, np.hstack((X, -X)) / 2))
    assert result.y_train.shape == (14, 2)
    np.testing.assert_array_equal(result.y_train, np.hstack((result.X_train, -result.X_train)) / 2)


@pytest.mark.parametrize("text", ["official", "70-30", "none"])
def test_sparse_rows_are_split_as_dense_ones(text: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (40, 5)), np.arange(40) % 3
    dense = Dataset(X[:30], y[:30], X[30:], y[30:])
    form = scipy.sparse.csc_array
    sparse = Dataset(form(X[:30]), y[:30], form(X[30:]), y[30:])
    weight = np.arange(30.0)
    found, wanted = (
        parts(data, split=text, validation=0.2, sample_weight=weight) for data in (sparse, dense)
    )
    for name, part, twin in zip(Parts._fields, found, wanted, strict=True):
        if name.startswith("X_") and twin is not None:
            assert type(part) is scipy.sparse.csr_array and part.has_canonical_format
            part = part.toarray()
        np.testing.assert_array_equal(part, twin)
