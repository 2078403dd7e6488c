"""What this machine is, and the name under which its results are kept. Never the host's name."""

from __future__ import annotations

import json
import os
import platform
import re
from pathlib import Path

AVX512 = "avx512"


def default_name() -> str:
    """Return the kind of CPU and the number of cores, such as zen3-2cores or zen4-2cores-avx512.

    A name without avx512 says that the CPU, or the virtual machine, does not offer it.
    """
    from fastmlp.base.cpus import usable_cpus

    kind, features = _processor()
    return name_of(kind, features, usable_cpus())


def name_of(kind: str, features: set[str], cores: int) -> str:
    """Return a machine's name from LLVM's name of the CPU, its features and its cores."""
    kind = re.sub(r"^znver(?=\d)", "zen", kind)
    kind = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") or "cpu"
    parts = [kind, f"{cores}core" + "s" * (cores != 1)]
    if "avx512f" in features and AVX512 not in kind:
        parts.append(AVX512)
    return "-".join(parts)


def _processor() -> tuple[str, set[str]]:
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return binding.get_host_cpu_name(), {name for name, there in features.items() if there}


def introduce(machine: str, home: Path | None = None) -> None:
    """Make the name known to asv, which keeps names of machines in a file in the home folder.

    asv's own command uses the host's name, which must not be in a public repository.
    """
    path = (home or Path.home()) / ".asv-machine.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"version": 1}
    if machine not in known:
        known[machine] = {
            "machine": machine,
            "os": platform.system(),
            "arch": platform.machine(),
            "cpu": _cpu(),
            "num_cpu": str(os.cpu_count()),
            "ram": "",
        }
        path.write_text(json.dumps(known, indent=4, sort_keys=True) + "\n", encoding="utf-8")


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor()
