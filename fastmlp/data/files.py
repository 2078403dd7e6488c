"""Data files: their kinds, and further files with test or validation rows."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import ConfigError, DataError
from ..base.paths import find_path
from ..base.table_options import Positions, TableOptions
from ..base.table_rows import is_table
from ..ops.kinds import KINDS as COLUMN_KINDS
from .dataset import Dataset
from .frame_files import MAGICS, read_frame_file, read_frame_rows
from .npy_files import read_npy, read_npy_rows
from .npz_table import read_npz, read_npz_rows
from .tables import KnownColumns, read_csv, read_rows
from .tables.source import STDIN

TABLE, NPZ, NPY, FRAME = "table", "npz", "npy", "frame"
KINDS = {
    ".csv": TABLE, ".tsv": TABLE, ".npz": NPZ, ".npy": NPY,
    ".parquet": FRAME, ".arrow": FRAME, ".feather": FRAME,
}  # fmt: skip
NAMES = {
    TABLE: "a table in text", NPZ: "an NPZ file", NPY: "an NPY file",
    FRAME: "a Parquet or Arrow file",
}  # fmt: skip
Notify = Callable[[str], None]
_ZIP_MAGIC, _NPY_MAGIC = b"PK", b"\x93NUMPY"


def kind_of_file(name: str) -> str:
    """Return how to read a file: ``table``, ``npz``, ``npy`` or ``frame``.

    The content decides; the suffix, if the file is missing or its content is of no known kind.
    """
    by_suffix = KINDS.get(Path(name).suffix.lower(), TABLE)
    if name == STDIN:
        return TABLE
    path = find_path(name, "data")
    if not os.path.isfile(path):
        return by_suffix
    try:
        with path.open("rb") as file:
            head = file.read(len(_NPY_MAGIC))
        if head == _NPY_MAGIC:
            return NPY
        if head.startswith(MAGICS):
            return FRAME
        if head.startswith(_ZIP_MAGIC) and _holds_arrays(path):
            return NPZ
    except OSError:
        pass  # the reader reports it
    return by_suffix


def read_file(
    name: str, kind: str, table: TableOptions, task: str, notify: Notify | None
) -> Dataset:
    """Read a file of a kind as a dataset."""
    if kind == TABLE:
        return read_csv(name, table, task=task, notify=notify)
    if kind == FRAME:
        return read_frame_file(name, table, task, notify)
    if kind == NPZ:
        return read_npz(find_path(name, "data"), task=task, notify=notify)
    return read_npy(name, task=task, notify=notify)


def with_part(
    dataset: Dataset,
    part: str,
    name: str,
    kind: str,
    table: TableOptions,
    notify: Notify | None = None,
) -> Dataset:
    """Add the rows of a further file to a dataset as its test or validation part.

    Columns of a table are found by name, as for predictions.

    Parameters
    ----------
    dataset : Dataset
        As read from the file with the training rows.
    part : {"test", "validation"}
    name : str
        Of the further file.
    kind : {"table", "npz", "npy", "frame"}
        Of the file with the training rows.
    table : TableOptions
    notify : callable taking one str, optional

    Raises
    ------
    ConfigError
        If the files are of different kinds, or the dataset has that part already.
    DataError
        If the file is missing or damaged, or lacks targets or features.
    """
    option = f"{part}_file"
    own = kind_of_file(name)
    if own != kind:
        raise ConfigError(
            f"{option} must be {NAMES[kind]}, as data is, got {name!r}, {NAMES[own]}; convert one "
            "of them"
        )
    if getattr(dataset, f"X_{part}") is not None:
        raise ConfigError(
            f"{option} must be left out, since data brings {part} rows of its own, got {name!r}; "
            "omit it"
        )
    X, y, lines = _rows(dataset, part, name, kind, table, notify)
    if y is None:
        targets = ", ".join(map(repr, dataset.target_names or ())) or "a target for each row"
        raise DataError(f"{name} must hold the targets, {targets}, got only features; add them")
    rows: dict[str, Any] = {f"X_{part}": X, f"y_{part}": y, f"lines_{part}": lines}
    return replace(dataset, **rows)


def _rows(
    dataset: Dataset, part: str, name: str, kind: str, table: TableOptions, notify: Notify | None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return features, targets and lines of the file."""
    if kind in (TABLE, FRAME):
        known = KnownColumns(
            dataset.feature_names,
            dataset.target_names,
            dataset.n_features,
            1 if dataset.y.ndim == 1 else dataset.y.shape[1],
            is_regression=dataset.task == "regression",
            labels_are_texts=dataset.y.dtype.kind == "U",
            positions=dataset.positions or Positions(),
            are_numbers=_are_numbers(dataset),
        )
        options = table.without_columns()
        if kind == TABLE:
            rows = read_rows(name, options, known, notify)
        else:
            path = find_path(name, f"{part}_file")
            rows = read_frame_rows(path, options, known, notify)
        if rows.has_target is None:
            return rows.X, rows.y, rows.lines
        n = len(rows.X)
        X, y = rows.X[rows.has_target], rows.y
        lines = None if rows.lines is None else rows.lines[rows.has_target]
        if notify is not None:
            notify(f"rows without a target: {n - len(X):,} of {n:,} {part} rows, left out")
        return X, y, lines
    path = find_path(name, f"{part}_file")
    given = read_npz_rows(path, part) if kind == NPZ else read_npy_rows(path)
    return given.X, given.y, None


def _are_numbers(dataset: Dataset) -> tuple[bool, ...] | None:
    """Return which columns of a table are numbers; None for a matrix of numbers."""
    if not is_table(dataset.X):
        return None
    return tuple(COLUMN_KINDS.parse(kind).holds_numbers for kind in dataset.X.kinds)


def _holds_arrays(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(member.endswith(".npy") for member in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        return False
