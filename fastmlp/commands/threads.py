"""How many threads Numba starts with, told to it before it is imported."""

from __future__ import annotations

import os
import sys

from ..base.cpus import usable_cpus
from ..base.errors import ConfigError

VARIABLE = "NUMBA_NUM_THREADS"


def set_threads(threads: int | None) -> None:
    """Set the environment variable by which Numba is told.

    Parameters
    ----------
    threads : int or None
        None: ``$NUMBA_NUM_THREADS`` if it is set, else all usable CPUs.

    Raises
    ------
    ConfigError
        For less than one thread.
    """
    if threads is not None and threads < 1:
        raise ConfigError(f"--threads must be at least 1, got {threads}")
    given = os.environ.get(VARIABLE)
    if threads is None and given is not None and not (given.isdigit() and int(given) > 0):
        raise ConfigError(
            f"{VARIABLE} must be a whole number of at least 1, got {given!r}; correct or unset it"
        )
    if "numba" in sys.modules:
        return
    if threads is not None:
        os.environ[VARIABLE] = str(threads)
    else:
        os.environ.setdefault(VARIABLE, str(usable_cpus()))
