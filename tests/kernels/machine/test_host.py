"""What the CPU can do, from made-up machines, and from Numba's settings."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping

import pytest

from fastmlp.kernels.machine.host import (
    HAS_FMA,
    TILE_ROWS,
    byte_panels,
    has_fma,
    square_bytes,
    tile_rows,
)

on_x86 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="the names are those of x86"
)


@pytest.mark.parametrize(
    ("machine", "features", "rows"),
    [
        ("x86_64", {"sse2"}, 2),
        ("x86_64", {"sse2", "avx"}, 6),
        ("x86_64", {"avx", "avx2", "fma"}, 6),
        ("AMD64", {"avx", "avx2", "fma", "avx512f"}, 16),
        ("x86_64", set(), 2),
        ("aarch64", set(), 6),
        ("arm64", {"neon"}, 6),
        ("ARM64", {"neon"}, 6),
        ("riscv64", set(), 2),
    ],
)
def test_the_tile_fills_the_registers(machine: str, features: set[str], rows: int) -> None:
    assert tile_rows(machine, features) == rows
    # A square fills at most half of the registers: 16 of 32 of 64 bytes, 8 of 16 of 32 bytes.
    assert square_bytes(rows) == (64 if rows == 16 else 32)
    assert byte_panels(rows) == (8 if rows == 16 else 4)


@pytest.mark.parametrize(
    ("machine", "features", "expected"),
    [
        ("x86_64", {"avx"}, False),
        ("x86_64", {"avx2", "fma"}, True),
        ("AMD64", {"avx512f"}, True),
        ("x86_64", {"fma4", "sse2"}, False),
        ("x86_64", set(), False),
        ("aarch64", set(), True),
        ("ARM64", set(), True),
        ("arm64", {"neon"}, True),
    ],
)
def test_whether_multiply_adds_are_fused(machine: str, features: set[str], expected: bool) -> None:
    assert has_fma(machine, features) is expected


def found(**settings: str) -> tuple[int, bool]:
    """The tile and the multiply-add of a process with those settings of Numba."""
    program = "from fastmlp.kernels.machine.host import *; print(TILE_ROWS, HAS_FMA)"
    names: Mapping[str, str] = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX")
    }
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**names, **settings}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows, fused = result.stdout.split()
    return int(rows), fused == "True"


@on_x86
@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ("+sse2", (2, False)),
        ("+sse2,+avx", (6, False)),
        ("+sse2,+avx,+avx2,+fma", (6, True)),
        ("+sse2,+avx,+avx2,+fma,-avx512f", (6, True)),
        ("+sse2,+avx,+avx2,+fma,+avx512f", (16, True)),
        ("-avx,-fma", (2, False)),
    ],
)
def test_numbas_features_decide(features: str, expected: tuple[int, bool]) -> None:
    assert found(NUMBA_CPU_FEATURES=features, NUMBA_CPU_NAME="x86-64") == expected


@on_x86
def test_a_generic_cpu_has_nothing_special() -> None:
    assert found(NUMBA_CPU_NAME="generic") == (2, False)


@on_x86
def test_what_numba_switches_off_is_not_used() -> None:
    # As it does by itself on CPUs whose AVX is slow.
    assert found(NUMBA_ENABLE_AVX="0")[0] == 2


@pytest.mark.skipif(
    any(
        name in os.environ for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX")
    ),
    reason="Numba compiles for a CPU that was set by hand",
)
def test_without_settings_it_is_this_machine() -> None:
    assert found() == (TILE_ROWS, HAS_FMA)
    assert TILE_ROWS in (2, 6, 16)
