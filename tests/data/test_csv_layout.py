from __future__ import annotations

from pathlib import Path

import pytest

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.data.csv_layout import Layout, find_layout, has_header, is_missing, is_number

PATH = Path("some.csv")


def layout(rows: str, target: str | int | None = None) -> Layout:
    """The layout of rows that are written as words."""
    return find_layout([line.split() for line in rows.split("/")], target, PATH)


@pytest.mark.parametrize(
    "rows",
    [
        "a b y/1 2 0/3 4 1",
        "a b species/1 2 x/3 4 y",
        "a b y/1 2 0",
        "a b y/NA 2 0/3 4 1",
        "a b y/x 2 0/3 4 1/5 6 0",  # a text among numbers
        "city b y/Rome 2 x/Bern 4 y",
        "a b/x y/z w",
        "a b y",
        "0 1 2 label/5 6 7 x/7 8 9 y",  # pandas' default names
        "0 1 label/5 6 0/7 8 1",
        "0 1 2/5 6 0/7 8 1",
        "0 1 2 label",
    ],
)
def test_headers(rows: str) -> None:
    assert has_header([line.split() for line in rows.split("/")])


@pytest.mark.parametrize(
    "rows",
    [
        "5 6 0/7 8 1",
        "5 6 x/7 8 y",
        "5 6 0",
        "0 1/1 1",  # a row of a truth table
        "0 1 2",
        "5 a 0/7 8 1/2 3 1",  # a text among numbers, in the first row
        "NA 6 0/7 8 1",
        "0 1 x/0 2 y",
        "1e3 -2.5 inf/1 2 3",
    ],
)
def test_no_headers(rows: str) -> None:
    assert not has_header([line.split() for line in rows.split("/")])


def test_names_are_stripped_and_kept_but_for_the_target() -> None:
    found = find_layout([[" a", "y ", "b"], ["1", "2", "3"]], None, PATH)
    assert found == Layout(("a", "y", "b"), 1)
    assert found.feature_names == ("a", "b")
    assert found.column(2) == "'b'"


def test_without_a_header_columns_are_numbers() -> None:
    found = layout("5 6 7/8 9 1")
    assert found == Layout(None, 2)
    assert found.feature_names is None
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
    assert layout(f"{header}/1 2 3/4 5 6").target == target


@pytest.mark.parametrize(
    ("target", "index"),
    [("b", 1), (0, 0), (-1, 3), (-4, 0), ("1", 1), ("-2", 2), ("0", 3), (2, 2)],
)
def test_targets_by_name_or_index(target: str | int, index: int) -> None:
    # A name goes before an index, a number is always an index.
    assert layout("a b y 0/1 2 3 4/5 6 7 8", target).target == index


def test_a_target_named_makes_a_header_sure() -> None:
    assert layout("a b/1 x/2 y", "b") == Layout(("a", "b"), 1)
    assert layout("5 6/1 x/2 y", 1) == Layout(None, 1)


@pytest.mark.parametrize(
    ("rows", "target", "words"),
    [
        (
            "a bee y/1 2 3",
            "be",
            "target must be a column of some.csv, got 'be'; did you mean 'bee'",
        ),
        ("a b y/1 2 3", 3, "target must be a column's index from -3 to 2, got 3"),
        ("a b y/1 2 3", "-4", "index from -3 to 2, got '-4'"),
        ("a b y/1 2 3", True, "got True; known: a, b, y"),
        ("5 6 7/1 2 3", "y", "index from -3 to 2, since some.csv has no header, got 'y'"),
    ],
)
def test_unknown_targets_are_refused(rows: str, target: str | int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        layout(rows, target)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["a"], ["1"]], "got a single column"),
        ([["a", "b"]], "got only the header"),
        ([["", "a"], ["0", "1"]], r"got none for column 0.*to_csv\(index=False\)"),
        ([["a", "b", "a"], ["1", "2", "3"]], "must differ, got 'a' more than once"),
        ([["a", " a"], ["1", "2"]], "must differ, got 'a'"),
    ],
)
def test_bad_headers_are_refused(rows: list[list[str]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        find_layout(rows, None, PATH)


@pytest.mark.parametrize("cell", ["1", " -2.5 ", "1e3", "+.5", "inf", "1e999"])
def test_numbers(cell: str) -> None:
    assert is_number(cell) and not is_missing(cell)


@pytest.mark.parametrize("cell", ["x", "1_0", "1,5", "0x10", "1 2", "-", "NAN1"])
def test_texts(cell: str) -> None:
    assert not is_number(cell) and not is_missing(cell)


@pytest.mark.parametrize("cell", ["", "  ", "NaN", "NA", "n/a", "?", "NULL", "None", "<NA>"])
def test_missing_values(cell: str) -> None:
    assert not is_number(cell) and is_missing(cell)
