"""MNIST: where its four files are looked for, how they are downloaded and loaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from .._folders import cache_folder
from ..base.errors import DataError
from ..base.paths import as_path
from .dataset import Dataset
from .fetch import FetchError, fetch, is_stored, store
from .idx import read_idx

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

# SHA-256 of the decompressed files: the mirrors' compression may differ, the content may not.
FILES = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SUBFOLDER = "mnist"


def user_cache_folder() -> Path:
    """Return the folder of fastmlp in the user's cache, which need not exist."""
    return cache_folder("fastmlp")


def find_folder(data_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that holds all four files, plain or .gz, or None.

    Looked for, in turn, in ``data_dir``, ``$FASTMLP_DATA`` and the per-user cache; in each of
    them directly, then in its subfolder ``mnist``.

    Raises
    ------
    DataError
        If ``data_dir`` is given but is no folder.
    """
    places = []
    if data_dir is not None:
        folder = as_path(data_dir, "data_dir")
        if not os.path.isdir(folder):
            raise DataError(
                f"data_dir must be an existing folder, got {str(folder)!r}; create it or correct "
                "--data-dir"
            )
        places.append(folder)
    if variable := os.environ.get("FASTMLP_DATA"):
        places.append(as_path(variable, "FASTMLP_DATA"))
    places.append(user_cache_folder())
    for place in places:
        for folder in (place, place / SUBFOLDER):
            if all(_file(folder, name) for name in FILES):
                return folder
    return None


def download(folder: Path, mirrors: Sequence[str] = MIRRORS) -> None:
    """Download the files that ``folder`` lacks, under their original names, checked and whole.

    Parameters
    ----------
    folder : Path
        Made if need be.
    mirrors : sequence of str
        Base addresses, tried in turn for each file.

    Raises
    ------
    DataError
        If no mirror delivers some file, or the folder cannot be written.
    """
    order = list(mirrors)
    for name, sha256 in FILES.items():
        target = folder / f"{name}.gz"
        if is_stored(target, sha256):
            continue
        failures = []
        for mirror in order:
            try:
                body = fetch(f"{mirror.rstrip('/')}/{target.name}", sha256)
            except FetchError as error:
                failures.append(f"{urlsplit(mirror).netloc or mirror}: {error}")
                continue
            store(body, target)
            # A dead mirror may cost its whole timeout: the next file starts with the living one.
            order.remove(mirror)
            order.insert(0, mirror)
            break
        else:
            raise DataError(_missing(folder, f"{target.name} from {'; '.join(failures)}"))


def load(
    data_dir: str | os.PathLike[str] | None = None,
    allow_download: bool = True,
    notify: Callable[[str], None] | None = None,
) -> Dataset:
    """Load MNIST from the folder that :func:`find_folder` finds, or download it first.

    Local files are read as they are, unhashed: they may be another set of the same form.

    Parameters
    ----------
    data_dir : path-like, optional
        First place to look in; a download goes to its subfolder ``mnist``, without ``data_dir``
        to that of the per-user cache.
    allow_download : bool, default True
    notify : callable taking one str, optional
        Told when a download begins.

    Returns
    -------
    Dataset
        ``X`` uint8 (60000, 784) and ``y`` int64 (60000,), with the official 10,000 test rows.

    Raises
    ------
    DataError
        If the files are missing and cannot be had, or are damaged or do not fit together.
    """
    folder = find_folder(data_dir)
    if folder is None:
        place = user_cache_folder() if data_dir is None else as_path(data_dir, "data_dir")
        folder = place / SUBFOLDER
        if not allow_download:
            raise DataError(_missing(folder))
        if notify is not None:
            notify(f"downloading MNIST (11 MB) to {folder}")
        download(folder, MIRRORS)
    X, y, image_shape = _part(folder, TRAIN_IMAGES, TRAIN_LABELS)
    X_test, y_test, test_shape = _part(folder, TEST_IMAGES, TEST_LABELS)
    if image_shape != test_shape:
        raise DataError(
            f"{folder}: training and test images must be of one size, got {image_shape} and "
            f"{test_shape}; put four files of one set there"
        )
    return Dataset(
        X, y, X_test, y_test, name="mnist", feature_range=(0, 255), image_shape=image_shape
    )


def _file(folder: Path, name: str) -> Path | None:
    """Return the path of a file, plain before compressed because it loads faster."""
    candidates = (folder / name, folder / f"{name}.gz")
    # Not Path.is_file: it raises in folders that may not be read.
    return next((path for path in candidates if os.path.isfile(path)), None)


def _missing(folder: Path, failures: str = "") -> str:
    tried = f" and could not be downloaded ({failures})" if failures else ""
    return (
        f"MNIST was not found{tried}: put {', '.join(f'{name}.gz' for name in FILES)} into {folder}"
        ", or name the folder that holds them with --data-dir or FASTMLP_DATA (--data digits needs "
        "no files)"
    )


def _part(folder: Path, images: str, labels: str) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    X = _bytes(folder, images, n_dimensions=3)
    y = _bytes(folder, labels, n_dimensions=1)
    if len(X) != len(y):
        raise DataError(
            f"{folder}: {images} and {labels} must have equal counts, got {len(X)} images and "
            f"{len(y)} labels; put four files of one set there"
        )
    return X.reshape(len(X), -1), y.astype(np.int64), (X.shape[1], X.shape[2])


def _bytes(folder: Path, name: str, n_dimensions: int) -> np.ndarray:
    path = _file(folder, name)
    if path is None:
        raise DataError(f"{folder / name} is missing; put it or {name}.gz there")
    values = read_idx(path)
    if values.dtype != np.uint8 or values.ndim != n_dimensions:
        raise DataError(
            f"{path} must hold uint8 values in {n_dimensions} dimension(s), got {values.dtype} of "
            f"shape {values.shape}; put the right file there"
        )
    return values
