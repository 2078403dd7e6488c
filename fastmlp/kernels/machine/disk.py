"""Compiled kernels on disk: each version of the sources reads and writes its own files.

Numba invalidates a cached function when its own file changes, but not when a helper in another file
does, and kernels call each other across files. Numba also unpickles an index before it compares
versions, and an older version may not have its types. So file names contain a hash of all sources.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any

from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)

# Other versions whose code is kept: a user can switch between two without compiling each time, and
# frequent changes of kernels do not fill the disk.
_KEPT = 3
_KERNELS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class _AnyName:
    """Names a folder for any source path, including those outside the locale's encoding."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        folder = os.path.dirname(os.path.abspath(py_file))
        if folder.startswith(_KERNELS + os.sep):
            folder = _KERNELS  # one cache folder for all kernels
        return f"{os.path.basename(folder)}_{hashlib.sha1(os.fsencode(folder)).hexdigest()}"


class _UserProvided(_AnyName, UserProvidedCacheLocator):
    """In ``$NUMBA_CACHE_DIR``."""


class _UserWide(_AnyName, UserWideCacheLocator):
    """In the user's cache; not without a home folder, when Numba would make a folder ``~``."""

    def ensure_cache_path(self) -> None:
        if not os.path.isabs(self.get_cache_path()):
            raise OSError("a cache needs an absolute path")
        super().ensure_cache_path()


class _Temporary(_AnyName, UserWideCacheLocator):
    """In a temporary folder of this user, if no other folder is writable."""

    def __init__(self, py_func: Any, py_file: str):
        self._py_file, self._lineno = py_file, py_func.__code__.co_firstlineno
        self._cache_path = ""

    def get_cache_path(self) -> str:
        return self._cache_path

    def ensure_cache_path(self) -> None:
        from ..._folders import temporary_folder

        folder = temporary_folder() / "numba" / self.get_suitable_cache_subpath(self._py_file)
        self._cache_path = str(folder)
        super().ensure_cache_path()


class _Places(CompileResultCacheImpl):
    _locator_classes = [_UserProvided, InTreeCacheLocator, _UserWide, _Temporary]  # noqa: RUF012


class KernelCache(FunctionCache):
    """Numba's cache of a function, with more folders than Numba's own.

    Raises
    ------
    RuntimeError
        If no folder is writable.
    """

    _impl_class = _Places


class KernelFiles(IndexDataCacheFile):
    """The index and the code of one kernel.

    Parameters
    ----------
    folder, name : str
        Numba's folder and file name, such as ``dense.forward-40.py311``.
    version : str
        A hash of the sources.
    """

    def __init__(self, folder: str, name: str, version: str):
        short = hashlib.sha256(version.encode()).hexdigest()[:12]
        super().__init__(folder, f"{name}-{short}", version)
        kernel, rest = name.rsplit("-", 1)
        python = rest.split(".", 1)[1]
        # With any line number, and with Numba's own names.
        self._any_version = f"{kernel}-*.{python}*.nbi"

    def _data_name(self, number: int) -> str:
        # Two processes that compile for different types at the same time would choose the same
        # number, and one would store its code under the other's types.
        return str(super()._data_name(uuid.uuid4().int))

    def _save_index(self, overloads: dict[Any, str]) -> None:
        super()._save_index(overloads)
        try:
            self._remove_oldest()
        except OSError:
            return  # another process removes the same files

    def _remove_oldest(self) -> None:
        folder = Path(self._cache_path)
        others = [path for path in folder.glob(self._any_version) if path.name != self._index_name]
        for index in sorted(others, key=lambda path: -path.stat().st_mtime)[_KEPT:]:
            index.unlink(missing_ok=True)
            for code in folder.glob(f"{index.stem}.*.nbc"):
                code.unlink(missing_ok=True)
