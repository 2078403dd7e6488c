"""The rows that all contenders get, by way of files: as they are read, and as float32 numbers."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastmlp
from fastmlp.training.network_checks import as_input_shape

from .case import READ, Case
from .contender import outputs_for
from .nets import Stage, stages
from .tables import csv_path, drawn, well_known, write_csv

IMAGES = "images"  # instead of a scaling: rows as they are read


class Rows(NamedTuple):
    """Training and test rows, scaled, float32, or as they are read; and their classes, int64."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    feature_range: np.ndarray  # least and largest number before scaling
    image_shape: np.ndarray  # height, width and channels; empty if rows are no images


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
        self.folder, self.name = folder, name

    @cached_property
    def images(self) -> fastmlp.Dataset:
        """The dataset of cases that name no other, loaded when it is first needed."""
        return fastmlp.load_dataset(self.name)

    def stages(self, case: Case) -> list[Stage]:
        """Return the layers of a case's network; none where none is trained.

        Raises
        ------
        ConfigError
            If the data have no images, or images that are too small.
        DataError
            If the data do not have the case's classes.
        """
        if case.kind == READ:
            return []
        if case.trains:
            data = self._dataset(case)
            rows = (data.n_features,)
            inputs = (_image_shape(data) or rows) if case.takes_images else rows
            return stages(case, inputs, outputs_for(len(np.unique(data.y))))
        X, y = well_known(case.dataset, case.estimator)
        outputs = outputs_for(len(np.unique(y))) if case.estimator == "MLPClassifier" else 1
        return stages(case, (X.shape[1],), outputs)

    def write(self, case: Case) -> None:
        """Write what workers need for a case, unless it is there."""
        if case.kind == READ:
            write_csv(csv_path(self.folder, case), case.rows)
        elif case.trains:
            self._write_rows(case, case.scale)
            if case.from_images:
                self._write_rows(case, IMAGES)

    def _write_rows(self, case: Case, scale: str) -> None:
        if _path(self.folder, case, scale, "X").exists():
            return
        for field, array in zip(Rows._fields, _scaled(self._dataset(case), scale), strict=True):
            np.save(_path(self.folder, case, scale, field), array)

    def _dataset(self, case: Case) -> fastmlp.Dataset:
        if case.table:
            return drawn(*case.table)
        return self.images.keep_classes(case.classes) if case.classes else self.images


def rows_name(case: Case, scale: str) -> str:
    """Return a name for the rows of a case, the same for all cases with the same rows."""
    data = "x".join(map(str, case.table)) if case.table else "-".join(["images", *case.classes])
    return f"{data}-{scale}"


def _path(folder: Path, case: Case, scale: str, field: str) -> Path:
    return folder / f"{rows_name(case, scale)}-{field}.npy"


def _image_shape(data: fastmlp.Dataset) -> tuple[int, ...]:
    return as_input_shape(data.image_shape) if data.image_shape else ()


def _scaled(data: fastmlp.Dataset, scale: str) -> Rows:
    X, y, X_test, y_test = data.X, data.y, data.X_test, data.y_test
    if X_test is None or y_test is None:
        X_test, y_test = X, y
    low, high = feature_range = np.array(data.feature_range or (X.min(), X.max()), float)
    classes, codes = np.unique(y, return_inverse=True)
    labels = codes.astype(np.int64), np.searchsorted(classes, y_test).astype(np.int64)
    facts = feature_range, np.array(_image_shape(data), int)
    if scale == IMAGES:
        return Rows(X, labels[0], X_test, labels[1], *facts)
    if scale == "unit":
        mean, width = np.array(low, np.float32), np.array(high - low, np.float32)
    else:
        mean = X.mean(0, dtype=np.float64).astype(np.float32)
        width = X.std(0, dtype=np.float64).astype(np.float32)
        width = np.where(width == 0, np.float32(1), width)

    def scaled(part: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray((part.astype(np.float32) - mean) / width)

    return Rows(scaled(X), labels[0], scaled(X_test), labels[1], *facts)


def read(folder: Path, case: Case, scale: str) -> Rows:
    """Read what :meth:`Store.write` wrote, into memory that is the process's own."""
    return Rows(*(np.load(_path(folder, case, scale, field)) for field in Rows._fields))
