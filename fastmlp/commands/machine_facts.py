"""Facts of the machine and of what is installed, for reports of issues."""

from __future__ import annotations

import importlib
import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

import numba
from llvmlite import binding

from .._folders import cache_folder
from .._version import __version__
from ..base.cpus import allowed_cpus, quota_cpus, usable_cpus
from ..kernels.machine.levels import VARIABLE as LEVEL_VARIABLE
from ..kernels.machine.levels import levels_here
from ..kernels.machine.shipped import FOLDER, SUFFIX
from ..training.kernel_folder import kept_in
from .machine import VARIABLE as THREADS_VARIABLE

Facts = dict[str, dict[str, Any]]

# Numba's modules for each of its threading layers.
_LAYERS = {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}
_VARIABLES = (
    THREADS_VARIABLE, "NUMBA_THREADING_LAYER", "NUMBA_CPU_NAME", "NUMBA_CACHE_DIR", LEVEL_VARIABLE,
    "FASTMLP_DATA", "FASTMLP_DEBUG_MEMORY", "OMP_NUM_THREADS",
)  # fmt: skip


def machine_facts() -> Facts:
    """Return facts by heading and name; no name of a host or a user besides those of folders."""
    quota = quota_cpus()
    return {
        "versions": {
            "fastmlp": __version__,
            "python": f"{platform.python_version()} ({platform.python_implementation()})",
            **dict(_versions()),
        },
        "machine": {
            "system": platform.platform(),
            "cpu": binding.get_host_cpu_name(),
            "kernels for": ", ".join(level.name for level in levels_here()) or "this CPU alone",
            "shipped": ", ".join(sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))) or "none",
        },
        "threads": {
            "cpus": allowed_cpus(),
            "quota": None if quota == float("inf") else quota,
            "used by default": min(usable_cpus(), numba.config.NUMBA_NUM_THREADS),
            "threading layer": _threading_layer(),
        },
        "folders": {"kernels": kept_in(), "data": os.fspath(cache_folder("fastmlp"))},
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }


def fact_lines(facts: Facts) -> list[str]:
    """Return the facts as text, a line each."""
    lines: list[str] = []
    for heading, rows in facts.items():
        lines += [heading] if rows else []
        lines += [f"  {name:<18} {'none' if v is None else v}" for name, v in rows.items()]
    return lines


def _versions() -> Iterator[tuple[str, str]]:
    """Yield the installed packages that fastmlp requires or can use, with their versions."""
    try:
        texts = [text for text in requires("fastmlp") or () if "dev" not in text.split()[-1]]
        names = {re.split(r"[^\w.-]", text)[0] for text in texts}
    except PackageNotFoundError:  # a clone that is not installed
        names = {"numpy", "numba", "scikit-learn"}
    for name in sorted(names | {"llvmlite", "pandas", "pyarrow", "scipy"}):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _threading_layer() -> str | None:
    """Return the layer that Numba will use; None if none can be loaded."""
    wanted = numba.config.THREADING_LAYER
    order = [wanted] if wanted in _LAYERS else numba.config.THREADING_LAYER_PRIORITY
    for layer in order:
        try:
            importlib.import_module(f"numba.np.ufunc.{_LAYERS[layer]}")
        except ImportError:
            continue
        return str(layer)
    return None
