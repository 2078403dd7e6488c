"""Regression targets for the kernels: scaled, and in the range of their dtype."""

from __future__ import annotations

import numpy as np

from ..base.errors import DataError
from ..model.task import Task
from ..ops.losses import LOSSES
from ..ops.scalers import SCALERS, Scaling
from .config import TrainConfig


def fit_target_scaling(config: TrainConfig, y: np.ndarray) -> Scaling:
    """Fit ``target_scale`` on the targets of the training part.

    Parameters
    ----------
    config : TrainConfig
        Resolved.
    y : ndarray, shape (n,) or (n, n_outputs)

    Raises
    ------
    DataError
        If their spread or its square exceeds float64.
    """
    try:
        return SCALERS.parse(config.target_scale).fit(y.reshape(len(y), -1), None)
    except DataError:
        raise DataError(
            f"targets exceed float64: y spreads from {y.min():.3g} to {y.max():.3g}, too "
            f"far for target_scale {config.target_scale}; divide y by a constant"
        ) from None


def encode_targets(task: Task, y: np.ndarray, config: TrainConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return (labels, targets) as :meth:`~fastmlp.model.task.Task.encode` does.

    Parameters
    ----------
    task : Task
    y : ndarray, shape (n,) or (n, n_outputs)
    config : TrainConfig
        Resolved.

    Raises
    ------
    DataError
        As for ``Task.encode``; also if the loss squares errors and the square of a target exceeds
        the network's dtype.
    """
    dtype = np.dtype(config.dtype)
    labels, targets = task.encode(y, dtype)
    if task.kind != "regression" or not LOSSES.parse(config.loss).squares_errors:
        return labels, targets
    with np.errstate(over="ignore"):
        squares = np.square(targets).sum(axis=1)
    if not np.isfinite(squares).all():
        wider = "use dtype float64, or " if dtype == np.float32 else ""
        raise DataError(
            f"targets exceed {dtype}: y reaches {np.abs(y).max():.3g} in size, which loss "
            f"{config.loss} squares; {wider}scale them (target_scale standard; for an estimator "
            "sklearn.compose.TransformedTargetRegressor), or divide them by a constant"
        )
    return labels, targets
