"""How every kernel is compiled, and when the compiled code on disk may be used again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from .assertions import CHECKED
from .disk import KernelCache, KernelFiles

# Never nnan or ninf: divergence has to stay visible.
FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}


def hash_sources(folder: Path) -> str:
    """Return a SHA-256 over the names and contents of all Python files under ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# Code with and without assertions never stands in for the other.
SOURCES_HASH = hash_sources(Path(__file__).parents[1]) + ("-checked" if CHECKED else "")


def kernel(
    function: Callable[..., Any] | None = None,
    *,
    parallel: bool = False,
    inline: bool = False,
    cached: bool = False,
) -> Any:
    """Compile ``function`` as a kernel: no GIL, no exceptions, IEEE NaN and infinity kept.

    Parameters
    ----------
    parallel : bool
        Whether it holds a prange loop.
    inline : bool
        Merge it into its callers before types are inferred. LLVM optimises a function once more at
        each level of calls above it; merging the middle levels compiles the general step in 13 s
        where it took 22 s. For functions with one caller or a short body.
    cached : bool
        Keep the compiled code on disk. For what is called by Python or by its address; the rest is
        contained in it, and cannot be called from Python: without the wrappers for that, the
        general step and an evaluation compile in 15 s instead of 17 s.
    """
    if function is None:
        return lambda f: kernel(f, parallel=parallel, inline=inline, cached=cached)
    dispatcher = njit(
        function,
        parallel=parallel,
        inline="always" if inline else "never",
        nogil=True,
        _nrt=parallel,  # else nothing is allocated, and no references are counted
        fastmath=FASTMATH,
        error_model="numpy",
        boundscheck=CHECKED and not parallel,
        no_cpython_wrapper=not cached,
        no_cfunc_wrapper=not cached,
    )
    if not cached:
        return _closed_to_python(dispatcher)
    try:
        dispatcher._cache = KernelCache(dispatcher.py_func)
    except RuntimeError:
        return dispatcher  # no folder can be written to: compile in memory, every time
    keep_on_disk(dispatcher, SOURCES_HASH)
    return dispatcher


def keep_on_disk(dispatcher: Any, version: str) -> None:
    """Keep a kernel's code in files that only this version of its sources reads."""
    cache = dispatcher._cache
    cache._cache_file = KernelFiles(cache.cache_path, cache._impl.filename_base, version)


def _closed_to_python(dispatcher: Any) -> Any:
    """Let calls from Python fail: there is no code for them to run."""

    def add_overload(compiled: Any) -> None:
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise TypeError(
            f"kernel {dispatcher.__name__} is for compiled callers alone; to call it from Python, "
            "compile it with kernel(cached=True)"
        )

    dispatcher.add_overload, dispatcher._compile_for_args = add_overload, refuse
    return dispatcher


def signatures_compiled(dispatcher: Any) -> set[tuple[Any, ...]]:
    """Return the types for which an entry kernel's code is in memory, or on disk for this CPU."""
    found = set(dispatcher.overloads)
    cache = dispatcher._cache
    if hasattr(cache, "_cache_file"):
        codegen = dispatcher.targetctx.codegen()
        for key in cache._cache_file._load_index():
            if key == cache._index_key(key[0], codegen):
                found.add(key[0])
    return found
