from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fastmlp.base.errors import DataError
from fastmlp.data.tables import source as module
from fastmlp.data.tables.source import Source

TABLE = b"a,y\n1,2\n3,4\n"


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "two gzips": lambda content: gzip.compress(content[:5]) + gzip.compress(content[5:]),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": lambda content: zipped({"folder/table.csv": content}),
    "zip of a Mac": lambda content: zipped({"t.csv": content, "__MACOSX/._t.csv": b"x"}),
}


def content_of(path: Path | str) -> bytes:
    with Source(path) as source:
        with source.open() as file:
            first = file.read()
        with source.open() as file:
            assert file.read() == first
    return first


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        content_of(path)
    assert path.name in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table", "größe ~.csv"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compression_is_recognised_by_content(compression: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(COMPRESSIONS[compression](TABLE))
    assert content_of(tmp_path / name) == TABLE


@pytest.mark.parametrize("compression", ["gzip", "xz", "bzip2", "zip"])
def test_a_damaged_file_is_refused(compression: str, tmp_path: Path) -> None:
    content = COMPRESSIONS[compression](os.urandom(10_000))
    (tmp_path / "t.csv").write_bytes(content[: len(content) // 2])
    assert "cannot be decompressed: " in refusal(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a.csv": TABLE, "b.csv": TABLE}, "a zip archive of 2 files ('a.csv', 'b.csv'); unpack"),
        ({"xl/workbook.xml": b"", "b": b""}, "an Excel workbook; .*pandas.read_excel"),
        ({"word/document.xml": b"", "b": b""}, "a Word document"),
        ({"mimetype": b"", "content.xml": b""}, "an OpenDocument file"),
        ({"m/data.pkl": b"", "m/version": b""}, "a PyTorch file; it is not read"),
        ({"X.npy": b""}, "an NPZ file"),
        ({}, "an empty zip archive"),
    ],
)
def test_an_archive_of_anything_but_one_table_is_refused(
    members: dict[str, bytes], words: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_bytes(zipped(members))
    message = refusal(tmp_path / "t.csv")
    assert all(part in message for part in words.split(".*"))


def test_a_password_is_not_asked_for(tmp_path: Path) -> None:
    content = bytearray(zipped({"t.csv": TABLE}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    (tmp_path / "t.zip").write_bytes(content)
    assert "without a password" in refusal(tmp_path / "t.zip")


def test_an_xz_file_may_not_take_all_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.xz"
    path.write_bytes(lzma.compress(TABLE, preset=9))
    assert content_of(path) == TABLE
    monkeypatch.setattr(module, "MOST_XZ_MEMORY", 1 << 20)
    assert "at most 1 MB of memory" in refusal(path)


def test_decompression_goes_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
    with Source(path) as source, source.open() as file:
        assert file.read(10) == bytes(10)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("flowers.csv", "flowers"),
        ("flowers.csv.gz", "flowers"),
        ("flowers.v2.csv", "flowers.v2"),
        ("flowers", "flowers"),
        ("flowers.zip", "flowers"),
        ("-", "stdin"),
    ],
)
def test_stems(name: str, stem: str) -> None:
    assert Source(name).stem == stem


def test_standard_input_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TABLE))))
    assert content_of("-") == TABLE
    monkeypatch.setattr(sys, "stdin", None)
    assert content_of("-") == b""


@pytest.mark.skipif(os.name != "posix", reason="named pipes have file names on POSIX only")
def test_a_pipe_can_be_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(TABLE,))
    writer.start()
    assert content_of(tmp_path / "pipe") == TABLE
    writer.join()


def test_a_missing_file_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "none.csv")
    assert "must be a file, got a folder" in refusal(tmp_path)
    if os.name == "posix":
        assert "must be a file, got a folder or a device" in refusal(Path("/dev/zero"))


def test_the_home_folder_has_a_short_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "t.csv").write_bytes(TABLE)
    assert content_of("~/t.csv") == TABLE
