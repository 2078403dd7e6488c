"""Features of the CPU that kernels are compiled for; they decide the height of register tiles."""

import platform

from numba import config
from numba.core.codegen import get_host_cpu_features


def cpu_features():
    """Return LLVM's names of the features of the CPU that Numba compiles for."""
    text = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    return {name[1:] for name in text.split(",") if name.startswith("+")}


def canonical(machine):
    """Return one name for a machine that systems name differently: arm64 is aarch64."""
    found = machine.lower()
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(found, found)


def architecture(module):
    """Return the architecture that a module of IR is compiled for: x86_64, aarch64 ..."""
    return canonical(module.triple.partition("-")[0])


def is_x86(module):
    """Return whether a module of IR is compiled for an x86 CPU."""
    return architecture(module) in ("x86_64", "i386", "i686")


def tile_rows(machine, features):
    """Return the number of rows of 64-byte sums that the vector registers hold, with the factors.

    A multiply-add takes four cycles and two start in each cycle, so that at least eight registers
    of sums keep a core busy.
    """
    if canonical(machine) == "aarch64":
        return 6  # 6 x 4 of 32 registers; 4 of B, 1 of A
    if "avx512f" in features:
        return 16  # 16 x 1 of 32 registers; 1 of B, A comes from memory
    if "avx" in features:
        return 6  # 6 x 2 of 16 registers; 2 of B, 1 of A
    return 2  # 2 x 4 of 16 registers; 4 of B, 1 of A


def outer_tile(rows):
    """Return the sides of a tile of sums, as many as ``rows`` or fewer, whose factors are vectors.

    Both factors of a product are loaded: the squarer the tile, the fewer loads.
    """
    return {16: (5, 4), 6: (3, 2)}.get(rows, (2, 1))


def windows_tile(machine, rows):
    """Return the sides of such a tile where one factor, a pooled gradient, is made in registers.

    On ARM its vectors take twelve more registers, of which 3 x 2 sums leave eight.
    """
    return (2, 2) if canonical(machine) == "aarch64" else outer_tile(rows)


def square_bytes(rows):
    """Return the bytes of a row of a square that is transposed in registers: as many rows as half
    of them hold.
    """
    return 64 if rows == 16 else 32


def byte_panels(rows):
    """Return the number of panels whose sums fit the registers, beside a factor."""
    return 8 if rows == 16 else 4


def has_fma(machine, features):
    """Return whether a fused multiply-add is an instruction, and not a slow library call."""
    return canonical(machine) == "aarch64" or bool({"fma", "avx512f"} & features)


# Panels summed at a time for a row of sparse data: their sums and factors fit the registers.
SPARSE_PANELS = 4
TILE_ROWS = tile_rows(platform.machine(), cpu_features())
# The same for the forward pass of rows of bytes, which compares each word once for these panels.
BYTE_PANELS = byte_panels(TILE_ROWS)
HAS_FMA = has_fma(platform.machine(), cpu_features())
OUTER_TILE = outer_tile(TILE_ROWS)
WINDOWS_TILE = windows_tile(platform.machine(), TILE_ROWS)
SQUARE_BYTES = square_bytes(TILE_ROWS)
