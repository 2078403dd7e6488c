from __future__ import annotations

from typing import Any

import pytest

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.base.table_options import TableOptions
from fastmlp.data.tables.dialect import Dialect
from fastmlp.data.tables.fields import CellFormat
from fastmlp.data.tables.head import Head
from fastmlp.data.tables.layout import (
    TableColumns,
    TableLayout,
    find_columns,
    find_layout,
    target_list,
)


def head_of(rows: list[list[str]], comment: list[str] | None = None) -> Head:
    records = list(enumerate(rows, 1))
    return Head(Dialect(",", "#", CellFormat()), records, [0] * len(rows), comment, "utf-8")


def columns_of(
    rows: str | list[list[str]],
    comment: str = "",
    known: tuple[str, ...] | None = None,
    **options: Any,
) -> TableColumns:
    cells = [line.split() for line in rows.split("/")] if isinstance(rows, str) else rows
    above = comment.split() or None
    return find_columns(head_of(cells, above), TableOptions(**options), "some.csv", known)


def layout(rows: str | list[list[str]], **options: Any) -> TableLayout:
    """The layout of rows that are written as words."""
    cells = [line.split() for line in rows.split("/")] if isinstance(rows, str) else rows
    return find_layout(head_of(cells), TableOptions(**options), columns_of(cells, **options))


def test_names_are_stripped_and_kept_but_for_the_target() -> None:
    found = layout([[" a", "y ", "b"], ["1", "2", "3"]])
    assert found == TableLayout(("a", "y", "b"), 3, (0, 2), (1,))
    assert (found.feature_names, found.target_names) == (("a", "b"), ("y",))
    assert found.column(2) == "'b'"


def test_without_a_header_columns_are_numbers() -> None:
    found = layout("5 6 7/8 9 1")
    assert found == TableLayout(None, 3, (0, 1), (2,))
    assert (found.feature_names, found.target_names) == (None, None)
    assert found.column(1) == "1"


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("a b c", 2),
        ("a target c", 1),
        ("Label b c", 0),
        ("x y c", 1),
        ("x y label", 2),
        ("class y label", 2),
        ("y b CLASS", 2),
        ("targets b c", 2),
    ],
)
def test_the_default_target_is_named_so_or_last(header: str, target: int) -> None:
    assert layout(f"{header}/1 2 3/4 5 6").targets == (target,)


def test_default_target_is_not_dropped_column_or_feature() -> None:
    assert layout("a y c/1 2 3/4 5 6", drop=("y",)) == TableLayout(("a", "y", "c"), 3, (0,), (2,))
    assert layout("a b c/1 2 3/4 5 6", drop=("-1",)).targets == (1,)
    assert layout("a b c/1 2 3/4 5 6", features=("b", "c")) == TableLayout(
        ("a", "b", "c"), 3, (1, 2), (0,)
    )
    with pytest.raises(ConfigError, match=r"target must be a column of some\.csv, got none"):
        layout("a b/1 2/4 5", features=("a", "b"))
    with pytest.raises(ConfigError, match="features must hold a column besides the target"):
        layout("a b/1 2/4 5", drop=("a",))


@pytest.mark.parametrize(
    ("target", "index"), [("b", 1), ("0", 3), ("-1", 3), ("-4", 0), ("1", 1), ("-2", 2)]
)
def test_targets_by_name_or_index(target: str, index: int) -> None:
    # A name goes before an index.
    assert layout("a b y 0/1 2 3 4/5 6 7 8", target=target).targets == (index,)


def test_several_targets_features_and_dropped_columns() -> None:
    rows = "a b c d e/1 2 3 4 5/6 7 8 9 1"
    assert layout(rows, target="c,a") == TableLayout(tuple("abcde"), 5, (1, 3, 4), (2, 0))
    assert layout(rows, target="e", features=("c", "0")).features == (0, 2)
    assert layout(rows, target="e", drop=("c", "0")).features == (1, 3)
    assert layout(rows, target="0, -1").targets == (0, 4)


def test_existing_column_name_with_comma_is_one_target() -> None:
    assert target_list("a,b", ("a,b", "c")) == ["a,b"]
    assert target_list("a,b", ("a", "b")) == ["a", "b"]
    assert target_list('"a,b",c', ("a,b", "c")) == ["a,b", "c"]
    assert target_list("", ("a",)) == []


def test_header_can_be_declared() -> None:
    assert columns_of("a b/x y/z w", header="no").names is None
    assert columns_of("5 6/x y/z w", header="yes").names == ("5", "6")
    assert columns_of("5 6/1 2/3 4", header="yes").header_rows == 1


@pytest.mark.parametrize(
    "options",
    [{"target": "b"}, {"features": ("a",)}, {"drop": ("b",)}, {"target": "2020"}],
)
def test_a_name_that_is_given_makes_a_header_sure(options: dict[str, Any]) -> None:
    assert columns_of("a b 2020/x y 1/z w 2", **options).names == ("a", "b", "2020")
    assert columns_of("7 a 5/x y 1/z w 2").names is None
    assert columns_of("7 b 2020/x a 1/a w 2", target="2020").names == ("7", "b", "2020")


