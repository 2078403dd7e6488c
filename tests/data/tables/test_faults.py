from __future__ import annotations

import pytest

from fastmlp.data.tables.dialect import Dialect
from fastmlp.data.tables.faults import Explainer
from fastmlp.data.tables.fields import CellFormat
from fastmlp.data.tables.layout import TableLayout

NAMED = TableLayout(("a", "b", "y"), 3, (0, 1), (2,))
UNNAMED = TableLayout(None, 3, (0, 1), (2,))


def explained(
    rows: str,
    layout: TableLayout = NAMED,
    target_is_number: bool = False,
    separator: str = ",",
    **format_: str,
) -> str:
    """The message for rows that are written as words, - for nothing; the first is in line 2."""
    cells = [["" if cell == "-" else cell for cell in line.split()] for line in rows.split("/")]
    dialect = Dialect(separator, "#", CellFormat(**format_))  # type: ignore[arg-type]
    explainer = Explainer(dialect, layout, (target_is_number,), "some.csv")
    message = str(explainer.explain(enumerate(cells, 2)))
    assert message.startswith("some.csv")
    assert "\n" not in message
    return message


def test_a_text_among_numbers_is_named_by_its_cell() -> None:
    message = explained("1 2 x/3 4o x/5 6 x/8o 9 x")
    assert "line 3, column 'b' must hold a number, got '4o'" in message
    assert "(one of 2 such cells, in column(s) 'a', 'b')" in message
    message = explained("1 2 x/3 4o x", UNNAMED)
    assert "column 1 (counting from 0) must hold a number, got '4o';" in message
    assert "--header yes" not in message


def test_a_text_in_the_first_line_may_be_a_name() -> None:
    assert "use --header yes" in explained("1 2o x/3 4 x", UNNAMED)
    assert "--header" not in explained("1 2o x/3 4 x", NAMED)


def test_decimal_signs_have_their_own_remedy() -> None:
    message = explained("1 2,5 x/3 4,5 x")
    assert "line 2, column 'b' must hold a number with the decimal sign '.', got '2,5'" in message
    assert "use --decimal ," in message
    assert "use --decimal ." in explained("1 2.5 x/3 4 x", separator=";", decimal=",")


def test_a_mix_of_decimal_signs_names_a_cell_of_each() -> None:
    message = explained("1.5 2 x/3 4,5 x/1 3,5 x", separator=";")
    assert "got '4,5' in line 3, column 'b', and '1.5' in line 2, column 'a'" in message


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("1,250,000", "--thousands ,"),
        ("1,250.5", "--thousands ,"),
        ("1'250", "--thousands '"),
        ("1_250", "--thousands _"),
        ("1.250,5", "--thousands . --decimal ,"),
        ("1.250.000", "--thousands ."),
        ("1,250", "--thousands , if 1,250 means 1250"),
        ("1,250", "--decimal , if it means 1.25"),
    ],
)
def test_thousands_separators_have_their_own_remedy(cell: str, advice: str) -> None:
    assert advice in explained(f"1 {cell} x/3 4 x")


def test_missing_values_are_named_by_their_cell() -> None:
    message = explained("1 2 x/3 NA x/- ? x")
    assert "line 3, column 'b' must hold a value, got 'NA'" in message
    assert "(one of 3 such cells, in column(s) 'a', 'b')" in message
    assert "fill the gaps" in message


def test_values_beyond_all_bounds_are_named_by_their_cell() -> None:
    assert "line 3, column 'a' must hold a finite number, got '1e999'" in explained(
        "1 2 x/1e999 2 x"
    )


def test_the_target_must_be_there_and_a_number_where_it_has_to() -> None:
    assert "line 3, column 'y' must hold a value, got ''" in explained("1 2 x/1 2 -")
    assert "line 2, column 'y' must hold a number, got 'x'" in explained("1 2 x/1 2 3", NAMED, True)
    assert "must hold a number, got 'True'" in explained("True 2 True", NAMED, True)


def test_columns_that_are_left_out_may_hold_anything() -> None:
    layout = TableLayout(("a", "b", "y"), 3, (1,), (2,))
    assert "column 'b' must hold a number, got 'v'" in explained("x 1 x/- v 2/u 2 2", layout)


def test_text_goes_before_gaps_and_gaps_before_infinity() -> None:
    assert "hold a number, got 'x'" in explained("inf NA 1/1 x 2/3 4 1")
    assert "hold a value" in explained("inf NA 1/1 2 2/3 4 1")


def test_long_cells_and_many_columns_are_cut_short() -> None:
    names = (*(f"c{i}" for i in range(1000)), "y")
    layout = TableLayout(names, 1001, tuple(range(1000)), (1000,))
    message = explained(" ".join(["x" * 10_000] * 1000 + ["1"]), layout)
    assert len(message) < 800
    assert "(1000 in all)" in message


@pytest.mark.parametrize("rows", ["1 2 3", "1 2 x"])
def test_a_file_that_was_changed_meanwhile(rows: str) -> None:
    assert "must not change while it is read" in explained(rows)
