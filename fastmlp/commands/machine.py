"""Notes on limits of the machine."""

from __future__ import annotations

import importlib

from .._folders import temporary_is_used
from ..base.cpus import allowed_cpus, quota_cpus
from .running import print_line


def machine_lines(threads: int) -> list[str]:
    """Return notes if threads are fewer, or slower to start, than usual.

    Parameters
    ----------
    threads : int
        Of the run.
    """
    lines = []
    if quota_cpus() < allowed_cpus():
        lines.append(
            f"the container may use {quota_cpus():g} of {allowed_cpus()} CPUs: threads are as many "
            "as fit in, at least one"
        )
    if threads > 1 and not _has_openmp():
        lines.append(
            "OpenMP cannot be loaded: Numba's own threads are used, with the same bits; they "
            "take longer to start"
        )
    return lines


def print_temporary_note() -> None:
    """Print the folder of compiled kernels if it is temporary."""
    # Checked first, because the import below is slow.
    if temporary_is_used():
        from ..training.warm_up import temporary_note

        if (note := temporary_note()) is not None:
            print_line(note)


def _has_openmp() -> bool:
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:
        return False
    return True
