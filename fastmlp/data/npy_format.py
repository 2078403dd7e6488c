"""Reader of an array in NumPy's format; its header is checked before use."""

from __future__ import annotations

import io
import math
import tokenize
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from ..base.errors import DataError
from .idx import MAX_DIMENSIONS, read_at_most

SUFFIX = ".npy"
# The third, with the second's layout, is for records, which are refused.
VERSIONS = ((1, 0), (2, 0), (3, 0))
# More than NumPy's longest header of a plain array, so that no header can claim memory.
MAX_HEADER_BYTES = 1 << 16
BAD_HEADER = (
    ValueError, TypeError, SyntaxError, KeyError, IndexError, AttributeError, OverflowError,
    RecursionError, MemoryError, tokenize.TokenError,
)  # fmt: skip


def read_array(file: BinaryIO, n_bytes: int, name: str, path: Path) -> np.ndarray:
    """Read an array, whole.

    Parameters
    ----------
    file : binary file
    n_bytes : int
        Size of the file.
    name : str
        What the error messages call the array, ``y...`` for targets.
    path : Path
        The file that they name.

    Returns
    -------
    ndarray
        In native byte order and C order, writable; a single column of targets has shape (n,).

    Raises
    ------
    DataError
        If it is damaged, or holds neither numbers nor texts. Python objects are pickles, which are
        never loaded.
    """
    head = io.BytesIO(read_at_most(file, MAX_HEADER_BYTES))
    shape, is_fortran, dtype = _read_header(head, name, path)
    claimed = math.prod(shape) * dtype.itemsize
    held = n_bytes - head.tell()
    if claimed != held:
        raise DataError(
            f"{path}: {name} is damaged: its header claims {claimed} bytes for shape {shape}, "
            f"the file holds {held}; write it again"
        )
    # To the end, where zipfile verifies its checksum.
    content = bytearray(head.read())
    content += read_at_most(file, claimed - len(content))
    if len(content) != claimed:
        raise DataError(
            f"{path}: {name} is truncated: its header claims {claimed} bytes for shape {shape}, "
            f"but {len(content)} follow; write it again"
        )
    values = np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")
    values = values.astype(dtype.newbyteorder("="), order="C", copy=False)
    _check_values(values, name, path)
    # A single column of targets becomes a vector.
    is_column = name.startswith("y") and values.ndim == 2 and values.shape[1] == 1
    return values[:, 0] if is_column else values


def _read_header(
    head: BinaryIO, name: str, path: Path
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers by Python 2, which are read all the same
            version = npy.read_magic(head)
            if version not in VERSIONS:
                raise ValueError(f"of version {version[0]}.{version[1]}")
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, is_fortran, dtype = read(head)
    except BAD_HEADER as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{path}: {name} must be an array, got a damaged header ({reason}); write it again "
            "with np.savez"
        ) from None
    if dtype.hasobject:
        raise DataError(
            f"{path}: {name} must hold numbers or texts, got Python objects, which are pickles and "
            f"can execute code; save {name}.astype(float) or {name}.astype(str)"
        )
    if dtype.kind not in "biufU" or dtype.itemsize == 0:
        raise DataError(
            f"{path}: {name} must hold numbers or texts, got dtype {dtype}; save "
            f"{name}.astype(float) or {name}.astype(str)"
        )
    if len(shape) > MAX_DIMENSIONS or min(shape, default=1) < 0:
        raise DataError(f"{path}: {name} is damaged: its shape is {shape}; write it again")
    return shape, is_fortran, dtype


def _check_values(values: np.ndarray, name: str, path: Path) -> None:
    if values.dtype.kind != "U":
        return
    codes = values.reshape(-1).view(np.uint32)
    # No valid characters: Python cannot build or print such text.
    if np.any((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes <= 0xDFFF))):
        raise DataError(f"{path}: {name} is damaged: it holds no valid text; write it again")
