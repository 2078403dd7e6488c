"""What every command line does around its work: threads, warnings, errors and exit codes."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

from ..base.cpus import usable_cpus
from ..base.errors import ConfigError, FastMLPError
from .options import print_line

INTERRUPTED = 130


def set_threads(threads: int | None) -> None:
    """Tell Numba, before it is imported, how many threads to start.

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
    if "numba" in sys.modules:
        return
    if threads is not None:
        os.environ["NUMBA_NUM_THREADS"] = str(threads)
    else:
        os.environ.setdefault("NUMBA_NUM_THREADS", str(usable_cpus()))


def run_command(work: Callable[[], int]) -> int:
    """Return the exit code of ``work``; errors raised on purpose become one line on stderr."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            return work()
        except FastMLPError as error:
            print_line(f"error: {error}")
            return error.exit_code
        except KeyboardInterrupt:
            print_line("interrupted")
            return INTERRUPTED
        except BrokenPipeError:
            # Whoever read stdout has gone; Python must not try to flush it once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except (OSError, MemoryError) as error:
            print_line(f"error: {str(error) or 'out of memory'}")
            return 1


def peak_rss_mb() -> float | None:
    """Return the largest resident memory of this process so far, in MB; None where unknown."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _show_warning(message: Warning | str, *_: Any) -> None:
    print_line(f"warning: {message}")
