"""Compile all kernels for the instruction set that the environment sets, into a file of them.

Run by ``scripts/build_wheel`` with the variables of a level and an empty folder for kernels.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fastmlp.kernels.machine.jit import SOURCES_HASH
from fastmlp.kernels.machine.lookup import recording
from fastmlp.kernels.machine.shipped import write
from fastmlp.training.setting_checks import DTYPES
from fastmlp.training.warm_up import warm_up

# A team needs two, on any number of CPUs.
THREADS = 2


def main(level: str, path: Path, dtypes: Sequence[str]) -> None:
    """Write the kernels of ``level`` to ``path``, with a line for each group on stderr."""
    with recording() as kernels:
        for done in warm_up(dtypes, threads=THREADS):
            print(f"{level:<10} {done.dtype} {done.what:<32} {done.seconds:>7.2f} s",
                  file=sys.stderr, flush=True)  # fmt: skip
    write(path, level, SOURCES_HASH, kernels)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:] or DTYPES)
