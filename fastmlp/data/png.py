"""Reader of PNG images as rows of grey values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..base.errors import DataError
from ..base.paths import as_text

if TYPE_CHECKING:
    from PIL import Image

SUFFIX = ".png"
HIDDEN = (".", "__MACOSX")
OPAQUE = 255
WHITE_16 = 65535
COLOURS = 3


def find_pngs(paths: Sequence[Path]) -> tuple[list[Path], list[str] | None]:
    """Return PNG files, and their labels where folders name them.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders. All PNG files of a folder are returned, sorted by name, without hidden
        files. If a folder has none, the files of its subfolders are, whose names are the labels.

    Returns
    -------
    files : list of Path
    labels : list of str or None
        One for each file; None unless folders name them all.

    Raises
    ------
    DataError
        If a folder holds no PNG files.
    """
    found = [pair for path in paths for pair in _files_and_labels(path)]
    labels = [label for _, label in found if label is not None]
    return [file for file, _ in found], labels if len(labels) == len(found) else None


class Pictures(NamedTuple):
    """Images as rows.

    Attributes
    ----------
    X : ndarray of uint8, shape (n, n_features)
        0 is black, 255 white.
    opacity : ndarray of uint8, shape (n, n_features), or None
        0 is transparent; None if no pixel is.
    """

    X: np.ndarray
    opacity: np.ndarray | None


def read_pngs(
    files: Sequence[Path], n_features: int, image_shape: Sequence[int] | None = None
) -> Pictures:
    """Read images in grey (ITU-R 601), or in colours for a model with three features a pixel.

    Values of 16 bits are scaled to 8, unless none is above 255: such files contain bytes. Palettes,
    single bits and grey with opacity are read as Pillow reads them.

    Parameters
    ----------
    files : sequence of Path
        Not empty.
    n_features : int
        Features of the model; checked before the pixels are read.
    image_shape : sequence of int, optional
        Height, width and channels of the images of a model that takes no others.

    Raises
    ------
    DataError
        If a file is missing, damaged, no PNG, or of another size.
    """
    rows = [_read_png(file, n_features, image_shape) for file in files]
    X = np.stack([values for values, _ in rows])
    if all(opacity is None for _, opacity in rows):
        return Pictures(X, None)
    opaque = np.full(n_features, OPAQUE, np.uint8)
    return Pictures(X, np.stack([opaque if o is None else o for _, o in rows]))


def _files_and_labels(path: Path) -> list[tuple[Path, str | None]]:
    if not path.is_dir():
        return [(path, None)]
    found: list[tuple[Path, str | None]] = [(file, None) for file in _pngs_in(path)]
    if not found:
        folders = sorted(folder for folder in _shown(path) if folder.is_dir())
        found = [(file, as_text(folder.name)) for folder in folders for file in _pngs_in(folder)]
    if not found:
        others = sorted({file.suffix.lower() for file in _shown(path) if file.suffix})
        got = f"files that end in {', '.join(others[:5])}" if others else "none"
        raise DataError(
            f"{path} must hold .png files, or folders of them named like their labels, got {got}; "
            "name the folder that holds them, or convert images to PNG"
        )
    return found


def _pngs_in(folder: Path) -> list[Path]:
    files = [file for file in _shown(folder) if file.suffix.lower() == SUFFIX]
    return sorted(file for file in files if not file.is_dir())


def _shown(folder: Path) -> list[Path]:
    """Return what is in a folder, without files of the system: ``._a.png``, ``__MACOSX``."""
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror or error}; check its permissions"
        ) from error
    return [path for path in paths if not path.name.startswith(HIDDEN)]


def _read_png(
    file: Path, n_features: int, image_shape: Sequence[int] | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the values and the opacity of an image, each of shape (n_features,)."""
    from PIL import Image

    try:
        # Opening reads the header alone.
        with Image.open(file, formats=["PNG"]) as image:
            width, height = image.size
            channels = n_features / (width * height)
            if channels not in (1, COLOURS):
                raise DataError(
                    f"{file} must have {n_features} pixels, one for each feature of the model (or "
                    f"a third of that for colour images), got {width} x {height} = "
                    f"{width * height}; crop and resize it as the training images were"
                )
            if image_shape is not None and (height, width, channels) != tuple(image_shape):
                raise DataError(
                    f"{file} must be {image_shape[1]} pixels wide and {image_shape[0]} high, as in "
                    f"training, got {width} x {height}; crop and resize it as the training images "
                    "were"
                )
            return _values(image, "L" if channels == 1 else "RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, DataError):
            raise
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        remedy = "check the file"
        if file.name.startswith("._"):
            remedy = "leave it out: it holds metadata of macOS about another file"
        raise DataError(f"{file} cannot be read as a PNG image: {reason}; {remedy}") from None


def _values(image: Image.Image, mode: str) -> tuple[np.ndarray, np.ndarray | None]:
    opacity = None
    if image.mode.startswith("I"):
        words = np.asarray(image).astype(np.int64)
        transparent = image.info.get("transparency")
        if isinstance(transparent, int) and np.any(words == transparent):
            opacity = np.where(words == transparent, 0, OPAQUE).astype(np.uint8)
        # Pillow would clip values of 16 bits.
        scaled = words if words.max() <= OPAQUE else (words * OPAQUE + WHITE_16 // 2) // WHITE_16
        values = scaled.astype(np.uint8)
        if mode == "RGB":
            values = np.repeat(values[..., None], COLOURS, axis=2)
    else:
        rgba = image.convert("RGBA")
        values = np.asarray(rgba.convert("RGB").convert(mode), np.uint8)
        opacity = np.asarray(rgba.getchannel("A"), np.uint8)
        if np.all(opacity == OPAQUE):
            opacity = None
    if opacity is not None and mode == "RGB":
        opacity = np.repeat(opacity[..., None], COLOURS, axis=2)
    return values.ravel(), None if opacity is None else opacity.ravel()
