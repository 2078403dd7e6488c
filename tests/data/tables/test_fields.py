from __future__ import annotations

import math

import pytest

from fastmlp.data.tables.fields import CellFormat, is_boolean, is_numeral

PLAIN = CellFormat()


@pytest.mark.parametrize("cell", ["1", " -2.5 ", "1e3", "+.5", "1.", "1E+05", "inf", "1e999"])
def test_numbers(cell: str) -> None:
    assert PLAIN.number(cell) == float(cell)
    assert PLAIN.is_number(cell) and not PLAIN.is_missing(cell)


@pytest.mark.parametrize("cell", ["x", "1_0", "1,5", "0x10", "1d5", "1 2", "-", "NAN1", "1'000"])
def test_texts(cell: str) -> None:
    assert PLAIN.number(cell) is None
    assert not PLAIN.is_number(cell) and not PLAIN.is_missing(cell)


@pytest.mark.parametrize("cell", ["", "  ", "NaN", "NA", "n/a", "?", "NULL", "None", "<NA>"])
def test_missing_values(cell: str) -> None:
    assert not PLAIN.is_number(cell) and PLAIN.is_missing(cell)


def test_further_missing_values() -> None:
    given = CellFormat(na_values=("-", "-999"))
    assert [given.is_missing(cell) for cell in ("-", " -999", "-999.0", "NA", "5", "x")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip
    assert given.na_numbers == (-999.0,)


@pytest.mark.parametrize(
    ("decimal", "thousands", "cell", "number"),
    [
        (",", "", "1,5", 1.5),
        (",", "", "-,5e3", -500.0),
        (",", "", "15", 15.0),
        (",", "", "1.5", None),
        (",", "", "1,5,0", None),
        (".", ",", "1,250", 1250.0),
        (".", ",", "1,250,000.5", 1250000.5),
        (".", ",", "1250.5", 1250.5),
        (".", ",", "12,50", None),
        (".", ",", "1,2500", None),
        (".", ",", "1.250,5", None),
        (",", ".", "1.250,5", 1250.5),
        (",", ".", "1.5", None),
        (",", ".", "1,5", 1.5),
        (".", "'", "1'250", 1250.0),
        (".", " ", "1 250.5", 1250.5),
        (".", " ", "1\u202f250", 1250.0),
        (".", "_", "1_250", 1250.0),
        (".", "_", "1_25", None),
        (".", ",", "x", None),
    ],
)
def test_signs(decimal: str, thousands: str, cell: str, number: float | None) -> None:
    assert CellFormat(decimal, thousands).number(cell) == number


def test_true_and_false_are_numbers_of_features_only() -> None:
    for cell, number in (("True", 1), ("FALSE", 0), (" true ", 1), ("tRuE", 1)):
        assert PLAIN.feature(cell) == number
        assert is_boolean(cell) and not PLAIN.is_number(cell)
    assert PLAIN.feature("yes") is None
    assert PLAIN.feature("2.5") == 2.5
    nan = PLAIN.feature("nan")
    assert nan is not None and math.isnan(nan)


def test_numerals_depend_on_the_separator() -> None:
    assert is_numeral("1,5", ";") and is_numeral("1.5", ";") and not is_numeral("1,5", ",")
