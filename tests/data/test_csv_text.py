from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from fastmlp.base.errors import DataError
from fastmlp.data import csv_text
from fastmlp.data.csv_text import Record, read_records, sniff_separator

ReadCsv = Callable[[str | bytes], list[Record]]


@pytest.fixture
def read(tmp_path: Path) -> ReadCsv:
    """The function that stores a content and reads its records."""

    def store_and_read(content: str | bytes) -> list[Record]:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read_records(path))

    return store_and_read


def refusal(read: ReadCsv, content: str | bytes) -> str:
    with pytest.raises(DataError) as caught:
        read(content)
    message = str(caught.value)
    assert "table.csv" in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_line_ends_and_a_last_line_without_one(
    separator: str, end: str, read: ReadCsv
) -> None:
    lines = [separator.join(row) for row in ("ab", "12", "34")]
    records = [(1, ["a", "b"]), (2, ["1", "2"]), (3, ["3", "4"])]
    assert read(end.join(lines)) == records
    assert read(end.join(lines) + end) == records


def test_a_byte_order_mark_is_no_part_of_the_first_field(read: ReadCsv) -> None:
    assert read("\ufeffgröße,y\n1,2\n") == [(1, ["größe", "y"]), (2, ["1", "2"])]
    assert read('\ufeff"a,b",y\n1,2\n')[0] == (1, ["a,b", "y"])


def test_quotes_guard_separators_quotes_and_line_ends(read: ReadCsv) -> None:
    records = read('"a,b", "say ""c"""\n"1\n2",3\n4,5\n')
    assert records == [(1, ["a,b", 'say "c"']), (2, ["1\n2", "3"]), (4, ["4", "5"])]


def test_empty_lines_are_left_out_but_counted(read: ReadCsv) -> None:
    assert read("\n1,2\n\n   \n3,4\n\n") == [(2, ["1", "2"]), (5, ["3", "4"])]
    # Fields without anything in them are missing values, no empty line.
    assert read("1\t2\n\t\n")[1] == (2, ["", ""])


def test_what_the_sample_does_not_hold_is_read_all_the_same(read: ReadCsv) -> None:
    records = read("".join(f"{i},{i}\n" for i in range(1000)))
    assert records == [(i + 1, [str(i), str(i)]) for i in range(1000)]


@pytest.mark.parametrize(
    ("sample", "separator"),
    [
        (["1,2,3", "4,5,6"], ","),
        (["1,5;2,5", "3,5;4,5"], ";"),
        (["1;2\t3;4", "5;6\t7;8"], "\t"),
        (['"a;b",c', '"d",e'], ","),
        (["a,b", "1,x;y"], ","),
        # No separator fits; the ragged row is found by reading.
        (["1,2,3", "4,5"], ","),
        (["1;2,3;4", "5"], ";"),
    ],
)
def test_the_separator_is_that_which_makes_a_table(sample: list[str], separator: str) -> None:
    assert sniff_separator([line + "\n" for line in sample], is_cut=False) == separator


def test_a_record_that_the_sample_cuts_does_not_count() -> None:
    sample = ["a,b\n", "1,2\n", '3,"4\n']
    assert sniff_separator([*sample, '"'], is_cut=False) == ","
    assert sniff_separator(sample, is_cut=True) == ","
    # Decimal commas make more fields than semicolons, but not of the cut record.
    assert sniff_separator(["1,5;2,5;0,5\n", '"5\n'], is_cut=True) == ";"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("1,2\n3,4,5\n", "as many fields as the first, 2, got 3 in line 2"),
        ("1,2\n\n3\n", "got 1 in line 3"),
        ("1,2\n3,\0\n", "line 2 must be text, got a NUL byte"),
        ("1,2\n".encode("utf-16"), "line 1 must be text, got a NUL byte"),
        (b"1,2\n3,\xe9\n", "line 2 must be UTF-8, got byte 0xE9"),
        (b"\xff\xfe1,2\n", "line 1 must be UTF-8, got byte 0xFF"),
        ('1,2\n3,"4\n5,6\n', "line 2 must be CSV, got unexpected end of data"),
        ('1,2\n3,"4"5\n', "line 2 must be CSV"),
        ("1,2\r3,4\r", "line 1 must end with a line feed, got a lone carriage return"),
    ],
)
def test_what_is_no_table_is_refused(content: str | bytes, words: str, read: ReadCsv) -> None:
    assert words in refusal(read, content)


def test_a_bad_byte_far_behind_is_found_in_its_line(read: ReadCsv) -> None:
    assert "line 3001 must be UTF-8" in refusal(read, b"1,2\n" * 3000 + b"\xe9,1\n")


def test_a_huge_field_is_refused(read: ReadCsv) -> None:
    field = "1" * (csv.field_size_limit() + 1)
    message = refusal(read, f"1,2\n3,{field}\n")
    assert f"line 2 must have fields of at most {csv.field_size_limit()} characters" in message


@pytest.mark.parametrize(
    "content",
    [b"1" * (8 << 20), b"1,2\n" + b"1" * (8 << 20), b"1,2\n" + b'"\n",' * (1 << 20)],
    ids=["a first line without end", "a line without end", "a record without end"],
)
def test_a_huge_record_is_refused_before_it_is_held(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert csv_text.MAX_RECORD_BYTES == 8 << 20
    monkeypatch.setattr(csv_text, "MAX_RECORD_BYTES", 1 << 16)
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="a row must have at most"):
            list(read_records(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_a_long_file_of_short_records_is_no_huge_record(
    read: ReadCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_text, "MAX_RECORD_BYTES", 100)
    assert len(read("1,2\n" * 500)) == 500


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        list(read_records(tmp_path / "none.csv"))
    with pytest.raises(DataError, match="must be a file, got a folder"):
        list(read_records(tmp_path))
