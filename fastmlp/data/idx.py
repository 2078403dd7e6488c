"""Reader of IDX files, the format of MNIST: a magic number, the shape, the values, big-endian."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from ..base.errors import DataError

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
# What NumPy 1 can hold; real files have at most 4.
MAX_DIMENSIONS = 32
GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read one IDX file, plain or gzip-compressed.

    Compression is recognised by the content, since browsers unpack files without renaming them.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ndarray
        In native byte order: uint8, int8, int16, int32, float32 or float64; writable.

    Raises
    ------
    DataError
        If the file is missing, unreadable, empty, truncated or corrupt, or longer than its header
        says. A header that claims more than the file holds costs no memory.
    """
    path = Path(path)
    try:
        with unpacked(path) as file:
            return _read(file, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a damaged gzip file: {error}; download it again") from error
    except OSError as error:
        raise unreadable(path, error) from error


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file; its content is unpacked if it is a gzip file."""
    with path.open("rb") as file:
        is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        with gzip.open(file) if is_packed else nullcontext(file) as content:
            yield cast(BinaryIO, content)


def unreadable(path: Path | str, error: OSError) -> DataError:
    """Return the error for a file that cannot be opened or read."""
    return DataError(
        f"{path} cannot be read: {error.strerror or error}; check the path and its permissions"
    )


def _read(file: BinaryIO, path: Path) -> np.ndarray:
    dtype, shape = _read_header(file, path)
    claimed = math.prod(shape) * dtype.itemsize
    # One byte more than claimed shows trailing bytes, and makes gzip verify its checksum.
    content = read_at_most(file, claimed + 1)
    if len(content) < claimed:
        raise DataError(
            f"{path} is truncated: its header claims {claimed} bytes for shape {shape}, but "
            f"{len(content)} follow; download it again"
        )
    if len(content) > claimed:
        raise DataError(
            f"{path} is corrupt: bytes follow the {claimed} that its header claims for shape "
            f"{shape}; download it again"
        )
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_header(file: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = file.read(4)
    if not magic:
        raise DataError(f"{path} is empty; download it again")
    if len(magic) < 4:
        raise DataError(f"{path} is truncated: {len(magic)} byte(s) long; download it again")
    if magic[:2] != b"\x00\x00":
        raise DataError(
            f"{path} is not an IDX file: it must start with two zero bytes, got "
            f"{magic[:2].hex(' ')}; download it again"
        )
    dtype = DTYPES.get(magic[2])
    if dtype is None:
        raise DataError(
            f"{path} is corrupt: the type code must be one of "
            f"{', '.join(f'0x{code:02X}' for code in DTYPES)}, got 0x{magic[2]:02X}; "
            "download it again"
        )
    n_dimensions = magic[3]
    if not 1 <= n_dimensions <= MAX_DIMENSIONS:
        raise DataError(
            f"{path} is corrupt: the number of dimensions must be 1 to {MAX_DIMENSIONS}, got "
            f"{n_dimensions}; download it again"
        )
    sizes = file.read(4 * n_dimensions)
    if len(sizes) < 4 * n_dimensions:
        raise DataError(f"{path} is truncated: it ends within its header; download it again")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise DataError(f"{path} holds no values: its shape is {shape}; download it again")
    return dtype, shape


def read_at_most(file: BinaryIO, limit: int) -> bytearray:
    """Return the next ``limit`` bytes, or all if there are fewer; missing ones cost no memory."""
    # In chunks: read(limit) would allocate whatever a damaged header claims.
    content = bytearray()
    while len(content) < limit:
        chunk = file.read(min(CHUNK, limit - len(content)))
        if not chunk:
            break
        content += chunk
    return content
