"""Conversion of file names between user input, the operating system and text files."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from .errors import ConfigError

Name = str | os.PathLike[str]


def as_path(name: Name, what: str) -> Path:
    """Return a path from what a user wrote, ``~`` expanded.

    Parameters
    ----------
    name : str or path-like
    what : str
        What messages call it: ``--out``, ``checkpoint_dir``.

    Raises
    ------
    ConfigError
        For an empty name, a value that is no name, and ``~`` where there is no home folder.
    """
    try:
        text = os.fsdecode(os.fspath(name))
    except TypeError:
        raise ConfigError(
            f"{what} must be the name of a file or folder, got {name!r:.80}; give a str or a Path"
        ) from None
    if not text:
        raise ConfigError(
            f"{what} must be the name of a file or folder, got an empty one; . is the current "
            "folder"
        )
    try:
        return Path(_for_system(text)).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{what} {text} begins with ~, and no home folder is known for it; give the whole path"
        ) from None


def numbered(path: Path, number: int) -> Path:
    """Return ``log-2.csv`` for ``log.csv`` and 2."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _for_system(text: str) -> str:
    """Return a name as the system takes it: in UTF-8 if the locale's encoding lacks a character."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))
    return text


def as_text(name: Name) -> str:
    """Return a file name as text that can be written in UTF-8.

    Bytes that are no UTF-8 become escapes such as ``\\xf6``. :func:`find_path` reverses this.
    """
    text = os.fsdecode(name)
    try:
        content = os.fsencode(text)
    except UnicodeEncodeError:  # a character that the locale's encoding lacks
        content = text.encode("utf-8", "surrogateescape")
    return content.decode("utf-8", "backslashreplace")


def find_path(text: Name, what: str) -> Path:
    """Return the path of an existing file from its name or from its text by :func:`as_text`.

    If there is none, the path of the name itself. Parameters and errors as for :func:`as_path`.
    """
    path = as_path(text, what)
    if not os.path.lexists(path) and os.name == "posix":
        numbered = str(path).encode("utf-8", "surrogateescape")
        named = re.sub(rb"\\x([89a-f][0-9a-f])", lambda m: bytes.fromhex(m[1].decode()), numbered)
        for content in (numbered, named):
            if os.path.lexists(found := os.fsdecode(content)):
                return Path(found)
    return path


def kind_of(path: Name) -> str:
    """Return what is at a path: ``a file``, ``a FIFO``, ``a link to x, which is missing`` ...

    Raises
    ------
    OSError
        If nothing is there, or the path cannot be read.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if not os.path.islink(path):
            raise
        why = "is missing" if isinstance(error, FileNotFoundError) else "cannot be followed"
        return f"a link to {os.readlink(path)}, which {why}"
    kinds = {
        stat.S_IFREG: "a file", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO",
        stat.S_IFCHR: "a device", stat.S_IFBLK: "a disk", stat.S_IFSOCK: "a socket",
    }  # fmt: skip
    return kinds.get(stat.S_IFMT(mode), "no file")
