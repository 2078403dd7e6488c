from __future__ import annotations

import codecs
import io
import tracemalloc

import pytest

from fastmlp.base.errors import DataError
from fastmlp.data.tables import text as module
from fastmlp.data.tables.text import Text, lines_in


def text_of(content: bytes, encoding: str = "auto") -> Text:
    return Text(io.BytesIO(content), "table.csv", encoding)


def whole(content: bytes, encoding: str = "auto") -> str:
    text, blocks = text_of(content, encoding), []
    while (block := text.next_block()) is not None:
        blocks.append(block)
    assert all(block.endswith("\n") for block in blocks[:-1])
    return "".join(blocks)


@pytest.fixture(params=[1, 3, 7, 1 << 20])
def block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Blocks of several sizes, which cut characters, marks and line ends."""
    monkeypatch.setattr(module, "BLOCK_BYTES", request.param)
    return int(request.param)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "latin-1"]
)
def test_a_text_comes_back_in_each_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 5)
    marked = encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")
    content = "größe,y\n1,2\n\n3,ä".encode(encoding)
    assert whole(content, encoding) == "größe,y\n1,2\n\n3,ä"
    if marked:
        assert whole(content) == "größe,y\n1,2\n\n3,ä"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF8, "utf-8"),
    ],
)
def test_byte_order_mark_sets_encoding_and_is_not_text(mark: bytes, encoding: str) -> None:
    content = mark + "ä,1\n".encode(encoding)
    assert whole(content) == "ä,1\n"
    assert whole(content, encoding) == "ä,1\n"


def test_all_line_ends_become_line_feeds(block_bytes: int) -> None:
    assert whole(b"a\r\nb\rc\nd\r") == "a\nb\nc\nd\n"
    assert whole(b"\r\n\r\n1") == "\n\n1"
    assert whole(b"") == ""


def test_lines_are_counted(block_bytes: int) -> None:
    text = text_of(b"a\nb\nc\nd")
    assert text.line == 1
    lines = 0
    while (block := text.next_block()) is not None:
        lines += lines_in(block)
        assert text.line == lines + 1
    assert lines == 4


@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_lines_are_skipped(line: int, block_bytes: int) -> None:
    text = text_of(b"a\nb\nc\nd")
    block = text.skip_to(line)
    assert block is not None
    rest = [block]
    while (block := text.next_block()) is not None:
        rest.append(block)
    assert "".join(rest) == "a\nb\nc\nd"[2 * line - 2 :]
    assert text_of(b"a\n").skip_to(3) is None


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (b"1,2\n3,\xe9\n", "auto", "line 2 must be UTF-8, got byte 0xE9; name its encoding"),
        (b"1,2\r\n3,\xe9\n", "auto", "line 2 must be UTF-8"),
        (b"1,2\n3,4\xc3", "auto", "line 2 must be UTF-8, got byte 0xC3"),
        (b"1,2\n3,\x00\n", "auto", "line 2 must be text, got a NUL byte; it is no text file"),
        ("1,2\n".encode("utf-16-le"), "auto", "use --encoding utf-16-le"),
        ("1,2\n".encode("utf-16-be"), "auto", "use --encoding utf-16-be"),
        ("ä,2\n".encode("utf-16-le"), "auto", "use --encoding utf-16-le"),
        (b"1,2\n3,\x81\n", "cp1252", "line 2 must be cp1252, got byte 0x81; leave --encoding out"),
        ("1,2\n".encode("utf-16")[:-1], "auto", "must be utf-16"),
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes, encoding: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        whole(content, encoding)
    assert words in str(caught.value)


def test_a_bad_byte_far_behind_is_found_in_its_line(block_bytes: int) -> None:
    with pytest.raises(DataError, match="line 301 must be UTF-8"):
        whole(b"1,2\n" * 300 + b"\xe9,1\n")


def test_a_line_without_end_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.MAX_RECORD == 8 << 20
    monkeypatch.setattr(module, "MAX_RECORD", 1 << 16)
    monkeypatch.setattr(module, "BLOCK_BYTES", 1 << 16)
    content = io.BytesIO(b"1" * (8 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"a row must have at most .* the one in line 1 is"):
            Text(content, "table.csv").next_block()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
