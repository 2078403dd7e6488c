"""The instruction sets for which kernels are shipped, and those that this machine has."""

from __future__ import annotations

import os
import platform
from typing import NamedTuple

from .host import canonical, cpu_features

# The environment variable that limits which shipped kernels may be used.
VARIABLE = "FASTMLP_KERNELS"
# Its value for kernels that are compiled for this CPU.
HOST = "host"

_V3 = (
    *("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3"),  # x86-64-v2
    *("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"),
)
_V4 = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")


class Level(NamedTuple):
    """An instruction set.

    Attributes
    ----------
    name : str
    machine : str
        Its canonical name, such as ``x86_64``.
    cpu : str
        LLVM's name of a CPU with exactly these instructions.
    features : tuple of str
        LLVM's names of the features that a CPU must have.
    tuning : tuple of str
        What code for this level does not do as LLVM's CPU would.
    """

    name: str
    machine: str
    cpu: str
    features: tuple[str, ...]
    tuning: tuple[str, ...] = ()

    def variables(self) -> dict[str, str]:
        """Return the environment variables with which Numba compiles for this level."""
        features = [*(f"+{name}" for name in self.features), *self.tuning]
        return {"NUMBA_CPU_NAME": self.cpu, "NUMBA_CPU_FEATURES": ",".join(features)}


# From the lowest to the highest of each machine.
LEVELS = (
    Level("x86-64-v3", "x86_64", "x86-64-v3", _V3),
    # LLVM's CPU of this level avoids vectors of 64 bytes, as the first CPUs with AVX-512 did.
    Level("x86-64-v4", "x86_64", "x86-64-v4", _V4, ("-prefer-256-bit",)),
    # Every ARMv8 CPU has NEON: LLVM cannot list the features of all of them.
    Level("armv8", "aarch64", "generic", (), ("+neon", "+fp-armv8")),
)


def levels_of(machine: str) -> tuple[Level, ...]:
    """Return the levels of a machine, the lowest first; none if no kernels are shipped for it."""
    return tuple(level for level in LEVELS if level.machine == canonical(machine))


def usable_levels(machine: str, features: set[str], limit: str = "") -> tuple[Level, ...]:
    """Return the levels that a CPU has, the highest first.

    Parameters
    ----------
    machine : str
    features : set of str
        LLVM's names of what the CPU has.
    limit : str, default ""
        The highest level to use; ``host`` for none.

    Raises
    ------
    ValueError
        If ``limit`` is no level of this machine.
    """
    levels = levels_of(machine)
    names = [level.name for level in levels]
    if limit and limit not in (HOST, *names):
        raise ValueError(
            f"{VARIABLE} must be one of {', '.join((HOST, *names))}, got {limit!r:.80}; correct or "
            "unset it"
        )
    if limit:
        levels = levels[: 0 if limit == HOST else names.index(limit) + 1]
    return tuple(level for level in reversed(levels) if features.issuperset(level.features))


def levels_here() -> tuple[Level, ...]:
    """Return the levels whose kernels this process may use, the highest first.

    Raises
    ------
    ValueError
        If ``$FASTMLP_KERNELS`` is invalid.
    """
    return usable_levels(platform.machine(), cpu_features(), os.environ.get(VARIABLE, ""))
