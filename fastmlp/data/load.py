"""Datasets by name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

import numpy as np

from ..base.errors import ConfigError, close_match
from . import mnist
from .dataset import Dataset

DataDir = str | os.PathLike[str] | None
Notify = Callable[[str], None]


def load_dataset(
    name: str = "auto",
    *,
    data_dir: DataDir = None,
    classes: Iterable[object] | None = None,
    notify: Notify | None = None,
) -> Dataset:
    """Load a dataset by name.

    Parameters
    ----------
    name : {"auto", "mnist", "digits"}, default "auto"
        auto: MNIST if its files are found, else digits. mnist: found, else downloaded. digits:
        scikit-learn's 1797 embedded images of 8 x 8.
    data_dir : path-like, optional
        First folder in which to look for files.
    classes : iterable of labels, or comma-separated str, optional
        Keep only these classes, see :meth:`Dataset.keep_classes`.
    notify : callable taking one str, optional
        Told which dataset "auto" took and when a download begins; by default printed to stderr.

    Returns
    -------
    Dataset

    Raises
    ------
    ConfigError
        For an unknown name.
    DataError
        If files are missing or damaged, or a class is unknown.
    """
    loader = LOADERS.get(name)
    if loader is None:
        raise ConfigError(f"unknown dataset {name!r}{close_match(str(name), LOADERS)}")
    dataset = loader(data_dir, notify or _print_to_stderr)
    return dataset if classes is None else dataset.keep_classes(classes)


def _auto(data_dir: DataDir, notify: Notify) -> Dataset:
    folder = mnist.find_folder(data_dir)
    if folder is not None:
        notify(f"data: MNIST, found in {folder} (for the embedded digits: --data digits)")
        return mnist.load(data_dir, allow_download=False)
    notify(
        "data: the embedded digits, because MNIST's files are in none of --data-dir, FASTMLP_DATA "
        f"and {mnist.user_cache_folder() / mnist.SUBFOLDER} (to download them: --data mnist)"
    )
    return _digits(data_dir, notify)


def _mnist(data_dir: DataDir, notify: Notify) -> Dataset:
    return mnist.load(data_dir, allow_download=True, notify=notify)


def _digits(data_dir: DataDir, notify: Notify) -> Dataset:
    # Imported here: scikit-learn takes two seconds, and only this set needs it.
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return Dataset(
        X.astype(np.uint8),
        y.astype(np.int64),
        name="digits",
        feature_range=(0, 16),
        image_shape=(8, 8),
    )


def _print_to_stderr(message: str) -> None:
    print(message, file=sys.stderr)


LOADERS: dict[str, Callable[[DataDir, Notify], Dataset]] = {
    "auto": _auto,
    "mnist": _mnist,
    "digits": _digits,
}
