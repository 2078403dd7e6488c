"""Every reader gives the same rows, bit by bit, or gives up."""

from __future__ import annotations

import math
import struct
import sys
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.base.errors import DataError
from fastmlp.data.tables import fast
from fastmlp.data.tables.fast import Request, read_block
from fastmlp.data.tables.fields import CellFormat
from fastmlp.data.tables.text import BLOCK_BYTES

PLAIN = CellFormat()
NUMBER = Request(",", ".", "#", 1, (0,), (), ())
ODD = [
    "+1", "1.", ".5", "1e5", "1E+05", "1d5", "1D5", "0x10", "0x1p3", "1_000", "Infinity", "inf",
    "-INF", "+inf", "nan", "NaN", "-nan", " 1 ", "1 ", "\t1", '"1.5"', '" 1.5 "', '"1"2', '1"2',
    '"1', '""1', '"1""2"', "1e", "1e+", "e5", ".", "-", "+", "", "+-1", "--1", "1-", "1.2.3",
    "1e5.5", "1e400", "-1e400", "1e-400", "-0.0", "-0", "00012", "1'000", "True", "true", "tRUE",
    "FALSE", "1f", "1L", "1 000", "(1)", "$1", "1%", "1\u00a0", "\uff11", "\u0661", "1e0005",
    "1e99999999999999999999", "0e99999999999", "9" * 400, "0." + "0" * 400 + "1",
    "9007199254740993", "18446744073709551616", "-9223372036854775809", "1 2", "null", "NA", "?",
    "1e 5", "0b1", "#1", "1\x0b", "1\x0c", "1\u2003", "\u22121", "1/2", "\ufeff1", "2020-01-01",
    "12:30", "1;2", "x", "4.9406564584124654e-324", "2.4703282292062327e-324",
    "2.4703282292062328e-324", "1.7976931348623158e308", "1.7976931348623159e308",
    "2.2250738585072011e-308", "6929495644600919.5",
    "3.2378839133029012895883524125015321748630e-6",
]  # fmt: skip


@pytest.fixture(params=list(fast.READERS))
def reader(request: pytest.FixtureRequest) -> fast.Reader:
    """Each library that is installed."""
    pytest.importorskip(request.param)
    found = fast.READERS[request.param]
    if found(b"1\n", ",", NUMBER) is None:
        pytest.skip(f"this version of {request.param} does not round exactly")
    return found


def check(cells: list[str], reader: fast.Reader) -> None:
    """A block of cells is read as the exact reader reads them, or not at all."""
    found = read_block("".join(f"{cell}\n" for cell in cells), NUMBER, reader)
    if found is None:
        return
    expected = [PLAIN.feature(cell.strip().strip('"')) for cell in cells]
    assert None not in expected, cells
    bits = np.array(expected, dtype=np.float64).view(np.uint64)
    # All NaN are missing values, whatever their bits.
    is_nan = np.isnan(found[0][:, 0])
    np.testing.assert_array_equal(is_nan, np.isnan(bits.view(np.float64)))
    np.testing.assert_array_equal(found[0][:, 0].view(np.uint64)[~is_nan], bits[~is_nan])


@pytest.mark.parametrize("cell", ODD)
def test_odd_cells_are_read_exactly_or_not_at_all(cell: str, reader: fast.Reader) -> None:
    check([cell], reader)
    if cell:  # an empty line is none
        check(["2.5", cell, "1"], reader)


@pytest.mark.parametrize("cell", ["1", "-2.5", "1e5", "1E+05", ".5", "1.", "+1", "-0.0", "1e-400"])
def test_usual_numbers_are_read_by_libraries(cell: str, reader: fast.Reader) -> None:
    assert read_block(f"{cell}\n2\n", NUMBER, reader) is not None


def halfway(bits: int) -> str:
    """The decimal exactly between a float64 and its neighbour."""
    value = struct.unpack("d", struct.pack("Q", bits % 0x7FE0000000000000))[0]
    with localcontext() as context:
        context.prec = 1200
        return str((Decimal(value) + Decimal(math.nextafter(value, math.inf))) / 2)


digits = st.text("0123456789", min_size=1, max_size=40)
decimals = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers(0, 2**63).map(halfway),
    st.tuples(st.integers(0, 2**63).map(halfway), st.integers(1, 40)).map(
        lambda pair: pair[0][: pair[1]].rstrip("E+-.") or "0"
    ),
    st.tuples(digits, digits, st.integers(-400, 400)).map("{0[0]}.{0[1]}e{0[2]}".format),
    st.tuples(st.integers(0, 330), digits).map(lambda pair: f"0.{'0' * pair[0]}{pair[1]}"),
    st.integers(-(10**30), 10**30).map(str),
)


@given(cells=st.lists(decimals, min_size=1, max_size=20))
@settings(deadline=None)
def test_hard_decimals_have_the_bits_of_float(cells: list[str]) -> None:
    for name, reader in fast.READERS.items():
        pytest.importorskip(name)
        check(cells, reader)


