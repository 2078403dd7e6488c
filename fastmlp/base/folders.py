"""Folders that a run or a sweep writes into: created, and locked while they are in use."""

from __future__ import annotations

import errno
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .errors import ConfigError
from .paths import Name, as_path, kind_of

# In a locked folder, on Windows.
_LOCK_FILE = ".fastmlp.lock"


class FolderLock:
    """An exclusive lock on a folder, against other processes and threads.

    The lock is on the folder itself (on Windows, where a folder cannot be opened, on a file in it
    that the system removes with the lock), so no file is left behind. The system releases it when
    the process ends, however it ends; forked children do not inherit it. Without such locks (some
    network folders), or if the folder cannot be opened, nothing is locked.

    Raises
    ------
    BlockingIOError
        If it is locked already.
    """

    def __init__(self, folder: Path):
        self._close: Callable[[], object] = lambda: None
        from filelock import lock_descriptor

        try:
            descriptor = _open(folder)
        except OSError:
            return
        try:
            is_mine = lock_descriptor(descriptor, blocking=False)
        except OSError:
            os.close(descriptor)
            return
        if not is_mine:
            os.close(descriptor)
            raise BlockingIOError(errno.EWOULDBLOCK, "another run has locked it", str(folder))
        self._close = weakref.finalize(self, os.close, descriptor)
        _LOCKS.add(self)

    def release(self) -> None:
        """Release the lock; nothing happens if it is released."""
        self._close()  # the first time


def _open(folder: Path) -> int:
    """Return a descriptor to lock in the place of a folder."""
    if sys.platform == "win32":
        flags = os.O_RDWR | os.O_CREAT | os.O_TEMPORARY | os.O_NOINHERIT
        return os.open(folder / _LOCK_FILE, flags)
    return os.open(folder, os.O_RDONLY)


def contents(folder: Path) -> list[Path]:
    """Return what a folder holds, except the file of its lock."""
    return [path for path in folder.iterdir() if path.name != _LOCK_FILE]


_LOCKS: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _release_copies() -> None:
    """Close a forked child's copies of locks, which would outlive their owner."""
    for lock in list(_LOCKS):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_copies)


_of_thread = threading.local()


def make_folder(name: Name, what: str) -> Path:
    """Return a folder, which is made if it is not there.

    Raises
    ------
    ConfigError
        If something else is there, or it cannot be made.
    """
    path = as_path(name, what)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{what} {path} {_why_not(path, error)}") from None
    except ValueError as error:  # a null character
        raise ConfigError(f"{what} {str(path)!r} cannot be made: {error}; correct it") from None
    return path


def _why_not(path: Path, error: OSError) -> str:
    """Return why a folder cannot be made or used."""
    if os.path.lexists(path) and not os.path.isdir(path):
        return f"must be a folder, and it is {kind_of(path)}; choose another folder"
    for parent in path.parents:
        if os.path.lexists(parent) and not os.path.isdir(parent):
            return f"cannot be written to: {parent} is {kind_of(parent)}; choose another folder"
    return f"cannot be written to: {error.strerror}; choose another folder"


def lock_folder(path: Path, what: str) -> FolderLock:
    """Lock a folder against all other runs and sweeps.

    Raises
    ------
    ConfigError
        If another process or thread has locked it.
    """
    try:
        return FolderLock(path)
    except BlockingIOError:
        raise ConfigError(
            f"{what} {path} is in use: another process or thread writes into it; wait for its end, "
            "end it, or choose another folder"
        ) from None


@contextmanager
def held_folder(name: Name, what: str) -> Iterator[Path]:
    """Make a folder and lock it until the block is left.

    Within the block the same thread may lock it again. Errors as for :func:`make_folder` and
    :func:`lock_folder`.
    """
    path = make_folder(name, what)
    mine: set[str] = _of_thread.__dict__.setdefault("folders", set())
    key = os.path.realpath(path)
    if key in mine:
        yield path
        return
    with ExitStack() as here:
        kept: ExitStack = getattr(_of_thread, "kept", here)
        kept.callback(lock_folder(path, what).release)
        mine.add(key)
        kept.callback(mine.discard, key)
        yield path


@contextmanager
def folders_kept() -> Iterator[None]:
    """Keep every lock that this thread takes by :func:`held_folder` until the block is left."""
    with ExitStack() as _of_thread.kept:
        try:
            yield
        finally:
            del _of_thread.kept


def remove_files(paths: Iterable[Path], what: str) -> None:
    """Remove files of an older run or sweep; nothing else is ever removed.

    Raises
    ------
    ConfigError
        If one of them is no regular file; then none is removed.
    """
    there = [path for path in paths if os.path.lexists(path)]
    for path in there:
        if path.is_symlink() or not path.is_file():
            kind = "a link" if path.is_symlink() else kind_of(path)
            raise ConfigError(
                f"{what} {path.parent} cannot be overwritten: {path.name} in it is {kind}, not a "
                "file; remove that yourself, or choose another folder"
            )
    for path in there:
        path.unlink(missing_ok=True)
