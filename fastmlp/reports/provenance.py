"""Where results come from: version, date, command, seed, data and machine.

Only on pages: result files have the same bytes on every machine and day.
"""

from __future__ import annotations

import platform
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from .._version import __version__
from ..base.command import command_text
from ..base.cpus import cpu_name, usable_cpus
from ..training.result import TrainResult

_LIBRARIES = ("numba", "numpy")


def run_provenance(result: TrainResult, fingerprint: str) -> list[tuple[str, str]]:
    """Return the provenance of a run as names and values.

    Parameters
    ----------
    result : TrainResult
    fingerprint : str
        Of the data.
    """
    threads = f"at most {result.plan.threads}"
    data = [(result.data["name"], fingerprint)]
    return provenance([result.config.seed], data, threads)


def provenance(
    seeds: list[int], data: list[tuple[str, str]], threads: str
) -> list[tuple[str, str]]:
    """Return names and values of the provenance of results that are written now.

    Parameters
    ----------
    seeds : list of int
        Ascending.
    data : list of (str, str)
        Names and fingerprints.
    threads : str
    """
    libraries = [f"{name} {found}" for name in _LIBRARIES if (found := _version(name))]
    software = [f"fastmlp {__version__}", f"Python {platform.python_version()}", *libraries]
    machine = [
        cpu_name(),
        f"{usable_cpus()} usable CPU(s)",
        f"{platform.system()} {platform.machine()}",
    ]
    return [
        ("version", ", ".join(software)),
        ("date", datetime.now().astimezone().isoformat(" ", "seconds")),
        ("command", command_text() or "called from Python"),
        ("seed" if len(seeds) == 1 else "seeds", _ranges(seeds)),
        *(("data", f"{name}, fingerprint {text}") for name, text in data),
        ("machine", ", ".join(filter(None, machine))),
        ("threads", threads),
    ]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _ranges(seeds: list[int]) -> str:
    """Return numbers as text, consecutive ones as a range, such as 0-4, 7."""
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
