from __future__ import annotations

import csv
import io
import tracemalloc

import pytest

from fastmlp.base.errors import DataError
from fastmlp.data.tables import text as module
from fastmlp.data.tables.records import Record, Records
from fastmlp.data.tables.text import Text, lines_in


def records_of(
    content: str | bytes, separator: str = ",", comment: str = "#", width: int | None = None
) -> list[Record]:
    data = content.encode() if isinstance(content, str) else content
    text = Text(io.BytesIO(data), "table.csv")
    reader = Records(text, separator, comment, width)
    found: list[Record] = []
    while (block := text.next_block()) is not None:
        found += reader.of(block, text.line - lines_in(block))
    return found


@pytest.fixture(params=[2, 5, 1 << 20], autouse=True)
def block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Blocks that hold parts of records, one, or all of them."""
    monkeypatch.setattr(module, "BLOCK_BYTES", request.param)
    return int(request.param)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "whitespace"])
def test_separators_line_ends_and_a_last_line_without_one(separator: str, end: str) -> None:
    mark = " \t " if separator == "whitespace" else separator
    lines = [mark.join(row) for row in ("ab", "12", "34")]
    records = [(1, ["a", "b"]), (2, ["1", "2"]), (3, ["3", "4"])]
    assert records_of(end.join(lines), separator) == records
    assert records_of(end.join(lines) + end, separator) == records


def test_white_space_around_a_row_is_no_field() -> None:
    assert records_of("  1   2 \n\t3\t 4\t\n", "whitespace") == [(1, ["1", "2"]), (2, ["3", "4"])]
    assert records_of('"a  b" 1\n', "whitespace") == [(1, ["a  b", "1"])]
    # A space of its own makes an empty field.
    assert records_of("1  2\n", " ") == [(1, ["1", "", "2"])]


def test_quotes_guard_separators_quotes_and_line_ends() -> None:
    records = records_of('"a,b", "say ""c"""\n"1\n2",3\n4,5\n')
    assert records == [(1, ["a,b", 'say "c"']), (2, ["1\n2", "3"]), (4, ["4", "5"])]


def test_a_quote_within_a_field_is_a_character() -> None:
    assert records_of('5" pipe,1\n6" pipe,2\n') == [(1, ['5" pipe', "1"]), (2, ['6" pipe', "2"])]


def test_empty_lines_are_left_out_but_counted() -> None:
    assert records_of("\n1,2\n\n   \n3,4\n\n") == [(2, ["1", "2"]), (5, ["3", "4"])]
    # Fields without anything in them are missing values, no empty line.
    assert records_of("1\t2\n\t\n", "\t")[1] == (2, ["", ""])


def test_comments_are_left_out_but_counted() -> None:
    content = '# one\n1,2\n#,"\n"3\n# no comment",4\n5,#6\n#'
    assert records_of(content) == [(2, ["1", "2"]), (4, ["3\n# no comment", "4"]), (6, ["5", "#6"])]
    assert records_of("#1,2\n", comment="") == [(1, ["#1", "2"])]
    assert records_of("%% 1,2\n% 1,2\n", comment="%%") == [(2, ["% 1", "2"])]


def test_many_rows_are_read_all_the_same() -> None:
    records = records_of("".join(f"{i},{i}\n" for i in range(1000)))
    assert records == [(i + 1, [str(i), str(i)]) for i in range(1000)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1,2\n3,4,5\n", "as many fields as the first, 2, got 3 in line 2"),
        ("1,2\n\n3\n", "got 1 in line 3"),
        ('1,2\n3,"4\n5,6\n', "line 2 must be CSV, got unexpected end of data"),
        ('1,2\n3,"4"5\n', "line 2 must be CSV"),
    ],
)
def test_files_that_are_no_tables_are_refused(content: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        records_of(content, width=2)
    assert words in str(caught.value)
    assert "table.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_a_huge_field_is_refused() -> None:
    field = "1" * (csv.field_size_limit() + 1)
    words = f"line 2 must have fields of at most {csv.field_size_limit()} characters"
    with pytest.raises(DataError, match=words):
        records_of(f"1,2\n3,{field}\n".encode())


def test_a_huge_record_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD", 1 << 16)
    monkeypatch.setattr(module, "BLOCK_BYTES", 1 << 12)
    text = Text(io.BytesIO(b"1,2\n" + b'"\n",' * (1 << 20)), "table.csv")
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"a row must have at most .* the one in line 2"):
            reader = Records(text, ",", "#")
            list(reader.of(text.next_block() or "", 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_a_long_file_of_short_records_is_no_huge_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD", 100)
    assert len(records_of("1,2\n" * 500)) == 500
