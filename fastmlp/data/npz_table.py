"""Reader of NPZ archives, NumPy's zip of arrays; what its headers claim is checked before use."""

from __future__ import annotations

import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from ..base.errors import DataError
from ..base.paths import as_text
from ..base.wording import quoted
from .array_names import TRAINING, arrays_by_role
from .dataset import Dataset
from .idx import unreadable
from .npy_format import SUFFIX, read_array

# Deflate can expand a thousandfold. Small arrays of zeros may; what expands to more must not.
FREE_BYTES = 256 << 20
MAX_EXPANSION = 100
MANY_CLASSES = 20
BAD_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError,
    NotImplementedError, RuntimeError, ValueError, IndexError, OverflowError,
)  # fmt: skip


class GivenRows(NamedTuple):
    """Arrays of one part.

    Attributes
    ----------
    X : ndarray of any shape
    y : ndarray or None
    names : tuple of str
        Names of the arrays that were read.
    """

    X: np.ndarray
    y: np.ndarray | None
    names: tuple[str, ...]


def read_npz(
    path: str | os.PathLike[str],
    *,
    task: str = "auto",
    notify: Callable[[str], None] | None = None,
) -> Dataset:
    """Read an NPZ file, as ``np.savez(path, X=X, y=y)`` writes it, as a dataset.

    Parameters
    ----------
    path : path-like
        Holds the arrays ``X`` and ``y``, and perhaps ``X_test`` and ``y_test``, ``X_validation``
        and ``y_validation``. Other usual names, in any case: ``x_train``, ``train_X``, ``y_val``;
        ``data``, ``features``, ``inputs`` or ``images`` for X, ``target`` or ``labels``
        for y. Other arrays are ignored. Images become rows, as in :class:`Dataset`.
    task : {"auto", "classification", "multilabel", "regression"}, default "auto"
        As for :class:`Dataset`.
    notify : callable taking one str, optional
        Called with a line that says how the arrays were interpreted.

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
    arrays, names = _read_arrays(path, ("X", "y"))
    return dataset_of_arrays(path, arrays, names, task, notify)


def read_npz_rows(path: Path, part: str = "test") -> GivenRows:
    """Return rows to evaluate or to predict from, and their targets if the file has any.

    Parameters
    ----------
    path : Path
        Arrays of that part are read (``X_test``), else those of training (``X`` or ``X_train``).
    part : {"test", "validation"}, default "test"

    Raises
    ------
    DataError
        As for :func:`read_npz`, and if targets do not match the rows.
    """
    arrays, names = _read_arrays(path, (), part)
    X, *targets = arrays.values()
    y = targets[0] if targets else None
    check_targets(path, X, y)
    return GivenRows(X, y, tuple(names.values()))


def check_targets(path: Path, X: np.ndarray, y: np.ndarray | None) -> None:
    """Raise DataError unless there is a target for each row, or there are none."""
    if y is not None and y.shape[:1] != X.shape[:1]:
        raise DataError(
            f"{path}: y must have one entry per row of X, {X.shape[:1]}, got shape {y.shape}; "
            "select the same rows in both"
        )


def dataset_of_arrays(
    path: Path,
    arrays: dict[str, np.ndarray],
    names: dict[str, str],
    task: str,
    notify: Callable[[str], None] | None,
) -> Dataset:
    """Return arrays from files as a dataset, and report how they were interpreted.

    Parameters
    ----------
    path : Path
        Its stem is the dataset's name.
    arrays, names : dict of str to ndarray, and to str
        By parameters of Dataset; the names are those in the file.
    task : str
    notify : callable taking one str, optional

    Raises
    ------
    ConfigError
        For an unknown task.
    DataError
        If the arrays cannot be trained on.
    """
    try:
        dataset = Dataset(**arrays, name=as_text(path.stem), task=task)  # type: ignore[arg-type]
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    if notify is not None:
        notify(_understood(path, dataset, names, task))
    return dataset


def _understood(path: Path, dataset: Dataset, names: dict[str, str], task: str) -> str:
    classes, hint = dataset.classes, ""
    what = dataset.task if classes is None else f"{dataset.task} ({len(classes)} classes)"
    if task == "auto" and dataset.task == "regression":
        hint = ", by its floating numbers (for classes: --task classification)"
    elif task == "auto" and classes is not None and dataset.y.dtype.kind != "U":
        hint = " (for numbers: --task regression)" if len(classes) > MANY_CLASSES else ""
    others = [name for key, name in names.items() if key not in ("X", "y")]
    also = f"; also {', '.join(others)}" if others else ""
    return (
        f"data: {path.name}, {len(dataset.y)} rows of {dataset.n_features} features, "
        f"{names['X']}; target: {names['y']}, {what}{hint}{also}"
    )


def _lacking(path: Path, needed: tuple[str, ...], found: Collection[str]) -> DataError:
    names = quoted([name[:40] for name in found]) or "none"
    return DataError(
        f"{path} must hold arrays {' and '.join(needed)}, got {names}; "
        "write it with np.savez(path, X=X, y=y)"
    )


def _read_arrays(
    path: Path, needed: tuple[str, ...], part: str | None = None
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return arrays, and their names in the file, by the parameters of Dataset.

    With a part, only its arrays are read, else those of training.
    """
    arrays = {}
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = _members(archive, path, needed, part)
            size = file.seek(0, io.SEEK_END)
            for name, info in members.items():
                _check_sizes(info, name, size, path)
                with archive.open(info) as member:
                    content = cast(BinaryIO, member)
                    arrays[name] = read_array(content, info.file_size, name, path)
    except OSError as error:
        raise unreadable(path, error) from error
    except DataError:
        raise
    except BAD_ZIP as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path} must be an NPZ file, got a damaged or other one ({reason}); write it with "
            "np.savez(path, X=X, y=y)"
        ) from None
    return arrays, {name: _array_name(info) for name, info in members.items()}


def _array_name(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(SUFFIX)


def _members(
    archive: zipfile.ZipFile, path: Path, needed: tuple[str, ...], part: str | None
) -> dict[str, zipfile.ZipInfo]:
    stored = [(_array_name(info), info) for info in archive.infolist()]
    roles = arrays_by_role([name for name, _ in stored], path)
    if not roles.keys() >= {*needed}:
        raise _lacking(path, needed, [name for name, _ in stored])
    members = {parameter: dict(stored)[name] for parameter, name in roles.items()}
    if part is None:
        return members
    suffix = f"_{part}" if f"X_{part}" in members else TRAINING
    if f"X{suffix}" not in members:
        raise _lacking(path, ("X",), [name for name, _ in stored])
    return {name: members[name] for name in (f"X{suffix}", f"y{suffix}") if name in members}


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
