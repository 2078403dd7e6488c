from __future__ import annotations

import pytest

from fastmlp.data.tables.fields import CellFormat
from fastmlp.data.tables.header import has_header


def header(rows: str, separator: str = ",") -> bool:
    return has_header([line.split() for line in rows.split("/")], CellFormat(), separator)


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
        "0 1 2/3 4 5/6 7 8",
        "0 1 2 label",
        "a b/True False/False True",
        "a b/True 1/False 2",
        # Years, as columns of their own or beside a text.
        "2019 2020 2021 churn/5 6 7 0/1 2 3 1",
        "2019 2020 2021 churn/5 6 7 yes/1 2 3 no",
        "2019 2020 churn/5 6 yes/1 2 no",
        "2021 2020 2019/5 6 7/1 2 3",
        "2019 2020/5 6/1 2",
        "name 2019 2020/Rome 5 6/Bern 1 2",
        # Names that count, or rise for long.
        "1 2 3 y/5 5 7 x/1 9 3 z",
        "1 2 3/5 5 7/1 9 3",
        "400.5 401.2 402.7 403.1 404.4 405 406.3 407 y/5 1 5 1 5 1 5 1 x/1 5 1 5 1 5 1 5 z",
        "400.5 401.2 402.7 403.1 404.4 405 406.3 407/5 1 5 1 5 1 5 1/1 5 1 5 1 5 1 5",
        # As pandas.get_dummies names columns that had no names.
        "0 2 1_a 1_b 3/5 6 True False x/5 7 False True y",
        "1 2 0_F 0_M 8/.5 .6 1 0 15/.7 .8 0 1 7",
    ],
)
def test_headers(rows: str) -> None:
    assert header(rows)


@pytest.mark.parametrize(
    "rows",
    [
        "5 6 0/7 8 1",
        "5 6 x/7 8 y",
        "5 6 0",
        "0 1/1 1",  # a row of a truth table
        "0 1 2",
        "5 a 0/7 8 1/2 3 1",  # a text among numbers, in the first row
        "5.5 a b/7 8 1/2 3 1",
        "5 - -/7 8 1/2 3 1",
        "NA 6 0/7 8 1",
        "0 1 x/0 2 y",
        "1e3 -2.5 inf/1 2 3",
        "x 1/x 2",
        "True False/False True/True True",
        "2019 2020 2021/2018 2017 2016/2000 2001 2002",  # a table of years
        "2019 2020 2021 x/2018 2017 2016 y/2000 2001 2002 x",
        "1 2 3/4 5 6/7 8 9",
        "1 2 3 x/4 5 9 y/7 8 8 x",  # a label that recurs is no name
        "3 4 5/7 1 2/5 5 5",  # three may count by chance
        "1 2 3 4 5 6 7 8/2 3 4 5 6 7 8 9",
    ],
)
def test_no_headers(rows: str) -> None:
    assert not header(rows)


def test_decimal_commas_are_numbers_where_fields_are_not_separated_by_them() -> None:
    assert header("a b/1,5 2,5/3,5 4,5", ";")
    assert not header("1,5 2,5/3,5 4,5", ";")
