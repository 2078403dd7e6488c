"""The source of a table's bytes: a file, a pipe or standard input; compressed ones are unpacked.

The format of compression is recognised by the first bytes, not by name.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ...base.errors import DataError
from ...base.paths import as_text, find_path
from ..idx import unreadable
from .file_kinds import HEAD_BYTES, archive_kind, foreign_kind

STDIN = "-"
SUFFIXES = (".gz", ".xz", ".bz2", ".zip")
# An xz file sets how much memory it takes: 65 MB at its highest usual level, up to 4 GB.
MOST_XZ_MEMORY = 256 << 20
_DAMAGES = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile,
    NotImplementedError, RuntimeError,
)  # fmt: skip
# Files that archivers add.
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


class Source:
    """The bytes of a table, which can be read several times; a context manager.

    Parameters
    ----------
    path : path-like
        ``-`` is standard input. Standard input and pipes are copied to a temporary file.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._is_stdin = os.fspath(path) == STDIN
        self.path = find_path(path, "data")
        self._copy: BinaryIO | None = None

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self._copy.close()

    @property
    def name(self) -> str:
        """The name in messages."""
        return "standard input" if self._is_stdin else as_text(self.path)

    @property
    def is_file(self) -> bool:
        """Whether it is a file, not standard input."""
        return not self._is_stdin

    @property
    def stem(self) -> str:
        """The name of a dataset that is read from it."""
        if self._is_stdin:
            return "stdin"
        path = self.path
        if path.suffix.lower() in SUFFIXES and path.stem:
            path = Path(path.stem)
        return as_text(path.stem)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the bytes from the start, decompressed.

        Raises
        ------
        DataError
            If they cannot be read, are damaged, or are no text.
        """
        try:
            with self._open() as raw, _decompressed(raw, self.name) as file:
                yield _checked(file, self.name)
        except OSError as error:
            raise unreadable(self.name, error) from error

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        if self._is_stdin or self._is_pipe():
            yield self._copied()
        else:
            with self.path.open("rb") as file:
                yield file

    def _is_pipe(self) -> bool:
        mode = self.path.stat().st_mode
        # No other devices: they may never end.
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise DataError(
                f"{self.name} must be a file, got a folder or a device; name a file that holds a "
                "table"
            )
        return stat.S_ISFIFO(mode)

    def _copied(self) -> BinaryIO:
        if self._copy is None:
            self._copy = tempfile.TemporaryFile()  # noqa: SIM115 - it outlives this call
            if not self._is_stdin:
                with self.path.open("rb") as pipe:
                    shutil.copyfileobj(pipe, self._copy)
            elif sys.stdin is not None:
                shutil.copyfileobj(sys.stdin.buffer, self._copy)
        self._copy.seek(0)
        return self._copy


def _checked(file: BinaryIO, name: str) -> BinaryIO:
    head = file.peek(HEAD_BYTES)[:HEAD_BYTES] if hasattr(file, "peek") else b""
    if not head:
        head = file.read(HEAD_BYTES)
        file.seek(0)
    kind = foreign_kind(head)
    if kind is not None:
        raise DataError(f"{name} must be a table in text, got {kind}")
    return file


@contextmanager
def _decompressed(raw: BinaryIO, name: str) -> Iterator[BinaryIO]:
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


def _member(archive: zipfile.ZipFile, name: str) -> str:
    """Return the name of an archive's only file, apart from those that archivers add."""
    members = [
        member
        for member in archive.namelist()
        if not member.endswith("/")
        and not member.startswith(_LITTER[0])
        and member.rpartition("/")[2] not in _LITTER
    ]
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
