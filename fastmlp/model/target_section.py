"""The parts of a model file that say what its outputs mean: the task and the scalings."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.losses import Quantile
from ..ops.scalers import SCALERS, Scaling
from .task import Task
from .tensor_file import Header, Tensors

# These raise KeyError, TypeError or ValueError for what is missing or does not fit.


def scaling_of(scale: str, name: str, tensors: Tensors) -> Scaling:
    scaler = SCALERS.parse(scale)
    return Scaling(scaler.name, tensors[f"{name}.offset"], tensors[f"{name}.factor"], scaler.clip)


def range_of(values: Any, task: Task) -> np.ndarray:
    found = np.array(values, float)
    is_range = found.shape == (2, task.n_targets) and np.isfinite(found).all()
    if task.kind != "regression" or not is_range or not (found[0] <= found[1]).all():
        raise ValueError("target_range must hold the least and the largest target of each output")
    return found


def task_of(section: Header, tensors: Tensors, n_outputs: int, levels: list[float] | None) -> Task:
    kind, threshold, labels = section["task"], section["threshold"], section["classes"]
    classes = None if labels is None else np.array(labels)
    found = (kind, 0 if classes is None else len(classes), n_outputs)
    if found not in (
        ("regression", 0, n_outputs),
        ("binary", 2, 1),
        ("multiclass", n_outputs, n_outputs),
        ("multilabel", 0, n_outputs),
    ):
        raise ValueError(f"task {kind} with {found[1]} classes does not fit {n_outputs} outputs")
    if classes is not None and not (
        classes.dtype.kind in "biuU"
        and len({type(label) for label in labels}) == 1
        and np.array_equal(np.unique(classes), classes)
    ):
        raise ValueError("classes must be different labels of one type, in order")
    if not (isinstance(threshold, float) and 0 < threshold < 1):
        raise ValueError(f"threshold must be between 0 and 1, got {threshold}")
    scaling = None
    if section["scale"] is not None:
        if kind != "regression":
            raise ValueError(f"target scaling does not fit task {kind}")
        scaling = scaling_of(section["scale"], "target_scaling", tensors)
    quantiles = () if levels is None else Quantile(tuple(map(float, levels))).levels
    if quantiles and (kind != "regression" or len(quantiles) != n_outputs):
        raise ValueError(f"{len(quantiles)} quantiles do not fit {kind} with {n_outputs} outputs")
    return Task(kind, n_outputs, classes, threshold, scaling, quantiles)
