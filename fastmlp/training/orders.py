"""The order in which an epoch takes the training rows."""

from __future__ import annotations

import numpy as np

from ..base.random import Purpose, stream
from ..kernels.buffers import Data
from .config import TrainConfig


def draw_order(config: TrainConfig, data: Data, epoch: int) -> np.ndarray:
    """Return the indices of the rows of an epoch (from 1), by ``sampling`` and the seed."""
    n = len(data.X)
    if config.sampling == "replacement":
        return stream(config.seed, Purpose.SAMPLE, epoch).integers(0, n, size=n)
    if config.mode == "batch" or config.sampling == "in_order":
        return np.asarray(data.order)
    return stream(config.seed, Purpose.SHUFFLE, epoch).permutation(n)
