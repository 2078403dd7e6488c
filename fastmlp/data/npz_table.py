"""Reader of NPZ archives, NumPy's zip of arrays; what its headers claim is checked before use."""

from __future__ import annotations

import io
import lzma
import math
import os
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy

from ..base.errors import ConfigError, DataError, close_match
from .dataset import TASKS, Dataset
from .idx import MAX_DIMENSIONS, read_at_most

# Accepted names, in lower case; Keras writes x_train.
ALIASES = {
    "X": ("x", "x_train"),
    "y": ("y", "y_train"),
    "X_test": ("x_test",),
    "y_test": ("y_test",),
}
SUFFIX = ".npy"
# The third, with the second's layout, is for records, which are refused.
VERSIONS = ((1, 0), (2, 0), (3, 0))
# More than NumPy's longest header of a plain array, so that no header can claim memory.
MAX_HEADER_BYTES = 1 << 16
# Deflate can expand a thousandfold. Small arrays of zeros may; what expands to more must not.
FREE_BYTES = 256 << 20
MAX_EXPANSION = 100
BAD_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError,
    NotImplementedError, RuntimeError, ValueError, IndexError, OverflowError,
)  # fmt: skip
BAD_HEADER = (
    ValueError, TypeError, SyntaxError, KeyError, IndexError, AttributeError, OverflowError,
    RecursionError, MemoryError, tokenize.TokenError,
)  # fmt: skip


def read_npz(path: str | os.PathLike[str], *, task: str = "auto") -> Dataset:
    """Read an NPZ file, as ``np.savez(path, X=X, y=y)`` writes it, as a dataset.

    Parameters
    ----------
    path : path-like
        Holds the arrays ``X`` and ``y`` (or ``X_train`` and ``y_train``), and ``X_test`` and
        ``y_test`` if there is a test part, in any case; other arrays are left alone. An ``X`` of
        three dimensions holds images, which become rows.
    task : {"auto", "classification", "multilabel", "regression"}, default "auto"
        As for :class:`Dataset`.

    Returns
    -------
    Dataset
        Named by the file's stem. Arrays keep their dtypes.

    Raises
    ------
    ConfigError
        For an unknown task.
    DataError
        If the file is missing, damaged, lacks an array, holds Python objects (which are pickles,
        and never loaded), or expands beyond reason; or if the arrays cannot be trained on.
    """
    path = Path(path)
    if task not in TASKS:
        raise ConfigError(f"unknown task {task!r}{close_match(str(task), TASKS)}")
    try:
        with path.open("rb") as file:
            arrays = _read_arrays(file, path)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return Dataset(**_with_rows_of_images(arrays), name=path.stem, task=task)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def read_npz_rows(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Return rows to predict from, and their targets where the file has any.

    Parameters
    ----------
    path : Path
        Holds the array ``X`` (or ``X_train``), of which images become rows, and may hold ``y``.

    Raises
    ------
    DataError
        As for :func:`read_npz`, and if there is not a target for each row.
    """
    try:
        with path.open("rb") as file:
            arrays = _read_arrays(file, path, needed=("X",), may_have=("y",))
    except OSError as error:
        raise _unreadable(path, error) from error
    found = _with_rows_of_images(arrays)
    X, y = found["X"], found.get("y")
    if y is not None and y.shape[:1] != X.shape[:1]:
        raise DataError(
            f"{path}: y must have one entry per row of X, {X.shape[:1]}, got shape {y.shape}; "
            "select the same rows in both"
        )
    return X, y


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path} cannot be read: {error.strerror or error}; check the path and its permissions"
    )


def _read_arrays(
    file: BinaryIO,
    path: Path,
    needed: tuple[str, ...] = ("X", "y"),
    may_have: tuple[str, ...] = ("X_test", "y_test"),
) -> dict[str, np.ndarray]:
    """Return the arrays that a dataset takes, by its parameters' names."""
    size = file.seek(0, io.SEEK_END)
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive, path, needed, may_have)
            return {
                name: _read_member(archive, info, name, size, path)
                for name, info in members.items()
            }
    except DataError:
        raise
    except BAD_ZIP as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path} must be an NPZ file, got a damaged or other one ({reason}); write it with "
            "np.savez(path, X=X, y=y)"
        ) from None


