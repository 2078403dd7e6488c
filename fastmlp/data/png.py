"""Reader of PNG images as rows of grey values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..base.errors import DataError
from ..base.paths import as_text

SUFFIX = ".png"


def find_pngs(paths: Sequence[Path]) -> tuple[list[Path], list[str] | None]:
    """Return PNG files, and their labels where folders name them.

    Parameters
    ----------
    paths : sequence of Path
        Files; and folders, of which all PNG files are taken by name. Of a folder with none, those
        in its folders are, which are named like the labels of what they hold.

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


def read_pngs(files: Sequence[Path], n_pixels: int) -> np.ndarray:
    """Read images, colours turned into grey (ITU-R 601) and what is transparent into black.

    Parameters
    ----------
    files : sequence of Path
        Not empty.
    n_pixels : int
        Of each image; checked before the pixels are read.

    Returns
    -------
    ndarray of uint8, shape (n, n_pixels)
        0 is black, 255 white.

    Raises
    ------
    DataError
        If a file is missing, damaged, no PNG, or of another size.
    """
    return np.stack([_read_png(file, n_pixels) for file in files])


def _files_and_labels(path: Path) -> Iterator[tuple[Path, str | None]]:
    if not path.is_dir():
        yield path, None
        return
    files = _pngs_in(path)
    yield from ((file, None) for file in files)
    labelled = []
    if not files:
        folders = sorted(folder for folder in path.iterdir() if folder.is_dir())
        labelled = [(file, as_text(folder.name)) for folder in folders for file in _pngs_in(folder)]
        yield from labelled
    if not files and not labelled:
        raise DataError(
            f"{path} must hold .png files, or folders of them named like their labels, got none"
        )


def _pngs_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == SUFFIX)


def _read_png(file: Path, n_pixels: int) -> np.ndarray:
    from PIL import Image

    try:
        # Opening reads the header alone.
        with Image.open(file, formats=["PNG"]) as image:
            width, height = image.size
            if width * height != n_pixels:
                raise DataError(
                    f"{file} must have {n_pixels} pixels, one for each feature of the model, got "
                    f"{width} x {height} = {width * height}; crop and resize it as the training "
                    "images were"
                )
            rgba = image.convert("RGBA")
            black = Image.new("RGBA", image.size, "black")
            gray = Image.alpha_composite(black, rgba).convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, DataError):
            raise
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise DataError(f"{file} cannot be read as a PNG image: {reason}; check the file") from None
    return np.asarray(gray, np.uint8).ravel()
