"""The order in which an epoch takes the training rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ..base.random import Purpose, stream
from ..kernels.buffers import Data
from .config import TrainConfig


class Orders:
    """The orders of the epochs of a run, some of which are drawn ahead.

    Parameters
    ----------
    config : TrainConfig
    data : Data

    Attributes
    ----------
    draw : callable
        Returns the indices of the rows of an epoch, given its number, in the order of their use; by
        default :func:`draw_order`. Called once for each epoch, in their order.
    """

    def __init__(self, config: TrainConfig, data: Data):
        self.draw: Callable[[int], np.ndarray] = partial(draw_order, config, data)
        self._drawn: dict[int, np.ndarray] = {}

    def of(self, epochs: Sequence[int]) -> list[np.ndarray]:
        """Return the orders of consecutive epochs; those of earlier epochs are forgotten."""
        first = epochs[0]
        self._drawn = {epoch: order for epoch, order in self._drawn.items() if epoch >= first}
        for epoch in epochs:
            if epoch not in self._drawn:
                self._drawn[epoch] = self.draw(epoch)
        return [self._drawn[epoch] for epoch in epochs]


def draw_order(config: TrainConfig, data: Data, epoch: int) -> np.ndarray:
    """Return the indices of the rows of an epoch (from 1), by ``sampling`` and the seed."""
    n = len(data.X)
    if config.sampling == "replacement":
        return stream(config.seed, Purpose.SAMPLE, epoch).integers(0, n, size=n)
    if config.mode == "batch" or config.sampling == "in_order":
        return np.asarray(data.order)
    return stream(config.seed, Purpose.SHUFFLE, epoch).permutation(n)
