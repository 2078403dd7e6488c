"""Loading the dataset that a config names, and the rows of it that the config selects."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

import numpy as np

from ..base.errors import DataError
from ..base.wording import listed
from ..data import load
from ..data.dataset import Dataset
from ..data.gaps import complete_rows, gaps_by_column, without_gaps
from .config import TrainConfig


def dataset_of(
    config: TrainConfig,
    data_dir: str | os.PathLike[str] | None = None,
    notify: Callable[[str], None] | None = None,
) -> Dataset:
    """Load the data of a config; see :func:`~fastmlp.data.load.load_dataset`.

    ``classes`` and ``missing`` are applied later, by :func:`fastmlp.fit`.
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


def selected_rows(dataset: Dataset, config: TrainConfig) -> Dataset:
    """Return the rows of a config's ``classes``, without rows with gaps if ``missing`` is drop.

    Raises
    ------
    DataError
        If a class is unknown, no row is left, or values are missing and ``missing`` is error.
    """
    if config.classes:
        dataset = dataset.keep_classes(config.classes)
    if config.missing == "drop":
        return without_gaps(dataset)
    if config.missing == "error" and (gaps := gaps_by_column(dataset)):
        shown = listed([f"{name} ({n})" for name, n in gaps.items()])
        raise DataError(
            f"{dataset.name} must have no missing values with missing 'error', got gaps in "
            f"column(s) {shown}; use 'impute' or 'drop', or fill them"
        )
    return dataset


def selected_weights(
    dataset: Dataset, config: TrainConfig, sample_weight: np.ndarray | None
) -> np.ndarray | None:
    """Return the weights of the rows that :func:`selected_rows` keeps."""
    if sample_weight is None or np.shape(sample_weight) != dataset.y.shape:
        return sample_weight
    rows = np.ones(len(dataset.y), bool)
    if config.classes:
        kept = dataset.keep_classes(config.classes)
        rows &= np.isin(dataset.y, [] if kept.classes is None else kept.classes)
    if config.missing == "drop":
        rows &= complete_rows(dataset)
    return sample_weight if rows.all() else np.asarray(sample_weight)[rows]
