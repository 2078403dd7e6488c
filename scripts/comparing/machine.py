"""The machine of a comparison."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from fastmlp.base.cpus import usable_cpus


def machine_facts() -> dict[str, Any]:
    """Return Python's version, the system, the processor and the number of cores."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpu": cpu_model(),
        "cpus": usable_cpus(),
    }


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor and, if known, its widest vector instructions."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    # Reversed, so that the lines of the first processor win.
    known = {}
    for line in reversed(lines):
        key, _, value = line.partition(":")
        known[key.strip()] = value.strip()
    flags = known.get("flags", "").split()
    widest = next((name for name in ("avx512f", "avx2", "avx") if name in flags), "")
    name = known.get("model name", platform.machine())
    return f"{name}, {widest}" if widest else name
