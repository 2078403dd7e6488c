"""Compiled kernels on disk: each version of the sources reads and writes files of its own.

Numba invalidates a cached function when *its own* file changes, not when a helper in another file
does, and kernels call each other across files. It also compares versions only when it has unpickled
an index, whose types an older version may not have. So files have a hash of all sources in their
names.
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

# Of other versions: a user may go back and forth between two without compiling each time, and who
# changes kernels all day does not fill the disk.
_KEPT = 3
_KERNELS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class _AnyName:
    """Names a folder also for sources whose path the locale's encoding does not have."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        folder = os.path.dirname(os.path.abspath(py_file))
        if folder.startswith(_KERNELS + os.sep):
            folder = _KERNELS  # one cache folder for all kernels
        return f"{os.path.basename(folder)}_{hashlib.sha1(os.fsencode(folder)).hexdigest()}"


class _UserProvided(_AnyName, UserProvidedCacheLocator):
    """Where ``$NUMBA_CACHE_DIR`` says."""


class _UserWide(_AnyName, UserWideCacheLocator):
    """In the user's cache, unless there is no home folder: Numba would make a folder ``~``."""

    def ensure_cache_path(self) -> None:
        if not os.path.isabs(self.get_cache_path()):
            raise OSError("a cache needs an absolute path")
        super().ensure_cache_path()


class _Temporary(_AnyName, UserWideCacheLocator):
    """In a temporary folder of this user alone, where no other place can be written to."""

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
    """Numba's cache of a function, which is kept in more places than Numba's own.

    Raises
    ------
    RuntimeError
        If none of them can be written to.
    """

    _impl_class = _Places


class KernelFiles(IndexDataCacheFile):
    """The index and the code of one kernel.

    Parameters
    ----------
    folder, name : str
        Where Numba would put them, and what it would call them: ``dense.forward-40.py311``.
    version : str
        A hash of the sources.
    """

    def __init__(self, folder: str, name: str, version: str):
        short = hashlib.sha256(version.encode()).hexdigest()[:12]
        super().__init__(folder, f"{name}-{short}", version)
        kernel, rest = name.rsplit("-", 1)
        python = rest.split(".", 1)[1]
        # Whatever its line was, and also as Numba itself would name them.
        self._any_version = f"{kernel}-*.{python}*.nbi"

    def _data_name(self, number: int) -> str:
        # Two processes that compile for different types at the same time would choose one number,
        # and one of them would leave its code under the other's types.
        return str(super()._data_name(uuid.uuid4().int))

    def _save_index(self, overloads: dict[Any, str]) -> None:
        super()._save_index(overloads)
        try:
            self._remove_oldest()
        except OSError:
            return  # another process does the same

    def _remove_oldest(self) -> None:
        folder = Path(self._cache_path)
        others = [path for path in folder.glob(self._any_version) if path.name != self._index_name]
        for index in sorted(others, key=lambda path: -path.stat().st_mtime)[_KEPT:]:
            index.unlink(missing_ok=True)
            for code in folder.glob(f"{index.stem}.*.nbc"):
                code.unlink(missing_ok=True)
