"""MNIST and similar data sets: finding, downloading and loading their files."""

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
from .idx_sets import MNIST, IdxSet, only_set, sets_in, subfolders

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
SUBFOLDER = MNIST


def user_cache_folder() -> Path:
    """Return the folder of fastmlp in the user's cache, which need not exist."""
    return cache_folder("fastmlp")


def find(data_dir: str | os.PathLike[str] | None = None, name: str = "") -> IdxSet | None:
    """Return the files of MNIST or of a set like it; None if there are none.

    With ``data_dir`` only this folder is searched; else ``$FASTMLP_DATA``, then the per-user cache.
    Each is searched itself first, then its folder ``mnist``, then its other folders.

    Parameters
    ----------
    data_dir : path-like, optional
    name : str, default ""
        Of the set, as :class:`~fastmlp.data.idx_sets.IdxSet` has it. Empty or mnist: any, if it is
        the only one.

    Raises
    ------
    DataError
        If ``data_dir`` is no folder; or if a folder other than the cache holds several sets, or an
        incomplete one.
    """
    if data_dir is not None:
        folder = as_path(data_dir, "data_dir")
        if not os.path.isdir(folder):
            raise DataError(
                f"data_dir must be an existing folder, got {str(folder)!r}; create it or correct "
                "--data-dir"
            )
        return _find_in(folder, name)
    if variable := os.environ.get("FASTMLP_DATA"):
        found = _find_in(as_path(variable, "FASTMLP_DATA"), name)
        if found is not None:
            return found
    cache = user_cache_folder()
    # Incomplete sets are those of an interrupted download.
    return only_set(_complete(sets_in(cache, cache / SUBFOLDER)), cache, name)


def names_in(data_dir: str | os.PathLike[str] | None) -> list[str]:
    """Return the names of the complete sets in a folder; none without a folder."""
    if data_dir is None:
        return []
    folder = as_path(data_dir, "data_dir")
    sets = sets_in(folder, folder / SUBFOLDER, *subfolders(folder))
    return sorted({found.name for found in _complete(sets)})


def _find_in(folder: Path, name: str) -> IdxSet | None:
    direct, deeper = sets_in(folder), sets_in(folder / SUBFOLDER)
    for sets in (direct, deeper, sets_in(*subfolders(folder))):
        found = only_set(_complete(sets), folder, name)
        if found is not None:
            return found
    return only_set((*direct, *deeper), folder, name)


def _complete(sets: list[IdxSet]) -> list[IdxSet]:
    return [found for found in sets if not found.missing]


def download(folder: Path, mirrors: Sequence[str] = MIRRORS) -> None:
    """Download the files that ``folder`` lacks, under their original names, checked and whole.

    Parameters
    ----------
    folder : Path
        Created if needed.
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
    """Load MNIST from where :func:`find` finds it, or download it first.

    Hashes of local files are not checked: they may be another data set of the same form.

    Parameters
    ----------
    data_dir : path-like, optional
        The only folder to search; a download is stored in its folder ``mnist``. Default: as for
        :func:`find`, and the per-user cache for a download.
    allow_download : bool, default True
        If no file of a set is found; an incomplete set is an error in any case.
    notify : callable taking one str, optional
        Called when a download begins, and if the set is not MNIST.

    Returns
    -------
    Dataset
        As :func:`load_set` returns it.

    Raises
    ------
    DataError
        If the files are missing and cannot be downloaded, or are damaged or do not fit together.
    """
    searched = user_cache_folder() if data_dir is None else as_path(data_dir, "data_dir")
    folder = searched / SUBFOLDER
    begun = data_dir is not None and allow_download and _is_begun(searched)
    found = None if begun else find(data_dir, MNIST)
    if found is None:
        if not allow_download:
            raise DataError(_missing(folder))
        if notify is not None:
            notify(f"downloading MNIST (11 MB) to {folder}")
        download(folder, MIRRORS)
        (found,) = sets_in(folder)
    elif found.name != MNIST and notify is not None:
        notify(f"data: {found.name}, found in {found.folder}")
    return load_set(found)


def _is_begun(folder: Path) -> bool:
    """Whether a folder holds nothing but an incomplete download of MNIST."""
    begun, others = sets_in(folder / SUBFOLDER), sets_in(folder, *subfolders(folder))
    return bool(begun) and not others and not _complete(begun)


def load_set(found: IdxSet) -> Dataset:
    """Load the four files of a set.

    Returns
    -------
    Dataset
        Named as the set. ``X`` uint8, of MNIST (60000, 784), and ``y`` int64, with the official
        test rows.

    Raises
    ------
    DataError
        If files are damaged or do not fit together.
    """
    X, y = _part(found, "train")
    X_test, y_test = _part(found, "test")
    if X.shape[1:] != X_test.shape[1:]:
        raise DataError(
            f"{found.folder}: training and test images must be of one size, got {X.shape[1:]} and "
            f"{X_test.shape[1:]}; put four files of one set there"
        )
    return Dataset(X, y, X_test, y_test, name=found.name)


def no_set_in(data_dir: str | os.PathLike[str]) -> DataError:
    """Return the error for a given folder without a set of images."""
    return DataError(
        f"data_dir must hold four files of a set of images ({', '.join(FILES)}, plain or .gz), got "
        f"none in {str(data_dir)!r}; correct --data-dir, leave it out, or add --data mnist, which "
        "downloads MNIST into that folder"
    )


def _missing(folder: Path, failures: str = "") -> str:
    tried = f" and could not be downloaded ({failures})" if failures else ""
    return (
        f"MNIST was not found{tried}: put {', '.join(f'{name}.gz' for name in FILES)} into {folder}"
        ", or name the folder that holds them with --data-dir or FASTMLP_DATA (--data digits needs "
        "no files)"
    )


def _part(found: IdxSet, part: str) -> tuple[np.ndarray, np.ndarray]:
    images, labels = found.files[f"{part} images"], found.files[f"{part} labels"]
    X, y = _bytes(images, n_dimensions=3), _bytes(labels, n_dimensions=1)
    if len(X) != len(y):
        raise DataError(
            f"{found.folder}: {images.name} and {labels.name} must have equal counts, got {len(X)} "
            f"images and {len(y)} labels; put four files of one set there"
        )
    return X, y.astype(np.int64)


def _bytes(path: Path, n_dimensions: int) -> np.ndarray:
    values = read_idx(path)
    if values.dtype != np.uint8 or values.ndim != n_dimensions:
        raise DataError(
            f"{path} must hold uint8 values in {n_dimensions} dimension(s), got {values.dtype} of "
            f"shape {values.shape}; put the right file there"
        )
    return values
