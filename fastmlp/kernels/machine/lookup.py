"""Where the code of a kernel comes from: compiled for this CPU before, shipped, or compiled now."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import NullCache, _Cache

from .claims import Claims
from .disk import KernelCache, KernelFiles
from .levels import levels_here
from .shipped import FOLDER, SUFFIX, Compiled, ShippedKernels, Unfit, reduced

# Keys of ``used`` beside the names of levels.
FROM_DISK, COMPILED = "disk", "compiled"

_KERNELS = f"{__name__.rpartition('.machine.')[0]}."

# How many kernels of this process came from where.
used: Counter[str] = Counter()


class _State:
    for_host = False  # whether shipped kernels are left out
    has_warned = False
    recorded: list[Compiled] | None = None
    claims: Claims | None = None  # shared with a process that compiles other kernels


class KernelCode(_Cache):
    """The cache of a kernel, in the place of Numba's own.

    Parameters
    ----------
    function : function
        The kernel in Python.
    sources : str
        A hash of the sources of all kernels.
    """

    def __init__(self, function: Any, sources: str):
        self.name, self._sources = f"{function.__module__}.{function.__qualname__}", sources
        self._own: Any = NullCache()
        try:
            self._own = KernelCache(function)
        except RuntimeError:
            return  # no folder is writable: what is not shipped is compiled every time
        own = self._own
        own._cache_file = KernelFiles(own.cache_path, own._impl.filename_base, sources)

    @property
    def cache_path(self) -> str | None:
        """The folder of kernels compiled on this machine; None if no folder is writable."""
        return self._own.cache_path

    @property
    def is_shipped(self) -> bool:
        """Whether kernels are shipped for this CPU, so that usually none is compiled."""
        return bool(self._shipped())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kernel for these types, from disk or shipped; None if it must be compiled."""
        found = self._from_disk(sig, target_context)
        if found is not None:
            return found
        for file in list(files := self._shipped()):
            try:
                found = file.load(self.name, sig, target_context)
            except Unfit as error:
                _ignore(file, files, error)
                continue
            if found is not None:
                used[file.level] += 1
                return found
        claims = _State.claims
        if claims is None or claims.take(self.name, sig):
            return None
        claims.wait(self.name, sig)
        return self._from_disk(sig, target_context)

    def _from_disk(self, sig: Any, target_context: Any) -> Any:
        found = self._own.load_overload(sig, target_context)
        if found is not None:
            used[FROM_DISK] += 1
            self._record(sig, found)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store a kernel that was compiled."""
        used[COMPILED] += 1
        self._own.save_overload(sig, data)
        self._record(sig, data)

    def _record(self, signature: Any, compiled: Any) -> None:
        if _State.recorded is not None:
            _State.recorded.append(Compiled(self.name, signature, reduced(compiled)))

    def signatures(self, codegen: Any) -> set[Any]:
        """Return the types for which the kernel need not be compiled on this CPU."""
        found: set[Any] = set()
        if not isinstance(self._own, NullCache):
            for key in self._own._cache_file._load_index():
                if key == self._own._index_key(key[0], codegen):
                    found.add(key[0])
        for file in list(files := self._shipped()):
            try:
                found.update(file.signatures(self.name))
            except Unfit as error:
                _ignore(file, files, error)
        return found

    def _shipped(self) -> list[ShippedKernels]:
        """Return the usable files of shipped kernels, that of the highest level first."""
        is_ours = self.name.startswith(_KERNELS)
        return _files(self._sources) if is_ours and not _State.for_host else []

    def enable(self) -> None:
        """Store and load kernels on this machine."""
        self._own.enable()

    def disable(self) -> None:
        """Neither store nor load kernels on this machine."""
        self._own.disable()

    def flush(self) -> None:
        """Forget the kernels that were compiled on this machine."""
        self._own.flush()


@contextmanager
def for_host() -> Iterator[None]:
    """Compile what is not on disk for this CPU, also if it is shipped for its level."""
    before, _State.for_host = _State.for_host, True
    try:
        yield
    finally:
        _State.for_host = before


@contextmanager
def recording() -> Iterator[list[Compiled]]:
    """Record the kernels that are compiled or on disk for this CPU, to ship them."""
    recorded: list[Compiled] = []
    _State.recorded = recorded
    try:
        with for_host():
            yield recorded
    finally:
        _State.recorded = None


@contextmanager
def sharing(claims: Claims) -> Iterator[None]:
    """Compile only what another process has not claimed; wait for what it has."""
    _State.claims = claims
    try:
        yield
    finally:
        _State.claims = None


@cache
def _files(sources: str) -> list[ShippedKernels]:
    found = []
    for level in levels_here():
        path = FOLDER / f"{level.name}{SUFFIX}"
        try:
            found.append(ShippedKernels(path, level.name, sources))
        except FileNotFoundError:
            continue
        except (OSError, Unfit) as error:
            _warn(path, error)
    return found


def _ignore(file: ShippedKernels, files: list[ShippedKernels], error: Unfit) -> None:
    """Load nothing more from a damaged file."""
    files.remove(file)
    _warn(file.path, error)


def _warn(path: Path, error: Exception) -> None:
    """Report the first file that is ignored: the others were made with it."""
    if _State.has_warned:
        return
    _State.has_warned = True
    warnings.warn(
        f"the compiled kernels in {path} are ignored: {error}; what is missing is compiled, once. "
        "Install this version of fastmlp again, with the Numba that it then has, to avoid this",
        stacklevel=2,
    )