def _with_rows_of_images(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the parameters of a dataset, images of shape (n, height, width) as rows."""
    image_shape = arrays["X"].shape[1:]
    if len(image_shape) != 2:
        return {**arrays}
    rows = {
        name: values.reshape(len(values), math.prod(image_shape))
        for name, values in arrays.items()
        if values.shape[1:] == image_shape
    }
    feature_range = (0, 255) if arrays["X"].dtype == np.uint8 else None
    return {**arrays, **rows, "image_shape": image_shape, "feature_range": feature_range}


def _members(
    archive: zipfile.ZipFile, path: Path, needed: tuple[str, ...], may_have: tuple[str, ...]
) -> dict[str, zipfile.ZipInfo]:
    stored = [(info.filename.removesuffix(SUFFIX), info) for info in archive.infolist()]
    members = {}
    for parameter in (*needed, *may_have):
        found = [(name, info) for name, info in stored if name.lower() in ALIASES[parameter]]
        if len(found) > 1:
            raise DataError(
                f"{path} must hold one array for {parameter}, got "
                f"{', '.join(repr(name) for name, _ in found[:10])}; keep one of them"
            )
        if found:
            members[parameter] = found[0][1]
    if not members.keys() >= {*needed}:
        names = ", ".join(repr(name[:40]) for name, _ in stored[:10]) or "none"
        more = ", ..." if len(stored) > 10 else ""
        raise DataError(
            f"{path} must hold arrays {' and '.join(needed)}, got {names}{more}; "
            "write it with np.savez(path, X=X, y=y)"
        )
    return members


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, archive_bytes: int, path: Path
) -> np.ndarray:
    _check_sizes(info, name, archive_bytes, path)
    with archive.open(info) as opened:
        member = cast(BinaryIO, opened)
        head = io.BytesIO(read_at_most(member, MAX_HEADER_BYTES))
        shape, is_fortran, dtype = _read_header(head, name, path)
        claimed = math.prod(shape) * dtype.itemsize
        held = info.file_size - head.tell()
        if claimed != held:
            raise DataError(
                f"{path}: {name} is damaged: its header claims {claimed} bytes for shape {shape}, "
                f"the archive holds {held}; write it again"
            )
        # To the member's end, where zipfile verifies its checksum.
        content = bytearray(head.read())
        content += read_at_most(member, claimed - len(content))
    if len(content) != claimed:
        raise DataError(
            f"{path}: {name} is truncated: its header claims {claimed} bytes for shape {shape}, "
            f"but {len(content)} follow; write it again"
        )
    values = np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")
    values = values.astype(dtype.newbyteorder("="), order="C", copy=False)
    _check_values(values, name, path)
    # A column of targets, as savez keeps it, is as good as a list of them.
    is_column = name.startswith("y") and values.ndim == 2 and values.shape[1] == 1
    return values[:, 0] if is_column else values


def _check_sizes(info: zipfile.ZipInfo, name: str, archive_bytes: int, path: Path) -> None:
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{path}: {name} must be stored or deflated, as NumPy does, got another compression or "
            "encryption; write it with np.savez"
        )
    if info.compress_size > archive_bytes:
        raise DataError(
            f"{path}: {name} is damaged: it claims {info.compress_size} bytes in a file of "
            f"{archive_bytes}; write it again"
        )
    if info.file_size > max(FREE_BYTES, MAX_EXPANSION * info.compress_size):
        raise DataError(
            f"{path}: {name} must expand to at most {FREE_BYTES >> 20} MB or {MAX_EXPANSION} times "
            f"its size in the file, got {info.file_size} bytes from {info.compress_size}; if that "
            "is right, write it uncompressed, with np.savez"
        )


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
    # Not characters of any text: Python refuses to build or to print them.
    if np.any((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes <= 0xDFFF))):
        raise DataError(f"{path}: {name} is damaged: it holds no valid text; write it again")
