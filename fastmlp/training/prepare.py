"""From a dataset to the arrays that kernels take: split, scaled, encoded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.errors import ConfigError, DataError
from ..data.dataset import Dataset
from ..data.split import parts
from ..kernels.buffers import Data
from ..model.task import Task
from ..ops.scalers import SCALERS, Scaling
from .config import TrainConfig


class Prepared(NamedTuple):
    """The parts of a dataset, ready for kernels; None for a part that is not there."""

    train: Data
    validation: Data | None
    test: Data | None
    scaling: Scaling


def prepare(dataset: Dataset, config: TrainConfig, task: Task) -> Prepared:
    """Split, fit the scaling on the training part, scale and encode.

    Parameters
    ----------
    dataset : Dataset
    config : TrainConfig
        Resolved.
    task : Task

    Raises
    ------
    ConfigError
        If the data cannot be split, or are too few for a validation set.
    DataError
        If labels are unknown, or the training part holds a single class.
    """
    split = parts(dataset, split=config.split, validation=config.validation, seed=config.seed)
    if split.X_validation is None and config.validation > 0:
        raise ConfigError(
            f"validation must be 0 with a single training row, got {config.validation}; "
            "use more rows, or set it to 0"
        )
    scaling = SCALERS.parse(config.scale).fit(split.X_train, dataset.feature_range)

    dtype = np.dtype(config.dtype)

    def encoded(X: np.ndarray | None, y: np.ndarray | None) -> Data | None:
        return None if X is None or y is None else encode(X, y, scaling, task, dtype)

    return Prepared(
        encode(split.X_train, split.y_train, scaling, task, dtype),
        encoded(split.X_validation, split.y_validation),
        encoded(split.X_test, split.y_test),
        scaling,
    )


def encode(X: np.ndarray, y: np.ndarray, scaling: Scaling, task: Task, dtype: np.dtype) -> Data:
    """Return rows as kernels take them, in their own order.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
    y : ndarray, shape (n,) or (n, n_outputs)
    scaling : Scaling
    task : Task
    dtype : dtype

    Raises
    ------
    DataError
        If a label is unknown, or a scaled feature is beyond the range of ``dtype``.
    """
    labels, targets = task.encode(y, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = scaling.apply(X, dtype)
    if X.dtype.kind == "f" and not np.isfinite(scaled).all():
        raise DataError(
            f"X must stay in the range of {dtype} when scaled by {scaling.kind}, got more; "
            "scale by standard or minmax, or use dtype float64"
        )
    return Data(scaled, labels, targets, np.arange(len(X)))
