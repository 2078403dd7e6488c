"""Compiled kernels on disk: each version of the sources reads and writes files of its own.

Numba invalidates a cached function when *its own* file changes, not when a helper in another file
does, and kernels call each other across files. It also compares versions only when it has unpickled
an index, whose types an older version may not have. So files have a hash of all sources in their
names.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

# Of other versions: a user may go back and forth between two without compiling each time, and who
# changes kernels all day does not fill the disk.
_KEPT = 3


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
