"""Compiling ahead of time, with progress."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..training.kernel_folder import kept_in
from ..training.warm_up import warm_up
from .running import print_line


def print_warm_up(dtypes: Sequence[str], threads: int | None, quiet: bool) -> None:
    """Compile every kernel; print the time of each group and the folder."""
    if not quiet:
        numbers = " and ".join(dtypes)
        print_line(
            f"compiling all kernels for {numbers} for this CPU, or loading those on disk ..."
        )
    started = time.perf_counter()
    for done in warm_up(dtypes, threads):
        print(f"{done.dtype:<10} {done.what:<32} {done.seconds:>7.2f} s", flush=True)
    print(f"{'all':<43} {time.perf_counter() - started:>7.2f} s")
    print(_kept_text(kept_in()))


def _kept_text(folder: str | None) -> str:
    if folder is None:
        return (
            "kernels are not kept, because no folder is writable: every run compiles them again; "
            "set NUMBA_CACHE_DIR to a writable folder"
        )
    return f"kept in {folder}"
