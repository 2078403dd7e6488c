from __future__ import annotations

import numpy as np
import pytest

from fastmlp.base.errors import DataError
from fastmlp.data.tables.fields import CellFormat
from fastmlp.data.tables.targets import (
    LONGEST_LABEL,
    TargetKind,
    as_flags,
    check_classes,
    is_complete,
    kind_of_numbers,
    kind_of_texts,
    several_targets,
    target_values,
)

WHOLE, TEXT, NUMBERS = TargetKind.WHOLE_LABELS, TargetKind.TEXT_LABELS, TargetKind.NUMBERS
PLAIN = CellFormat()


def counted(n_different: int, n: int) -> list[str]:
    return [str(i % n_different) for i in range(n)]


def kinds(cells: list[str], task: str) -> set[TargetKind]:
    """The kind of a column, by its texts and, if all are numbers, by these."""
    found = {kind_of_texts(cells, task, PLAIN)}
    if all(map(PLAIN.is_number, cells)):
        found.add(kind_of_numbers(np.array(list(map(float, cells))), task))
    return found


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
    assert kinds(cells, "auto") == {kind}
    assert kinds(cells, "regression") == {NUMBERS}
    assert kinds(cells, "texts") == {TEXT}


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
    assert kinds(cells, "classification") == {kind}


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
    assert target_values(np.array([3.0, -100.0]), WHOLE, "'y'").tolist() == [3, -100]
    assert target_values([str(2**53 - 1)], WHOLE, "'y'").tolist() == [2**53 - 1]
    texts = target_values(["a", "bc"], TEXT, "'y'")
    assert texts.dtype.kind == "U"
    assert texts.tolist() == ["a", "bc"]
    numbers = target_values(["3", "0,1"], NUMBERS, "'y'", CellFormat(","))
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


def test_a_target_is_complete_without_missing_values_and_infinities() -> None:
    given = CellFormat(na_values=("-9", "none such"))
    assert is_complete(["a", "b"], TEXT, given) and is_complete(["1", "2"], NUMBERS, given)
    assert not is_complete(["a", "none such"], TEXT, given)
    assert not is_complete(["a", ""], TEXT, given)
    assert not is_complete(["1", "x"], NUMBERS, given)
    assert not is_complete(["1", "inf"], NUMBERS, given)
    assert is_complete(np.array([1.0, 2.0]), NUMBERS, given)
    for bad in (-9.0, np.nan, np.inf):
        assert not is_complete(np.array([1.0, bad]), NUMBERS, given)


def test_several_targets() -> None:
    a, b = np.array([1.0, 0, 1]), np.array([1.0, 1, 0])
    y, task = several_targets([a, b], "auto", "'a', 'b'")
    assert (y.dtype, y.tolist(), task) == (np.uint8, [[1, 1], [0, 1], [1, 0]], "multilabel")
    y, task = several_targets([a, b], "regression", "'a', 'b'")
    assert (y.dtype, task) == (np.float64, "regression")
    y, task = several_targets([a, 2 * b], "auto", "'a', 'b'")
    assert (y.tolist(), task) == ([[1, 2], [0, 2], [1, 0]], "regression")
    with pytest.raises(DataError, match=r"a single 1 in every row; merge .* --task multilabel"):
        several_targets([a, 1 - a], "auto", "'a', 'b'")
    assert several_targets([a, 1 - a], "multilabel", "'a', 'b'")[1] == "multilabel"
    with pytest.raises(DataError, match="must be a single column of labels for classification"):
        several_targets([a, 2 * b], "classification", "'a', 'b'")
    with pytest.raises(DataError, match=r"only 0 and 1 for task 'multilabel', got 2\.0"):
        several_targets([a, 2 * b], "multilabel", "'a', 'b'")


def test_flags_of_several_targets() -> None:
    flags = as_flags(["True", "false"])
    assert isinstance(flags, np.ndarray) and flags.tolist() == [1, 0]
    assert as_flags(["True", "x"]) == ["True", "x"]
