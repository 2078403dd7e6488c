"""Data prepared once for all runs that take them alike, whichever thread asks first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from ..data.dataset import Dataset
from .plan import drops_inputs, is_per_sample, takes_few_rows, takes_sample_blocks
from .prepare import Prepared, prepare
from .resolve import Resolved


class Preparations:
    """Keeps what :func:`~fastmlp.training.prepare.prepare` returned, without the test part.

    Nobody writes to what is prepared: runs of several threads may share it.

    Parameters
    ----------
    most : int, default 8
        How many are kept; beyond, those that nobody asked for longest are prepared anew.
    """

    def __init__(self, most: int = 8):
        self.most = most
        self._kept: OrderedDict[Hashable, Prepared] = OrderedDict()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, dataset: Dataset, data_key: str, resolved: Resolved) -> Prepared:
        """Return a dataset as a run takes it.

        Parameters
        ----------
        dataset : Dataset
            Already without the classes that the config leaves out.
        data_key : str
            What tells the dataset, before that, from others.
        resolved : Resolved

        Raises
        ------
        ConfigError, DataError
            As for :func:`~fastmlp.training.prepare.prepare`.
        """
        key = (data_key, *preparation_key(resolved))
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            prepared = prepare(dataset, resolved.config, resolved.task)._replace(test=None)
            with self._lock:
                self._kept[key] = prepared
                while len(self._kept) > self.most:
                    self._kept.popitem(last=False)
            return prepared


def preparation_key(resolved: Resolved) -> tuple[Hashable, ...]:
    """Return all that decides how a dataset is split, scaled and encoded."""
    config, task = resolved.config, resolved.task
    return (
        config.classes, *config.split_settings.values(), config.scale, config.target_scale,
        config.dtype, config.class_weight, task.kind, task.n_outputs,
        # How rows are kept, see plan_inputs.
        is_per_sample(config), takes_sample_blocks(config), drops_inputs(config),
        takes_few_rows(config),
    )  # fmt: skip
