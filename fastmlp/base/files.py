"""Files that are written as a whole or not at all, and files that processes lock."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .paths import kind_of

# A large file is written in pieces, and each piece reuses the pages of the one before: 55 MB of
# fresh pages took up to 0.2 s on a virtual machine, and reused ones 0.08 s.
_PIECE = 16 << 20
# Bytes that a file name may have in every common file system.
_LONGEST_NAME = 255
_MOST_LINKS = 40
# Seconds to wait before a file that is open elsewhere is replaced again, on Windows.
_PAUSES = (0.01, 0.1, 0.5)


def write_atomically(path: Path, *contents: bytes | memoryview) -> None:
    """Write ``contents``, one after the other, to ``path`` by way of a temporary file beside it.

    After it returns, the file survives a power loss. If it is killed, the old file is complete.
    A link stays a link: its target is replaced. A device, a FIFO and a name of an open file
    (``/dev/stdout``) are written to, never replaced.

    Raises
    ------
    OSError
        If it is a folder, a disk or a socket, or cannot be written to; nothing is left behind.
    """
    if is_stream(path):
        with open_stream(path) as stream:
            for content in contents:
                stream.write(memoryview(content).cast("B"))
        return
    # Not tempfile: its files are private, and a folder of data or results may be shared.
    target = Path(os.path.realpath(path))
    partial = target.with_name(_partial_name(target.name))
    try:
        with partial.open("xb") as file:
            for content in contents:
                _write(file, memoryview(content).cast("B"))
            file.flush()
            os.fsync(file.fileno())
        _replace(partial, target)
        _sync_folder(target.parent)
    except OSError as error:
        if error.filename is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None  # not the temporary name
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as :func:`write_atomically` does, in UTF-8.

    Bytes of file names that are no UTF-8 are written as escapes such as ``\\xf6``.
    """
    write_atomically(path, encoded(text))


def encoded(text: str) -> bytes:
    """Return a text as :func:`write_text` writes it."""
    return text.encode("utf-8", "backslashreplace")


def is_stream(path: Path) -> bool:
    """Whether a path is a stream: a device, a FIFO or the name of an open file.

    Raises
    ------
    OSError
        If nothing can be written there: it is a folder, a disk or a socket.
    """
    if descriptor_of(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False  # also for a broken link, whose target will be made
    if stat.S_ISREG(mode):
        return False
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
        return True
    number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
    raise OSError(number, f"it is {kind_of(path)}, not a file", str(path))


def open_stream(path: Path) -> BinaryIO:
    """Open for writing what :func:`is_stream`; a FIFO waits for its reader."""
    descriptor = descriptor_of(path)
    if descriptor is None:
        return path.open("wb")
    for stream in (sys.stdout, sys.stderr):  # what was printed comes first
        if stream is not None:
            stream.flush()
    # The open file itself: opened anew by its name, a regular file would be written from its start.
    return os.fdopen(os.dup(descriptor), "wb")


def descriptor_of(path: Path) -> int | None:
    """Return the number of the open file that a path names, such as 1 of ``/dev/stdout``."""
    name = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        folder, last = os.path.realpath(os.path.dirname(name)), os.path.basename(name)
        if last.isdecimal() and folder in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
            return int(last)
        if not os.path.islink(name):
            break
        name = os.path.normpath(os.path.join(folder, os.readlink(name)))
    return None


def _partial_name(name: str) -> str:
    """Return a unique hidden name that is not too long."""
    most = _LONGEST_NAME - len(f"..{uuid.uuid4().hex}")
    start = name if len(os.fsencode(name)) <= most else name[: most // 4]
    return f".{start}.{uuid.uuid4().hex}"


def _write(file: BinaryIO, content: memoryview) -> None:
    for start in range(0, len(content), _PIECE):
        file.write(content[start : start + _PIECE])
        if len(content) > _PIECE and hasattr(os, "posix_fadvise"):
            file.flush()
            os.fdatasync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _replace(partial: Path, target: Path) -> None:
    """Give a file its name; on Windows a scanner or an indexer may have opened the old one."""
    for seconds in _PAUSES if sys.platform == "win32" else ():
        try:
            return os.replace(partial, target)
        except PermissionError:
            time.sleep(seconds)
    os.replace(partial, target)


def _sync_folder(folder: Path) -> None:
    """Put a folder's names on disk, where the system lets a folder be opened (not Windows)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_partial(folder: Path) -> None:
    """Remove temporary files of :func:`write_atomically` whose process was killed."""
    for path in folder.glob(".*"):
        if re.fullmatch(r"\..+\.[0-9a-f]{32}", path.name):
            path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock on ``path`` and hold it against all other processes and threads.

    The system releases the lock when the process ends. Without such locks (some network folders),
    or if the file cannot be created, there is no wait: use it only for work that may be done twice.
    """
    from filelock import lock_descriptor

    with ExitStack() as held:
        with suppress(OSError):
            lock_descriptor(held.enter_context(path.open("ab")).fileno())
        yield
