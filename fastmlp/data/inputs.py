"""Rows to predict from, read from any kind of file, with their labels if given."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import ConfigError, DataError
from ..base.image_rows import ImageRows, rows_of_images
from ..base.paths import as_text
from ..base.table_options import TableOptions
from .files import FRAME, NPY, NPZ, TABLE, kind_of_file
from .frame_files import read_frame_rows
from .idx import read_idx, unpacked
from .npy_files import read_npy_array, read_npy_rows
from .npy_format import SUFFIX as NPY_SUFFIX
from .npz_table import read_npz_rows
from .png import SUFFIX as PNG_SUFFIX
from .png import find_pngs, read_pngs
from .tables import KnownColumns, read_rows

IDX, PNG = "idx", "png"
_IDX_MAGIC = b"\x00\x00"


class Inputs(NamedTuple):
    """Rows to predict, with their targets if known.

    Attributes
    ----------
    X : ndarray or TableRows, shape (n, n_features)
        Raw features.
    y : ndarray or None
        Labels or numbers, shape (n,) or (n, n_outputs), if the input holds any.
    files : list of str or None
        The file of each row.
    are_images : bool
        Whether the features are bytes, 0 black and 255 white.
    are_pictures : bool
        Whether they are image files, which may be dark on bright or the reverse. False for arrays,
        which are never inverted automatically.
    opacity : ndarray of uint8 or None
        Shaped as ``X``, if images have transparent pixels.
    has_target : ndarray of bool, shape (n,), or None
        Which rows ``y`` has an entry for; None: all, if there is a ``y``.
    kept : dict of str to list of str
        Columns of the input to carry into the output.
    """

    X: Any
    y: np.ndarray | None = None
    files: list[str] | None = None
    are_images: bool = False
    are_pictures: bool = False
    opacity: np.ndarray | None = None
    has_target: np.ndarray | None = None
    kept: dict[str, list[str]] = {}  # noqa: RUF012 - never changed


def read_inputs(
    paths: Sequence[Path],
    known: KnownColumns,
    *,
    table: TableOptions | None = None,
    given: Collection[str] = (),
    labels: Path | None = None,
    keep: Sequence[str] = (),
    notify: Callable[[str], None] | None = None,
) -> Inputs:
    """Read a CSV, Parquet, Arrow, NPZ, NPY or IDX file, or PNG files and folders of them.

    Parameters
    ----------
    paths : sequence of Path
        At least one; several only of PNG files and folders.
    known : KnownColumns
        Of the model.
    table : TableOptions, optional
        How a table is read.
    given : collection of str
        Names of the options of ``table`` that the user gave; an error if they do not apply.
    labels : Path, optional
        An IDX or NPY file with the labels of images or rows.
    keep : sequence of str
        Columns of a table to carry into the output, by name or index.
    notify : callable taking one str, optional
        Told which arrays of several were taken, and which columns were left out.

    Raises
    ------
    ConfigError
        For an option that does not apply to the kind of file, or a target column that is missing.
    DataError
        If a file is missing or damaged, or does not fit the model.
    """
    kind = _kind(paths)
    columns = {"target", "features", "drop"}
    if given and kind != TABLE and not (kind == FRAME and columns.issuperset(given)):
        raise ConfigError(
            f"{', '.join(sorted(given))} must be left out unless the rows are a table in text, got "
            f"{paths[0]}; name a CSV file, or leave out"
        )
    if keep and kind not in (TABLE, FRAME):
        raise ConfigError(
            f"--keep applies to tables, got {', '.join(keep)} with {paths[0]}; leave it out"
        )
    if labels is not None and kind not in (IDX, PNG, NPY):
        raise ConfigError(
            f"--labels applies to IDX, PNG and NPY files, got it with {paths[0]}; put the "
            "labels into that file"
        )
    if kind in (TABLE, FRAME):
        read = read_rows if kind == TABLE else read_frame_rows
        rows = read(paths[0], table or TableOptions(), known, notify, keep)
        if "target" in given and table is not None and rows.y is None:
            raise ConfigError(
                f"target must be a column of {paths[0]}, got {table.target!r}; leave it out where "
                "the file holds only features"
            )
        return Inputs(rows.X, rows.y, has_target=rows.has_target, kept=rows.kept)
    if kind == PNG:
        inputs = _png_inputs(paths, known)
    elif kind == IDX:
        inputs = _idx_inputs(paths[0], known)
    else:
        inputs = _array_inputs(paths[0], kind, known, notify)
    return inputs if labels is None else inputs._replace(y=_labels(labels, len(inputs.X)))


def _labels(path: Path, n: int) -> np.ndarray:
    """Return the labels of ``n`` rows from a file of their own."""
    y = read_npy_array(path, "y") if path.suffix.lower() == NPY_SUFFIX else read_idx(path)
    if y.shape[:1] != (n,) or y.ndim > 2:
        raise DataError(
            f"{path} must hold a label for each of the {n} images, got shape "
            f"{y.shape}; name the file that belongs to the images"
        )
    return y


def _kind(paths: Sequence[Path]) -> str:
    """Return what the files are: a table, arrays, or images."""
    others = [path for path in paths if not path.is_dir() and path.suffix.lower() != PNG_SUFFIX]
    if not others:
        return PNG
    if len(paths) > 1:
        raise ConfigError(
            f"several inputs must all be .png files or folders of them, got {others[0]} among "
            "them; give other files one at a time"
        )
    (path,) = paths
    if _begins_like_idx(path):
        return IDX
    return kind_of_file(os.fspath(path))


def _begins_like_idx(path: Path) -> bool:
    try:
        with unpacked(path) as file:
            return file.read(len(_IDX_MAGIC)) == _IDX_MAGIC
    except (OSError, EOFError, zlib.error):
        # The reader reports it; a damaged gzip file is more often one of images.
        return path.suffix.lower() == ".gz"


def _png_inputs(paths: Sequence[Path], known: KnownColumns) -> Inputs:
    files, labels = find_pngs(paths)
    y = None if labels is None else np.array(labels)
    pictures = read_pngs(files, known.n_features, known.image_shape)
    return Inputs(
        pictures.X, y, [as_text(file) for file in files], are_images=True, are_pictures=True,
        opacity=pictures.opacity,
    )  # fmt: skip


def _idx_inputs(path: Path, known: KnownColumns) -> Inputs:
    images = read_idx(path)
    if images.ndim < 2:
        raise DataError(
            f"{path} must hold images or rows of features, got shape {images.shape}; give labels "
            "by --labels"
        )
    are_images = images.ndim > 2 and images.dtype == np.uint8
    rows = _rows(path, images, known).X
    return Inputs(rows.reshape(len(rows), -1), are_images=are_images, are_pictures=are_images)


def _array_inputs(
    path: Path, kind: str, known: KnownColumns, notify: Callable[[str], None] | None
) -> Inputs:
    found = read_npz_rows(path) if kind == NPZ else read_npy_rows(path)
    if notify is not None and found.names[0].lower() not in ("x", path.name.lower()):
        notify(f"input: {' and '.join(found.names)} of {path.name}")
    rows = _rows(path, found.X, known)
    are_images = rows.shape is not None and found.X.dtype == np.uint8
    return Inputs(rows.X, found.y, are_images=are_images)


def _rows(path: Path, images: Any, known: KnownColumns) -> ImageRows:
    """Return images as rows; DataError if the model takes images of another shape."""
    rows = rows_of_images(images, known.image_shape)
    if known.image_shape is not None and rows.shape not in (None, known.image_shape):
        raise DataError(
            f"{path} must hold images of {_shape_text(known.image_shape)}, as in training, got "
            f"{_shape_text(rows.shape)}; crop and resize them as the training images were"
        )
    return rows


def _shape_text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
