"""Loading the dataset that a config names."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

from ..data import load
from ..data.dataset import Dataset
from .config import TrainConfig


def dataset_of(
    config: TrainConfig,
    data_dir: str | os.PathLike[str] | None = None,
    notify: Callable[[str], None] | None = None,
) -> Dataset:
    """Load the data of a config; see :func:`~fastmlp.data.load.load_dataset`.

    ``classes`` is applied later, by :func:`fastmlp.fit`.
    """
    return load.load_dataset(
        config.data,
        data_dir=data_dir,
        task=config.task,
        test_file=config.test_file,
        validation_file=config.validation_file,
        notify=notify,
        **dataclasses.asdict(config.table),
    )
