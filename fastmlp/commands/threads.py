"""The number of threads of Numba, set before it is imported."""

from __future__ import annotations

import os
import sys

from ..base.cpus import usable_cpus
from ..base.errors import ConfigError

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
        For less than one thread, or more than any machine has.
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
    if "numba" in sys.modules:
        return
    if threads is not None:
        os.environ[VARIABLE] = str(threads)
    else:
        os.environ.setdefault(VARIABLE, str(usable_cpus()))


def _is_number_of_threads(text: str) -> bool:
    return text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MOST_THREADS
