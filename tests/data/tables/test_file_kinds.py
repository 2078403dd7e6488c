from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from fastmlp.base.errors import DataError
from fastmlp.data.tables.file_kinds import foreign_kind
from fastmlp.data.tables.source import Source


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("table.csv"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"GIF89a", "a GIF image"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook; write it as CSV, for example with"),
        (b"PAR1\x15\x04", "pandas.read_parquet(path).to_csv('table.csv', index=False)"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"(\xb5/\xfd\0", "unzstd"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (saved(np.zeros(3)), "numpy.savez"),
        (tarred(), "a tar archive; unpack it"),
        (b"\0\0\x08\x03\0\0\xea\x60", "an IDX file; name the folder"),
        (b"\n <!DOCTYPE html>\n<html>", "an HTML page"),
        (b"<html lang='en'>", "an HTML page"),
        (b"<?xml version='1.0'?>", "an XML file"),
        (b'{"a": 1}', "a JSON file"),
        (b'[{"a": 1}]', "a JSON file"),
        (b"[[1, 2], [3, 4]]", "a JSON file"),
        (b"% a comment\n@RELATION iris\n", "an ARFF file"),
        (b"1 1:0.5 7:-1\n-1 2:3\n", "a LIBSVM file"),
    ],
)
def test_other_files_are_recognised(head: bytes, words: str) -> None:
    kind = foreign_kind(head)
    assert kind is not None and words in kind


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [{"a": 1}, [1, 2], (1, "x"), np.zeros(3), "x"], ids=repr)
def test_pickles_are_recognised_and_not_read(value: object, protocol: int) -> None:
    kind = foreign_kind(pickle.dumps(value, protocol))
    assert kind is not None and "a Python pickle; it is not read" in kind


@pytest.mark.parametrize(
    "head",
    [
        b"a,y\n1,2\n", b"", b"BMI,age\n1,2\n", b"PK,value\n1,2\n", b"{a,b\n1,2\n", b"[a],b\n1,2\n",
        b"1 2 3\n4 5 6\n", b"<5,1\n", b"Rar,y\n", b"RIF,y\n", b"time,12:30\n", b"X,Y\n1,2\n",
        "größe,y\n1,2\n".encode("utf-16"), b"% comment\n1,2\n",
    ],
)  # fmt: skip
def test_tables_are_not_mistaken_for_other_files(head: bytes) -> None:
    assert foreign_kind(head) is None


def test_a_compressed_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(gzip.compress(tarred()))
    with (
        pytest.raises(DataError, match=r"t\.csv must be a table in text, got a tar archive"),
        Source(tmp_path / "t.csv") as source,
        source.open(),
    ):
        pass
