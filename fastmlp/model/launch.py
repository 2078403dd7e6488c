"""Starting kernels: on how many threads, and one parallel region at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from numbers import Integral
from typing import Any

import numba

from ..base.cpus import usable_cpus
from ..base.errors import ConfigError
from ..kernels.machine.launch import call_of, run_team
from ..kernels.machine.team import new_sync
from .guards import guarded

# Multiply-adds below which a team takes longer than one thread.
WORTH_A_TEAM = 2e7

# Numba's workqueue layer ends the process if two Python threads enter it, and its OpenMP layer if
# it was started before a fork. A launch that cannot use threads runs on one, with the same bits.
_one_region = threading.Lock()
_is_forked = False
_fork = threading.local()


def _before_fork() -> None:
    """Wait for the end of the parallel region, at most a slice of an epoch.

    TBB does not survive a fork within a region. With a timeout, because a signal handler may fork
    on the thread that is in the region.
    """
    _fork.has_region = _one_region.acquire(timeout=2.0)


def _after_fork() -> None:
    if _fork.has_region:
        _one_region.release()


def _after_fork_in_child() -> None:
    """Record whether the parent had started threads, by fastmlp or by other code."""
    global _is_forked
    _after_fork()
    with contextlib.suppress(ValueError):  # raised if there are none
        numba.threading_layer()
        _is_forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
    )


def check_threads(threads: int | None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    threads : int or None
        None: all CPUs that this process may use.

    Raises
    ------
    ConfigError
        If it is not an integer, below 1, or above the number with which Numba was started.
    """
    most = int(numba.config.NUMBA_NUM_THREADS)
    if threads is None:
        return min(usable_cpus(), most)
    if not isinstance(threads, Integral):
        raise ConfigError(f"threads must be an integer, got {threads!r:.80}; None means all CPUs")
    if threads < 1:
        raise ConfigError(f"threads must be at least 1, got {threads}")
    if threads > most:
        raise ConfigError(
            f"threads must be at most {most}, with which Numba was started, got {threads}; set the "
            f"environment variable NUMBA_NUM_THREADS={threads} before Python starts"
        )
    return int(threads)


def launch(worker: Any, threads: int, *arguments: Any) -> None:
    """Run a worker kernel on a team of threads, or on the calling thread.

    Parameters
    ----------
    worker : kernel ``(member, team, sync, *arguments)``
    threads : int
        Maximum number; one if the threading layer cannot start a region now.
    """
    with guarded(arguments) as given:
        _launch(worker, threads, given)


def _launch(worker: Any, threads: int, arguments: tuple[Any, ...]) -> None:
    sync = new_sync()
    call = call_of(worker, sync, arguments)
    if threads > 1 and not _is_forked and _one_region.acquire(blocking=False):
        try:
            run_team(call, threads, sync)
        except ValueError as error:  # from Numba, if the layer cannot be loaded
            reason = str(error).strip().splitlines()[0]
            raise ConfigError(
                f"the threads cannot be started: {reason} Unset NUMBA_THREADING_LAYER, or use one "
                "thread"
            ) from None
        finally:
            _one_region.release()
    else:
        call.run()
