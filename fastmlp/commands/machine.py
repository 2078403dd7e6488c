"""The number of threads, set before Numba is imported, and notes on limits of the machine."""

from __future__ import annotations

import importlib
import os
import sys

from .._folders import temporary_is_used
from ..base.cpus import allowed_cpus, quota_cpus, usable_cpus
from ..base.errors import ConfigError
from .running import print_line

VARIABLE = "NUMBA_NUM_THREADS"
# More than any machine has; with a hundred thousand, OpenMP ends the process.
MOST_THREADS = 4096


def set_threads(threads: int | None) -> None:
    """Set the environment variable that Numba reads.

    Parameters
    ----------
    threads : int or None
        None: ``$NUMBA_NUM_THREADS`` if it is set, else all usable CPUs.

    Raises
    ------
    ConfigError
        For less than one thread, or more than any machine has; for an unknown level in
        ``$FASTMLP_KERNELS``; if ``$NUMBA_DISABLE_JIT`` is set.
    """
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        rule = "at least 1" if threads < 1 else f"at most {MOST_THREADS}"
        raise ConfigError(f"--threads must be {rule}, got {threads}")
    given = os.environ.get(VARIABLE)
    if threads is None and given is not None and not _is_number_of_threads(given):
        raise ConfigError(
            f"{VARIABLE} must be a whole number from 1 to {MOST_THREADS}, got {given!r:.80}; "
            "correct or unset it"
        )
    if "numba" not in sys.modules:
        if threads is not None:
            os.environ[VARIABLE] = str(threads)
        else:
            os.environ.setdefault(VARIABLE, str(usable_cpus()))
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        raise ConfigError(
            "NUMBA_DISABLE_JIT turns off the compiler, which the kernels need; unset it"
        )
    _check_level()


def _check_level() -> None:
    """Raise ConfigError if ``$FASTMLP_KERNELS`` is invalid; the import is slow."""
    if os.environ.get("FASTMLP_KERNELS"):
        from ..kernels.machine.levels import levels_here

        try:
            levels_here()
        except ValueError as error:
            raise ConfigError(str(error)) from None


def _is_number_of_threads(text: str) -> bool:
    return text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MOST_THREADS


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
            f"the container may use {quota_cpus():g} of {allowed_cpus()} CPUs: the number of "
            "threads is this quota, rounded down, at least one"
        )
    if threads > 1 and not _has_openmp():
        lines.append(
            "OpenMP cannot be loaded: Numba's own threads are used, with the same bits; they "
            "take longer to start"
        )
    return lines


def kernel_lines() -> list[str]:
    """Return a line that says where the kernels came from that this process has used so far."""
    from ..kernels.machine.lookup import COMPILED, FROM_DISK, used

    texts = {
        FROM_DISK: "compiled for this CPU before",
        COMPILED: "compiled for this CPU now",
    }
    levels = [source for source in used if source not in texts]
    parts = [
        f"{used[source]} {texts.get(source, f'shipped for {source}')}"
        for source in (*levels, *texts)
        if used[source]
    ]
    return [f"kernels: {', '.join(parts)}"] if parts else []


def print_temporary_note() -> None:
    """Print the folder of compiled kernels if it is temporary."""
    # Checked first, because the import below is slow.
    if temporary_is_used():
        from ..training.kernel_folder import temporary_note

        if (note := temporary_note()) is not None:
            print_line(note)


def _has_openmp() -> bool:
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:
        return False
    return True
