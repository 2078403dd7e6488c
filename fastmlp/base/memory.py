"""How much memory this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

from .cpus import CGROUP


def usable_memory(cgroup: Path = CGROUP) -> float:
    """Return the machine's memory in bytes, or the container's; infinity where it is unknown."""
    old = cgroup / "memory" / "memory.limit_in_bytes"
    return min(_physical(), _limit(cgroup / "memory.max"), _limit(old))


def _physical() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # not on Windows
        return math.inf


def _limit(path: Path) -> float:
    try:
        return float(int(path.read_text(encoding="ascii")))
    except (OSError, ValueError):  # "max"
        return math.inf
