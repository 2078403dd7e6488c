"""How many CPUs this process may use: affinity mask and container quota, whichever is less."""

from __future__ import annotations

import math
import os
import platform
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
CPU_INFO = Path("/proc/cpuinfo")  # of Linux


def quota_cpus(cgroup: Path = CGROUP) -> float:
    """Return the container's CPU quota in CPUs (infinity where there is none)."""
    try:
        quota, period = _text(cgroup, "cpu.max").split()
        return float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):
        pass
    try:
        quota_us = int(_text(cgroup, "cpu", "cpu.cfs_quota_us"))
        period_us = int(_text(cgroup, "cpu", "cpu.cfs_period_us"))
    except (OSError, ValueError):
        return math.inf
    return quota_us / period_us if quota_us > 0 and period_us > 0 else math.inf


def _text(*path: str | Path) -> str:
    """Return the text of a file; every fit reads some, and ``Path.read_text`` takes 40 us."""
    with open(os.path.join(*path), "rb", buffering=0) as file:
        return file.read().decode("ascii")


def allowed_cpus() -> int:
    """Return the number of CPUs on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """Return the name of the CPU's model; empty where the system does not tell it."""
    with suppress(OSError):
        for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() == "model name":
                return value.strip()
    return platform.processor()


def usable_cpus() -> int:
    """Return the number of CPUs this process may keep busy, at least 1.

    The scheduler's affinity mask says which CPUs may be used; a container quota says for how much
    of the time. Starting more threads than either only makes them wait for each other.
    """
    return max(1, int(min(allowed_cpus(), quota_cpus())))
