"""Arrays that start on a cache line: vectors across two lines make tiles a third slower."""

from __future__ import annotations

import math

import numpy as np

from ..base.errors import ConfigError

CACHE_LINE = 64
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def aligned_zeros(shape: int | tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return a C-contiguous array of zeros whose data starts at a multiple of 64 bytes."""
    dtype = np.dtype(dtype)
    count = math.prod(shape) if isinstance(shape, tuple) else int(shape)
    raw = np.zeros(count * dtype.itemsize + CACHE_LINE, np.uint8)
    start = -raw.__array_interface__["data"][0] % CACHE_LINE  # raw.ctypes takes ten times as long
    return raw[start : start + count * dtype.itemsize].view(dtype).reshape(shape)


def padded(width: int, dtype: np.dtype) -> int:
    """Return ``width`` rounded up to whole 64-byte vectors of ``dtype``."""
    lanes = CACHE_LINE // dtype.itemsize
    return -(-width // lanes) * lanes


def float_dtype(name: str | np.dtype) -> np.dtype:
    """Return a dtype by name; ConfigError unless it is float32 or float64."""
    if isinstance(name, np.dtype) and name in _FLOATS:
        return name  # its name takes 2 us to make
    if str(name) not in ("float32", "float64"):
        raise ConfigError(f"dtype must be float32 or float64, got {name!r}")
    return np.dtype(str(name))
