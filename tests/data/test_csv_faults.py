from __future__ import annotations

from pathlib import Path

import pytest

from fastmlp.data.csv_faults import explain
from fastmlp.data.csv_layout import Layout

NAMED = Layout(("a", "b", "y"), 2)
UNNAMED = Layout(None, 2)


def explained(rows: str, layout: Layout = NAMED, target_is_number: bool = False) -> str:
    """The message for rows that are written as words, - for nothing; the first is in line 2."""
    cells = [[cell.strip("-") for cell in line.split()] for line in rows.split("/")]
    message = str(explain(enumerate(cells, 2), layout, target_is_number, Path("some.csv")))
    assert message.startswith("some.csv")
    assert "\n" not in message
    return message


def test_text_columns_are_named_with_advice() -> None:
    message = explained("Rome red 1/Bern blue 2")
    assert "got text in column(s) 'a', 'b', as in line 2: 'Rome'" in message
    assert "pandas.get_dummies(frame, columns=['a', 'b'])" in message
    assert "what to predict" not in message


def test_a_lone_text_column_may_be_the_target() -> None:
    message = explained("1 red 1/NA blue 2/1 - 3")
    assert "if 'b' is what to predict, name it as target instead of 'y'" in message
    assert "get_dummies(frame, columns=[1])" in explained("1 red 1", UNNAMED)


def test_a_text_among_numbers_is_named_by_its_cell() -> None:
    message = explained("1 2 x/3 4o x/5 6 x/8o 9 x")
    assert "line 3, column 'b' must hold a number, got '4o'" in message
    assert "(one of 2 such cells, in column(s) 'a', 'b')" in message
    message = explained("1 2 x/3 4o x", UNNAMED)
    assert "column 1 (counting from 0) must hold a number, got '4o';" in message


def test_decimal_commas_have_advice_of_their_own() -> None:
    assert "read_csv(path, sep=';', decimal=',')" in explained("1 2,5 x/3 4,5 x")


def test_missing_values_are_named_by_their_cell() -> None:
    message = explained("1 2 x/3 NA x/- ? x")
    assert "line 3, column 'b' must hold a value, got 'NA'" in message
    assert "(one of 3 such cells, in column(s) 'a', 'b')" in message
    assert "fillna" in message


def test_values_beyond_all_bounds_are_named_by_their_cell() -> None:
    assert "line 3, column 'a' must hold a finite number, got '1e999'" in explained(
        "1 2 x/1e999 2 x"
    )


def test_the_target_must_be_there_and_a_number_where_it_has_to() -> None:
    assert "line 3, column 'y' must hold a value, got ''" in explained("1 2 x/1 2 -")
    assert "line 2, column 'y' must hold a number, got 'x'" in explained("1 2 x/1 2 3", NAMED, True)
    # A target of nothing but text is no feature to be encoded.
    assert "get_dummies" not in explained("1 2 x", NAMED, True)


def test_text_goes_before_gaps_and_gaps_before_infinity() -> None:
    assert "hold a number, got 'x'" in explained("inf NA 1/1 x 2/3 4 1")
    assert "hold a value" in explained("inf NA 1/1 2 2/3 4 1")


def test_long_cells_and_many_columns_are_cut_short() -> None:
    layout = Layout((*(f"c{i}" for i in range(1000)), "y"), 1000)
    message = explained(" ".join(["x" * 10_000] * 1000 + ["1"]), layout)
    assert len(message) < 600
    assert "(1000 in all)" in message


@pytest.mark.parametrize("rows", ["1 2 3", "1 2 x"])
def test_a_file_that_was_changed_meanwhile(rows: str) -> None:
    assert "must not change while it is read" in explained(rows)
