"""Models as safetensors files: numbers and a JSON header, so that loading executes no code."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import DataError, FastMLPError
from ..base.files import write_atomically
from ..ops.activations import ACTIVATIONS
from ..ops.scalers import SCALERS, Scaling
from .memory import float_dtype
from .network import Network
from .predictor import Predictor
from .task import Task

FORMAT = "fastmlp-model"
FORMAT_VERSION = 1


def save_predictor(predictor: Predictor, path: str | os.PathLike[str]) -> None:
    """Write weights, scaling and classes; see :meth:`Predictor.save`."""
    from safetensors.numpy import save

    network, task = predictor.network, predictor.task
    tensors = {
        "scaling.offset": predictor.scaling.offset,
        "scaling.factor": predictor.scaling.factor,
    }
    if task.target_scaling is not None:
        tensors["target_scaling.offset"] = task.target_scaling.offset
        tensors["target_scaling.factor"] = task.target_scaling.factor
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        tensors[f"layer{layer}.weights"] = np.ascontiguousarray(weights)
        tensors[f"layer{layer}.biases"] = np.ascontiguousarray(biases)
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "layer_sizes": list(network.layer_sizes),
        "activations": [str(activation) for activation in network.activations],
        "dtype": network.dtype.name,
        "scale": predictor.scaling.kind,
        "target_scale": None if task.target_scaling is None else task.target_scaling.kind,
        "task": task.kind,
        "classes": None if task.classes is None else task.classes.tolist(),
        "threshold": task.threshold,
    }
    content = save(tensors, {"fastmlp": json.dumps(header)})
    try:
        write_atomically(Path(path), content)
    except (OSError, ValueError) as error:
        raise FastMLPError(
            f"model file {path} cannot be written: {getattr(error, 'strerror', None) or error}; "
            "name a file in a folder that exists and that you may write to"
        ) from error


def load_predictor(path: str | os.PathLike[str]) -> Predictor:
    """Read what :func:`save_predictor` wrote; see :meth:`Predictor.load`."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    try:
        if not path.is_file():
            raise DataError(f"model file {path} does not exist; check its name and folder")
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("fastmlp", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except DataError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"model file {path} cannot be read: {error}; it is damaged or no model, save it again"
        ) from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(
            f"{path} is no fastmlp model: its header does not say {FORMAT}; "
            "give a file that Predictor.save wrote"
        )
    if header.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"model file {path} has format version {header.get('format_version')!r}, this fastmlp "
            f"reads {FORMAT_VERSION}; use the fastmlp that wrote it"
        )
    try:
        return _build(header, tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(
            f"model file {path} does not fit together: {reason}; it is damaged, save it again"
        ) from None


def _build(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> Predictor:
    """Return the model; KeyError, TypeError or ValueError for what is missing or does not fit."""
    sizes, dtype = header["layer_sizes"], float_dtype(header["dtype"])
    if not all(type(size) is int for size in sizes):
        raise ValueError(f"layer_sizes must be whole numbers, got {sizes}")
    shapes = list(pairwise(sizes))
    weights = [_tensor(tensors, f"layer{n}.weights", dtype) for n in range(len(shapes))]
    biases = [_tensor(tensors, f"layer{n}.biases", dtype) for n in range(len(shapes))]
    if [array.shape for array in weights] != shapes:  # before memory is taken for those sizes
        raise ValueError(f"layer_sizes {sizes} do not fit the weights")
    network = Network(sizes, [ACTIVATIONS.parse(text) for text in header["activations"]], dtype)
    network.set_weights(weights, biases)
    scaling = _scaling(header["scale"], "scaling", tensors, sizes[0])
    task = _task(header, sizes[-1])
    if header.get("target_scale") is not None:  # files of before target scaling have no entry
        if task.kind != "regression":
            raise ValueError(f"target_scale does not fit task {task.kind}")
        targets = _scaling(header["target_scale"], "target_scaling", tensors, sizes[-1])
        task = replace(task, target_scaling=targets)
    return Predictor(network, scaling, task)


def _tensor(tensors: dict[str, np.ndarray], name: str, dtype: np.dtype) -> np.ndarray:
    tensor = tensors[name]
    if tensor.dtype != dtype or not np.isfinite(tensor).all():
        raise ValueError(f"{name} must hold finite numbers of type {dtype}")
    return tensor


def _scaling(scale: str, name: str, tensors: dict[str, np.ndarray], width: int) -> Scaling:
    float64 = np.dtype(np.float64)
    offset, factor = (_tensor(tensors, f"{name}.{part}", float64) for part in ("offset", "factor"))
    if not {offset.shape, factor.shape} <= {(1,), (width,)}:
        raise ValueError(f"{name} does not fit {width} columns")
    return Scaling(SCALERS.parse(scale).name, offset, factor)


def _task(header: dict[str, Any], n_outputs: int) -> Task:
    kind, threshold = header["task"], header["threshold"]
    classes = None if header["classes"] is None else np.array(header["classes"])
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
        and len({type(label) for label in header["classes"]}) == 1
        and np.array_equal(np.unique(classes), classes)
    ):
        raise ValueError("classes must be different labels of one type, in order")
    if not (isinstance(threshold, float) and 0 < threshold < 1):
        raise ValueError(f"threshold must be between 0 and 1, got {threshold}")
    return Task(kind, n_outputs, classes, threshold)
