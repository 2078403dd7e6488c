"""Dropout rates and weight decay by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels.buffers import Objective
from ..ops.optimizers import OPTIMIZERS
from ..ops.schedules import SCHEDULES


def is_constant(config: Any) -> bool:
    """Whether dropout rates and weight decay are the same in every epoch."""
    schedules = (config.dropout_schedule, config.weight_decay_schedule)
    return all(SCHEDULES.parse(schedule).is_constant for schedule in schedules)


def dropout_of(config: Any, epoch: int, rates: np.ndarray) -> np.ndarray:
    """Return the dropout rates of an epoch (from 1), given those of the layers."""
    return rates * _factor(config.dropout_schedule, config, epoch)


def with_decay_of(config: Any, epoch: int, objective: Objective) -> Objective:
    """Return the objective with the optimizer's weight decay of an epoch (from 1)."""
    factor = _factor(config.weight_decay_schedule, config, epoch)
    parameters = OPTIMIZERS.parse(config.optimizer).with_decay(factor).kernel_parameters
    return objective._replace(optimizer_parameters=np.array(parameters, np.float64))


def _factor(schedule: str, config: Any, epoch: int) -> float:
    """Return a schedule's factor of an epoch, with an update an epoch."""
    return float(SCHEDULES.parse(schedule).factors(epoch - 1, epoch, 1, config.epochs)[0])
