from __future__ import annotations

import pytest

from fastmlp.base.table_options import TableOptions
from fastmlp.data.tables.dialect import find_decimal, find_separator, separator_line


@pytest.mark.parametrize(
    ("sample", "separator"),
    [
        (["1,2,3", "4,5,6"], ","),
        (["1,5;2,5", "3,5;4,5"], ";"),
        (["1;2\t3;4", "5;6\t7;8"], "\t"),
        (['"a;b",c', '"d",e'], ","),
        (["a,b", "1,x;y"], ","),
        (["a|b", "1|2"], "|"),
        (["a b", "1 2"], "whitespace"),
        (["  a   b", "1\t 2"], "whitespace"),
        (["1,5 2,5", "3,5 4,5"], "whitespace"),
        (["39, State-gov, 77516", "50, Private, 83311"], ","),
        (["id,genres,score", "1,Action|Comedy,4.5", "2,War|Drama,3.5"], ","),
        (["when,what", "2020-01-01 10:00,5", "2020-01-02 10:00,6"], ","),
        (["a b y", "r1 1 2 x", "r2 3 4 z"], "whitespace"),  # R: no name above the rows' names
        (["a,b,y", "r1,1,2,x", "r2,3,4,z"], ","),
        # No separator fits; the ragged row is found by reading.
        (["1,2,3", "4,5"], ","),
        (["1;2,3;4", "5"], ";"),
        (["some words of text", "more"], "whitespace"),
    ],
)
def test_the_separator_is_that_which_makes_a_table(sample: list[str], separator: str) -> None:
    assert find_separator([line + "\n" for line in sample], is_cut=False) == separator


def test_a_record_that_the_sample_cuts_does_not_count() -> None:
    sample = ["a,b\n", "1,2\n", '3,"4\n']
    assert find_separator([*sample, '"'], is_cut=False) == ","
    assert find_separator(sample, is_cut=True) == ","
    # Decimal commas make more fields than semicolons, but not of the cut record.
    assert find_separator(["1,5;2,5;0,5\n", '"5\n'], is_cut=True) == ";"


def test_the_sign_between_thousands_is_no_separator() -> None:
    sample = ["0.5,1 000.5,1 000 000.25\n"] * 2
    assert find_separator(sample, is_cut=False) == "whitespace"
    assert find_separator(sample, is_cut=False, thousands=" ") == ","
    assert find_separator(["1'000;2'000\n"] * 2, is_cut=False, thousands="'") == ";"


@pytest.mark.parametrize(
    ("line", "separator"),
    [
        ("sep=;", ";"),
        ("SEP=|\n", "|"),
        ("sep=\t", "\t"),
        ('"sep=,"', ","),
        ("sep=", None),
        ("sep=,,", None),
        ("separator=;", None),
        ("", None),
    ],
)
def test_a_line_that_names_the_separator(line: str, separator: str | None) -> None:
    assert separator_line(line) == separator


@pytest.mark.parametrize(
    ("row", "separator", "options", "decimal"),
    [
        ("1,5 2", ";", {}, ","),
        ("1,5 2", "whitespace", {}, ","),
        ("1,5 2", ",", {}, "."),
        ("1,5 2.5", ";", {}, "."),
        ("1 2", ";", {}, "."),
        (",5 1", ";", {}, ","),
        ("a,b 1", ";", {}, "."),
        ("1 2", ";", {"decimal": ","}, ","),
        ("1,5 2", ";", {"decimal": "."}, "."),
        ("1 2", ";", {"thousands": "."}, ","),
        ("1,500 2", ";", {"thousands": ","}, "."),
    ],
)
def test_the_decimal_sign(row: str, separator: str, options: dict[str, str], decimal: str) -> None:
    assert find_decimal([row.split()], separator, TableOptions(**options)) == decimal
