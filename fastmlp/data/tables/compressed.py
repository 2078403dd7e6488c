"""Decompression of tables; the format is recognised by the first bytes, not by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from ...base.errors import DataError
from .file_kinds import archive_kind

SUFFIXES = (".gz", ".xz", ".bz2", ".zip")
# An xz file sets how much memory it takes: 65 MB at its highest usual level, up to 4 GB.
MOST_XZ_MEMORY = 256 << 20
_DAMAGES = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile,
    NotImplementedError, RuntimeError,
)  # fmt: skip
# Files that archivers add.
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@contextmanager
def decompressed(raw: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Open a file's content, decompressed as it is read: gzip, xz, bzip2, or zip with one member.

    Parameters
    ----------
    raw : binary file, seekable
        At its start.
    name : str
        What messages call it.

    Raises
    ------
    DataError
        If it is damaged, encrypted, or an archive of several files.
    """
    start = raw.read(1 << 16)
    raw.seek(0)
    try:
        if start.startswith(b"\x1f\x8b"):
            with gzip.open(raw) as file:
                yield _buffered(file)
        elif start.startswith(b"BZh") and start[4:10] == b"1AY&SY":
            with bz2.open(raw) as file:
                yield _buffered(file)
        elif start.startswith(b"\xfd7zXZ\0"):
            _check_xz_memory(start, name)
            with lzma.open(raw) as file:
                yield _buffered(file)
        elif start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            with zipfile.ZipFile(raw) as archive, archive.open(_member(archive, name)) as file:
                yield _buffered(file)
        else:
            yield raw
    except _DAMAGES as error:
        raise DataError(
            f"{name} cannot be decompressed: {error or 'it ends too early'}; make or download it "
            "again, or decompress it first"
        ) from error


def archive_members(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of an archive's files, without those that archivers add."""
    return [
        name
        for name in archive.namelist()
        if not name.endswith("/")
        and not name.startswith(_LITTER[0])
        and name.rpartition("/")[2] not in _LITTER
    ]


def _member(archive: zipfile.ZipFile, name: str) -> str:
    members = archive_members(archive)
    if len(members) != 1 or members[0].endswith(".npy"):
        raise DataError(f"{name} must be a table in text, got {archive_kind(members)}")
    if archive.getinfo(members[0]).flag_bits & 1:
        raise DataError(
            f"{name} must be readable without a password, got an encrypted archive; unpack it"
        )
    return members[0]


def _buffered(file: Any) -> BinaryIO:
    return io.BufferedReader(file)


def _check_xz_memory(start: bytes, name: str) -> None:
    try:
        lzma.LZMADecompressor(memlimit=MOST_XZ_MEMORY).decompress(start, 1)
    except lzma.LZMAError as error:
        if "emory" not in str(error):
            raise
        raise DataError(
            f"{name} must be decompressed in at most {MOST_XZ_MEMORY >> 20} MB of memory, it needs "
            "more; decompress it first, or compress it with xz -6"
        ) from error
