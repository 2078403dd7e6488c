from __future__ import annotations

import numpy as np
import pytest

from fastmlp.base.errors import DataError
from fastmlp.data.csv_target import (
    LONGEST_LABEL,
    TargetKind,
    check_classes,
    target_kind,
    target_values,
)

WHOLE, TEXT, NUMBERS = TargetKind.WHOLE_LABELS, TargetKind.TEXT_LABELS, TargetKind.NUMBERS


def counted(n_different: int, n: int) -> list[str]:
    return [str(i % n_different) for i in range(n)]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0", "1", "1", "0"], WHOLE),
        (["-1", "+1", "1", "-1"], WHOLE),
        (["0.0", "1.000e+00", "1.0", "0.0"], WHOLE),  # as numpy.savetxt writes labels
        (counted(20, 40), WHOLE),
        (counted(20, 39), NUMBERS),
        (counted(21, 1000), NUMBERS),
        (["3", "3.0", "3.00", "4"], WHOLE),
        (["151", "75", "141"], NUMBERS),
        (["0.5", "1", "1", "0.5"], NUMBERS),
        (["1e300", "1e300"], NUMBERS),
        (["inf", "1", "1", "1"], NUMBERS),
        (["a", "b"], TEXT),
        (["1", "1", "x", "x"], TEXT),
        (["True", "False"], TEXT),
        ([*counted(21, 100), "x"], NUMBERS),  # a mistake among numbers
        ([*counted(20, 100), "x"], TEXT),
        (["5", "?", "5", ""], WHOLE),  # missing values are refused elsewhere
    ],
)
def test_what_targets_mean(cells: list[str], kind: TargetKind) -> None:
    assert target_kind(cells, "auto") == kind
    assert target_kind(cells, "regression") == NUMBERS


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (counted(500, 500), WHOLE),
        (["0.5", "1"], TEXT),
        (["a", "1"], TEXT),
        ([str(2**53), str(2**53 + 1)], TEXT),
        ([str(2**53 - 1), str(1 - 2**53)], WHOLE),
    ],
)
def test_classification_can_be_forced(cells: list[str], kind: TargetKind) -> None:
    assert target_kind(cells, "classification") == kind


def test_tasks_of_kinds() -> None:
    assert [kind.task for kind in (WHOLE, TEXT, NUMBERS)] == [
        "classification",
        "classification",
        "regression",
    ]


def test_values() -> None:
    whole = target_values(["3", "4.0", "-1e2"], WHOLE, "'y'")
    assert whole.dtype == np.int64
    assert whole.tolist() == [3, 4, -100]
    assert target_values([str(2**53 - 1)], WHOLE, "'y'").tolist() == [2**53 - 1]
    texts = target_values(["a", "bc"], TEXT, "'y'")
    assert texts.dtype.kind == "U"
    assert texts.tolist() == ["a", "bc"]
    numbers = target_values(["3", "0.1"], NUMBERS, "'y'")
    assert numbers.dtype == np.float64
    assert numbers.tolist() == [3, 0.1]


def test_texts_too_long_for_labels_are_refused() -> None:
    assert target_values(["x" * LONGEST_LABEL], TEXT, "'y'").tolist() == ["x" * LONGEST_LABEL]
    with pytest.raises(DataError, match=r"'y' must hold labels.*got one of 101, 'xxx"):
        target_values(["a", "x" * (LONGEST_LABEL + 1)], TEXT, "'y'")


def test_texts_that_hardly_recur_are_refused() -> None:
    names = [f"name {i}" for i in range(21)]
    with pytest.raises(DataError, match=r"got 21 different texts in 41 rows, such as 'name 0'"):
        check_classes([*names, *names[1:]], TEXT, "auto", "'y'")
    check_classes([*names, *names], TEXT, "auto", "'y'")
    check_classes(names[1:], TEXT, "auto", "'y'")
    check_classes(names, TEXT, "classification", "'y'")
    check_classes(names, NUMBERS, "auto", "'y'")
