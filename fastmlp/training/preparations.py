"""A cache of prepared data for runs in several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from ..data.dataset import Dataset
from .plan import is_per_sample, takes_few_rows, takes_sample_blocks, why_dense
from .prepare import Prepared, prepare
from .resolve import Resolved


class Preparations:
    """Caches the results of :func:`~fastmlp.training.prepare.prepare`, without the test part.

    Prepared data are never modified, so runs in several threads can share them.

    Parameters
    ----------
    most : int, default 8
        Maximum number of entries; the least recently used are dropped.
    """

    def __init__(self, most: int = 8):
        self.most = most
        self._kept: OrderedDict[Hashable, Prepared] = OrderedDict()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, dataset: Dataset, data_key: str, resolved: Resolved) -> Prepared:
        """Return a dataset prepared for a run.

        Parameters
        ----------
        dataset : Dataset
            Only the rows that the config selects.
        data_key : str
            Identifies the dataset before rows are selected.
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
    """Return everything that determines how a dataset is split, scaled and encoded."""
    config, task = resolved.config, resolved.task
    return (
        config.classes, config.missing, config.min_frequency, *config.split_settings.values(),
        config.scale, config.target_scale,
        config.dtype, config.class_weight, task.kind, task.n_outputs, task.quantiles,
        # How rows are stored, see plan_inputs.
        is_per_sample(config), takes_sample_blocks(config), why_dense(config),
        takes_few_rows(config),
    )  # fmt: skip
