"""The source of a table's bytes: a file, a pipe or standard input."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...base.errors import DataError
from ...base.paths import as_text, find_path
from ..idx import unreadable
from .compressed import SUFFIXES, decompressed
from .file_kinds import HEAD_BYTES, foreign_kind

STDIN = "-"


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
            with self._open() as raw, decompressed(raw, self.name) as file:
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
