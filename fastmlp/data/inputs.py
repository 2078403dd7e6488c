"""Rows to predict from, of whatever kind of file, and their labels where they are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..base.errors import ConfigError, DataError
from ..base.paths import as_text
from .csv_table import read_csv_rows
from .idx import read_idx
from .npz_table import read_npz_rows
from .png import SUFFIX as PNG_SUFFIX
from .png import find_pngs, read_pngs

_IDX_MAGICS = (b"\x00\x00", b"\x1f\x8b")  # plain, gzip


class Inputs(NamedTuple):
    """What to predict from.

    Attributes
    ----------
    X : ndarray, shape (n, n_features)
        Raw features.
    y : ndarray or None
        Labels or numbers, shape (n,) or (n, n_outputs), if the input holds any.
    files : list of str or None
        Of which each is a row.
    are_images : bool
        Whether the features are grey values from 0 to 255, whatever the model was trained on.
    """

    X: np.ndarray
    y: np.ndarray | None = None
    files: list[str] | None = None
    are_images: bool = False


def read_inputs(
    paths: Sequence[Path],
    n_features: int,
    *,
    is_regression: bool,
    target: str | None = None,
    labels: Path | None = None,
) -> Inputs:
    """Read a CSV, NPZ or IDX file, or PNG files and folders of them.

    Parameters
    ----------
    paths : sequence of Path
        At least one; several only of PNG files and folders.
    n_features : int
        Of the model. A CSV file with a column more has a target, one without has none.
    is_regression : bool
        Whether a CSV file's target holds numbers, and not labels.
    target : str, optional
        A CSV file's target column, by name or number.
    labels : Path, optional
        An IDX file with the labels of images.

    Raises
    ------
    ConfigError
        For an option that the kind of file does not have.
    DataError
        If a file is missing or damaged, or does not fit the model.
    """
    kind = _kind(paths)
    if target is not None and kind != "csv":
        raise ConfigError(f"--target goes with a CSV file, got {target!r} with {paths[0]}; omit it")
    if labels is not None and kind not in ("idx", "png"):
        raise ConfigError(
            f"--labels goes with IDX and PNG images, got it with {paths[0]}; put the labels into "
            "that file"
        )
    if kind == "csv":
        return Inputs(*read_csv_rows(paths[0], n_features, target, is_regression))
    if kind == "npz":
        rows = read_npz_rows(paths[0])
        return Inputs(rows.X, rows.y)
    inputs = _png_inputs(paths, n_features) if kind == "png" else _idx_inputs(paths[0])
    if labels is None:
        return inputs
    y = read_idx(labels)
    if y.shape != inputs.X.shape[:1]:
        raise DataError(
            f"{labels} must hold a label for each of the {len(inputs.X)} images, got shape "
            f"{y.shape}; name the file that belongs to the images"
        )
    return inputs._replace(y=y)


def _kind(paths: Sequence[Path]) -> str:
    """Return "csv", "npz", "idx" or "png"."""
    others = [path for path in paths if not path.is_dir() and path.suffix.lower() != PNG_SUFFIX]
    if not others:
        return "png"
    if len(paths) > 1:
        raise ConfigError(
            f"several inputs must all be .png files or folders of them, got {others[0]} among "
            "them; give other files one at a time"
        )
    (path,) = paths
    if path.suffix.lower() == ".npz":
        return "npz"
    if path.suffix.lower() in (".csv", ".tsv"):
        return "csv"
    return "idx" if _begins_like_idx(path) else "csv"


def _begins_like_idx(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) in _IDX_MAGICS
    except OSError:
        return False  # the reader of tables will say why


def _png_inputs(paths: Sequence[Path], n_features: int) -> Inputs:
    files, labels = find_pngs(paths)
    y = None if labels is None else np.array(labels)
    return Inputs(read_pngs(files, n_features), y, [as_text(file) for file in files], True)


def _idx_inputs(path: Path) -> Inputs:
    images = read_idx(path)
    if images.ndim < 2:
        raise DataError(
            f"{path} must hold images or rows of features, got shape {images.shape}; labels go "
            "with --labels"
        )
    return Inputs(images.reshape(len(images), -1))
