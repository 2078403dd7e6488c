"""The folders of a user's caches, also for a user without a home folder.

Every package may import this module, so it imports none of them.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path


def home() -> Path | None:
    """Return the user's home folder; None if the system knows none.

    A user id without an entry has none unless ``$HOME`` is set: containers run such users.
    """
    try:
        return Path.home()
    except RuntimeError:
        return None


def cache_folder(application: str) -> Path:
    """Return an application's folder in the user's cache, which need not exist.

    Without a cache that can be written to, the folder is temporary, see :func:`temporary_folder`.
    """
    base = _cache()
    if base is not None and is_writable(base / application):
        return base / application
    return temporary_folder() / application


def _cache() -> Path | None:
    """Return the folder in which the system keeps a user's caches."""
    folder, local = home(), os.environ.get("LOCALAPPDATA")
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given)
    if sys.platform == "win32" and local:
        return Path(local)
    if folder is None:
        return None
    return folder / "Library" / "Caches" if sys.platform == "darwin" else folder / ".cache"


def is_writable(folder: Path) -> bool:
    """Whether a folder is writable, or can be created in the nearest existing one."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def temporary_is_used() -> bool:
    """Whether anything of this process is in :func:`temporary_folder`."""
    return temporary_folder.cache_info().currsize > 0


def is_temporary(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is in :func:`temporary_folder`."""
    parents = (Path(folder), *Path(folder).parents)
    return temporary_is_used() and temporary_folder() in parents


@cache
def temporary_folder() -> Path:
    """Return a folder for temporary files that only this user can write to, the same each time.

    Compiled kernels are code: a folder that other users may write to is never used. Where the
    usual name is taken by one, the folder is new and removed when the process ends.

    Raises
    ------
    OSError
        If no folder for temporary files can be written to.
    """
    if not hasattr(os, "geteuid"):  # Windows, where each user has a folder for temporary files
        folder = Path(tempfile.gettempdir()) / "fastmlp"
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(tempfile.gettempdir()) / f"fastmlp-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if is_ours and not found.st_mode & 0o077:
            return folder
    except FileExistsError:
        pass  # it is no folder
    folder = Path(tempfile.mkdtemp(prefix="fastmlp-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
