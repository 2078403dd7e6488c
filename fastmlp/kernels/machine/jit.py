"""How every kernel is compiled, and when compiled code on disk is valid."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import config, njit
from numba.core.compiler import Compiler

from .assertions import CHECKED
from .linking import PartCompiler, WholeCompiler
from .lookup import KernelCode
from .stored import fields_of

if config.DISABLE_JIT:
    raise ImportError(
        "kernels need Numba's compiler, which NUMBA_DISABLE_JIT turns off; unset it before Python "
        "starts"
    )


def hash_sources(folder: Path) -> str:
    """Return a SHA-256 over the names and contents of all Python files under ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# Code with assertions and code without never replace each other.
SOURCES_HASH = hash_sources(Path(__file__).parents[1]) + ("-checked" if CHECKED else "")


def kernel(
    function: Callable[..., Any] | None = None,
    *,
    parallel: bool = False,
    inline: bool = False,
    cached: bool = False,
    worker: tuple[Any, ...] | None = None,
) -> Any:
    """Compile ``function`` as a kernel: no GIL, no exceptions, IEEE NaN and infinity kept.

    Parameters
    ----------
    parallel : bool
        Whether it holds a prange loop.
    inline : bool
        Inline it before types are inferred: for short bodies, and for functions that return a copy
        of a record in memory. Of long ones the caller is analysed again and again; LLVM inlines
        them as well.
    cached : bool
        Load compiled code, or compile and keep it on disk. For kernels called from Python or by
        address. The others are part of these and cannot be called from Python: without their
        wrappers, the general step and an evaluation compile in 15 s instead of 17 s.
    worker : tuple of type, optional
        For kernels ``(member, team, sync, ...)`` that a launch runs on a team (launch.py): what the
        arguments after ``sync`` are, as in records.py.
    """
    if function is None:
        return lambda f: kernel(f, parallel=parallel, inline=inline, cached=cached, worker=worker)
    if worker is not None:
        return _worker(function, worker)
    dispatcher = njit(
        function,
        parallel=parallel,
        inline="always" if inline else "never",
        nogil=True,
        _nrt=parallel,  # without it nothing is allocated and no references are counted
        # Kernels have the same bits on every CPU. With contract, x86 and ARM fuse other
        # multiplications with additions (``fma`` says which); with reassoc they add in the order of
        # their vectors; nnan and ninf would hide divergence.
        fastmath=False,
        error_model="numpy",
        boundscheck=CHECKED and not parallel,
        no_cpython_wrapper=not cached,
        no_cfunc_wrapper=not cached,
        pipeline_class=Compiler if parallel else WholeCompiler if cached else PartCompiler,
    )
    if not cached:
        return _closed_to_python(dispatcher)
    dispatcher._cache = KernelCode(dispatcher.py_func, SOURCES_HASH)
    return dispatcher


def _worker(function: Callable[..., Any], takes: tuple[Any, ...]) -> Any:
    """Return the kernel ``(member, team, call)``; ``call`` is a record of the other arguments."""
    inner = kernel(function)

    def enter(member, team, call):
        inner(member, team, *fields_of(call))

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(enter, name, getattr(function, name))
    dispatcher = kernel(enter, cached=True)
    dispatcher._cache, dispatcher.takes = KernelCode(function, SOURCES_HASH), takes
    return dispatcher


def _closed_to_python(dispatcher: Any) -> Any:
    """Make calls from Python an error: they have no wrapper."""

    def add_overload(compiled: Any) -> None:
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise TypeError(
            f"kernel {dispatcher.__name__} is for compiled callers only; to call it from Python, "
            "compile it with kernel(cached=True)"
        )

    dispatcher.add_overload, dispatcher._compile_for_args = add_overload, refuse
    return dispatcher


def signatures_compiled(dispatcher: Any) -> set[tuple[Any, ...]]:
    """Return the types for which a kernel's code is in memory, on disk for this CPU, or shipped."""
    codegen = dispatcher.targetctx.codegen()
    return set(dispatcher.overloads) | dispatcher._cache.signatures(codegen)
