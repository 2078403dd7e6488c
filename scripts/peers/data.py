"""The rows that all contenders get, by way of files: as they are read, and as float32 numbers."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastmlp

IMAGES = "images"  # in the place of a scaling: rows as they are read


class Rows(NamedTuple):
    """Training and test rows, scaled, float32, or as they are read; and their classes, int64."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    feature_range: np.ndarray  # least and largest number before scaling


class Store:
    """A folder in which rows are laid down for worker processes.

    Parameters
    ----------
    folder : path
        Existing and empty; its removal is the caller's.
    name : str
        A dataset with classes, as :func:`fastmlp.load_dataset` takes it.
    """

    def __init__(self, folder: Path, name: str):
        self.folder = folder
        self.dataset = fastmlp.load_dataset(name)

    @property
    def sizes(self) -> tuple[int, int]:
        """The number of features and of classes."""
        return self.dataset.X.shape[1], len(np.unique(self.dataset.y))

    def write(self, scale: str) -> None:
        """Write the rows of one scaling, or ``IMAGES``, unless they are there."""
        if (self.folder / f"{scale}-X.npy").exists():
            return
        for field, array in zip(Rows._fields, self._scaled(scale), strict=True):
            np.save(self.folder / f"{scale}-{field}.npy", array)

    def _scaled(self, scale: str) -> Rows:
        data = self.dataset
        X, y, X_test, y_test = data.X, data.y, data.X_test, data.y_test
        if X_test is None or y_test is None:
            X_test, y_test = X, y
        low, high = feature_range = np.array(data.feature_range or (X.min(), X.max()), float)
        classes, codes = np.unique(y, return_inverse=True)
        labels = codes.astype(np.int64), np.searchsorted(classes, y_test).astype(np.int64)
        if scale == IMAGES:
            return Rows(X, labels[0], X_test, labels[1], feature_range)
        if scale == "unit":
            mean, width = np.array(low, np.float32), np.array(high - low, np.float32)
        else:
            mean = X.mean(0, dtype=np.float64).astype(np.float32)
            width = X.std(0, dtype=np.float64).astype(np.float32)
            width = np.where(width == 0, np.float32(1), width)

        def scaled(part: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray((part.astype(np.float32) - mean) / width)

        return Rows(scaled(X), labels[0], scaled(X_test), labels[1], feature_range)


def read(folder: Path, scale: str) -> Rows:
    """Read what :meth:`Store.write` wrote, into memory that is the process's own."""
    return Rows(*(np.load(folder / f"{scale}-{field}.npy") for field in Rows._fields))