@given(
    cells=st.lists(
        st.sampled_from(ODD) | st.text("01.-+eE_xnaif \"'\t", max_size=6), min_size=1, max_size=3
    )
)
@settings(deadline=None)
def test_anything_else_is_read_alike_or_not_at_all(cells: list[str]) -> None:
    for name, reader in fast.READERS.items():
        pytest.importorskip(name)
        if all("\n" not in cell and cell.count('"') in (0, 2) for cell in cells):
            check([cell for cell in cells if cell.strip()] or ["1"], reader)


TABLES = {
    "short row": "1,2,x\n3,4\n5,6,y\n",
    "long row": "1,2,x\n3,4,y,z\n5,6,y\n",
    "one short and one long": "1,2,x\n3,4\n5,6,y,z\n",
    "first row short": "1,2\n3,4,x\n",
    "first row long": "1,2,x,y\n3,4,x\n",
    "quoted short row": '1,2,"x"\n3,4\n5,6,"y"\n',
    "quoted long row": '1,2,"x"\n3,4,"y",7\n5,6,"y"\n',
    "empty line": "1,2,x\n\n3,4,y\n",
    "blank line": "1,2,x\n  \n3,4,y\n",
    "comment": "1,2,x\n#3,4,y\n5,6,y\n",
    "open quote": '1,2,"x\n3,4,y\n',
    "line end in quotes": '1,2,"x\ny"\n3,4,y\n',
    "quotes within": '1,2,"x ""y"""\n3,4,y\n',
    "quote within a field": '1,2,5" pipe\n3,4,y\n',
    "quote after blank": '1,2, "x, y"\n3,4,y\n',
    "blanks": "1, 2 , x \n 3,4,\ty\n",
    "separator in quotes": '1,2,"x,y"\n3,4,y\n',
    "empty text": "1,2,\n3,4,y\n",
    "quoted empty text": '1,2,""\n3,4,y\n',
    "missing text": "1,2,NA\n3,4,null\n",
    "number as text": "1,2,007\n3,4,1e5\n",
    "letters": "1,2,größe\n3,4,日本\n",
    "carriage return in quotes": '1,2,"x\ry"\n3,4,y\n',
    "no last line end": "1,2,x\n3,4,y",
    "true as text": "1,2,True\n3,4,false\n",
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("features", [(0, 1), (1,)])
def test_tables_are_read_alike(
    table: str, features: tuple[int, ...], reader: fast.Reader, read: Any, monkeypatch: Any
) -> None:
    def outcome(by: fast.Reader | None) -> Any:
        monkeypatch.setattr(fast, "is_worth_it", lambda n_chars: True)
        monkeypatch.setattr(fast, "fast_reader", lambda: by)
        options = {"features": tuple(map(str, features)), "target": "2", "header": "no"}
        try:
            data = read(TABLES[table], **options)
        except DataError as error:
            return str(error)
        return data.X.tolist(), data.y.tolist()

    assert outcome(reader) == outcome(None)


def test_targets_of_numbers_do_not_take_true_for_1(reader: fast.Reader) -> None:
    request = Request(",", ".", "#", 2, (0,), (1,), (False,))
    assert read_block("1,True\n", request, reader) is None
    assert read_block("1,1\n", request, reader) is not None


@pytest.mark.parametrize(
    ("block", "separator", "X"),
    [
        ("1,5;2\n3;4,5\n", ";", [[1.5, 2], [3, 4.5]]),
        ("1,5 2\n3 4,5\n", " ", [[1.5, 2], [3, 4.5]]),
        (" 1,5 \t 2 \n3\t4,5\n", "whitespace", [[1.5, 2], [3, 4.5]]),
    ],
)
def test_decimal_commas_are_read_by_libraries(
    block: str, separator: str, X: list[list[float]], reader: fast.Reader
) -> None:
    request = Request(separator, ",", "#", 2, (0, 1), (), ())
    found = read_block(block, request, reader)
    assert found is not None and found[0].tolist() == X
    assert read_block(block.replace("2", "2.5"), request, reader) is None


def test_small_tables_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in fast.READERS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert not fast.is_worth_it(1 << 20) and fast.is_worth_it(4 << 20)


def test_without_libraries_there_is_no_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in fast.READERS:
        monkeypatch.setitem(sys.modules, name, None)
    fast.fast_reader.cache_clear()
    try:
        assert fast.fast_reader() is None
    finally:
        fast.fast_reader.cache_clear()


def test_old_pandas_without_exact_rounding_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pandas = pytest.importorskip("pandas")
    monkeypatch.setattr(pandas, "__version__", "3.0.2")
    assert fast.with_pandas(b"1\n", ",", NUMBER) is None


def test_library_is_imported_for_more_than_one_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("pandas", "polars"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    header_and_cut_row = 5000
    assert fast.is_worth_it(BLOCK_BYTES - header_and_cut_row)
    assert not fast.is_worth_it(1000)