def test_an_index_makes_no_header() -> None:
    assert columns_of("1 5/8 x/2 y", target="1").names is None


def test_names_that_a_model_knows_make_a_header_sure() -> None:
    assert columns_of("a b c/x y z/u v w", known=("a", "b", "q")).names == ("a", "b", "c")
    assert columns_of("7 5 3/9 9 9/1 1 1", known=("3", "5")).names == ("7", "5", "3")
    assert columns_of("7 5 3/9 9 9/1 1 1", known=("3", "0", "9")).names is None
    # Indices of the other table are no names of this one.
    assert columns_of("1 2/3 4", known=(), features=("2",)).names is None


def test_a_comment_above_the_rows_may_be_the_header() -> None:
    found = columns_of("1 2/3 4", comment="a b")
    assert (found.names, found.header_rows) == (("a", "b"), 0)
    assert columns_of("1 2/3 4", comment="a b", header="yes").names == ("a", "b")
    assert columns_of("1 2/3 4", comment="a b", header="no").names is None
    assert columns_of("1 2/3 4", comment="5 6").names is None
    assert columns_of("c d/3 4", comment="a b").names == ("c", "d")
    assert columns_of("c d/3 4", comment="a b", header="yes").names == ("c", "d")


@pytest.mark.parametrize(
    ("rows", "is_left_out"),
    [
        ([["", "a", "y"], ["r1", "1", "2"], ["r2", "3", "4"]], True),
        ([["", "a", "y"], ["0", "1", "2"], ["1", "3", "4"]], True),
        ([["", "a", "y"], ["17", "1", "2"], ["3", "3", "4"]], True),  # a shuffled index
        ([["Unnamed: 0", "a", "y"], ["17", "1", "2"], ["3", "3", "4"]], True),
        ([["rownames", "a", "y"], ["1", "1", "2"], ["2", "3", "4"]], True),
        ([["rownames", "a", "y"], ["Rome", "1", "2"], ["Bern", "3", "4"]], True),
        ([["rownames", "a", "y"], ["17", "1", "2"], ["3", "3", "4"]], False),
        ([["id", "a", "y"], ["1", "1", "2"], ["2", "3", "4"]], False),
    ],
)
def test_names_of_rows_are_left_out(rows: list[list[str]], is_left_out: bool) -> None:
    found = layout(rows)
    assert found.row_names == is_left_out
    assert found.features == ((1,) if is_left_out else (0, 1))
    assert layout(rows, features=("0", "a")).features == (0, 1)


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        (
            "a bee y/1 2 3",
            {"target": "be"},
            "target must be a column of some.csv, got 'be'; did you mean 'bee'",
        ),
        ("a b y/1 2 3", {"target": "3"}, "target must be a column's index from -3 to 2, got '3'"),
        ("a b y/1 2 3", {"target": "-4"}, "index from -3 to 2, got '-4'"),
        ("a b y/1 2 3", {"target": "q"}, "got 'q'; known: a, b, y"),
        ("a b y/1 2 3", {"target": "a,q"}, "target must be a column of some.csv, got 'q'"),
        ("5 6 7/1 2 3", {"target": "y"}, "since some.csv has no header (--header yes if"),
        ("a b y/1 2 3", {"features": ("q",)}, "features must be a column of some.csv, got 'q'"),
        ("a b y/1 2 3", {"drop": ("q",)}, "drop must be a column of some.csv, got 'q'"),
        ("a b y/1 2 3", {"target": "b", "drop": ("1",)}, "target and drop must not name the same"),
        ("a b y/1 2 3", {"target": "b", "features": ("1",)}, "target and features must not name"),
        ("a b y/1 2 3", {"features": ("b",), "drop": ("1",)}, "got 'b' in both"),
    ],
)
def test_wrong_columns_are_refused(rows: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        layout(rows, **options)
    assert words in str(caught.value)


def test_many_known_names_are_cut_short() -> None:
    with pytest.raises(ConfigError) as caught:
        layout([[f"c{i}x" for i in range(1000)], ["1"] * 1000], target="nothing like it")
    assert "(1000 in all)" in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["a"], ["1"]], "got a single column"),
        ([["a", "b"]], "got only the header"),
        ([["a", "", "b"], ["0", "1", "2"]], "got none for column 1 .* --drop 1"),
        ([["", "a", "b"], ["0.5", "1", "2"]], "got none for column 0"),
        ([["a", "b", "a"], ["1", "2", "3"]], "must differ, got 'a' more than once"),
        ([["a", " a"], ["1", "2"]], "must differ, got 'a'"),
    ],
)
def test_bad_headers_are_refused(rows: list[list[str]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        layout(rows)
