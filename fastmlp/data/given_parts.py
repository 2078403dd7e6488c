"""Checks on test and validation rows that are given beside training rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..base.conversion import as_dense, as_plain
from ..base.csr import Features, canonical, is_sparse
from ..base.errors import DataError
from ..base.image_rows import rows_of_images
from ..base.named_columns import frame_columns
from ..base.table_rows import is_table
from .input_checks import feature_matrix
from .table_columns import table_part
from .targets import Targets, dataset_targets


class TrainingRows(NamedTuple):
    """Training rows, which further rows must match.

    Attributes
    ----------
    X : ndarray or csr_array, shape (n, n_features)
    targets : Targets
    feature_names, target_names : tuple of str or None
        Of the columns as they were given, also of one-hot labels.
    shape : (int, int, int) or None
        Shape of an image, if the rows were given as images.
    """

    X: Features
    targets: Targets
    feature_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None
    shape: tuple[int, int, int] | None


def check_part(part: str, X: Any, y: Any, training: TrainingRows) -> tuple[Features, np.ndarray]:
    """Return the features and targets of a part, checked against those of the training rows.

    Parameters
    ----------
    part : {"test", "validation"}
    X, y : array_like or None
        Both or neither may be None.
    training : TrainingRows

    Returns
    -------
    X : ndarray or csr_array, as the training rows are
    y : ndarray

    Raises
    ------
    DataError
    """
    X_name, y_name = f"X_{part}", f"y_{part}"
    if X is None or y is None:
        missing, given = (X_name, y_name) if X is None else (y_name, X_name)
        raise DataError(f"{missing} must come with {given}, got None; pass both or neither")
    X = _part_features(X, X_name, training)
    names, select = training.target_names, None
    if names is not None and len(names) > 1:
        select = frame_columns(names, (), y_name, stacklevel=7)  # the caller of Dataset
    y = dataset_targets(y, y_name, training.targets.task, training.targets.one_hot, select).y
    check_lengths(X, y, X_name, y_name)
    wanted = training.targets.y
    if y.shape[1:] != wanted.shape[1:]:
        raise DataError(
            f"{y_name} must have as many outputs as y, got shapes {y.shape} and "
            f"{wanted.shape}; select the same targets in both"
        )
    if (y.dtype.kind == "U") != (wanted.dtype.kind == "U"):
        raise DataError(
            f"{y_name} must hold labels of the type in y, {wanted.dtype}, got {y.dtype}; "
            "convert one of them, for example with astype(str)"
        )
    return X, y


def check_lengths(X: Features, y: np.ndarray, X_name: str, y_name: str) -> None:
    """Raise DataError unless there is a target for each row."""
    if X.shape[0] != len(y):
        raise DataError(
            f"{y_name} must have one entry per row of {X_name}, {X.shape[0]}, got {len(y)}; "
            "select the same rows in both"
        )


def _part_features(value: Any, name: str, training: TrainingRows) -> Features:
    if is_table(training.X):
        return table_part(value, name, training.X, training.target_names)
    # Warnings name the caller of Dataset.
    find = frame_columns(training.feature_names, training.target_names, name, stacklevel=7)
    plain, names = as_plain(value, name, find)
    rows = rows_of_images(plain, training.shape)
    if None not in (rows.shape, training.shape) and rows.shape != training.shape:
        raise DataError(
            f"{name} must hold images of the shape in X (height, width, channels), "
            f"{training.shape}, got {rows.shape}; crop or resize them alike"
        )
    plain = rows.X
    if is_sparse(plain) and not is_sparse(training.X):
        plain = as_dense(plain, name, "a dense X", "pass X as a sparse matrix")
    X = feature_matrix(plain, name, names)
    if X.shape[1] != training.X.shape[1]:
        raise DataError(
            f"{name} must have as many features as X, {training.X.shape[1]}, got "
            f"{X.shape[1]}; select the same columns in both"
        )
    return canonical(X, name) if is_sparse(training.X) else X
