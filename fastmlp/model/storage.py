"""Models as files: weights, scaling and classes."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..ops.activations import ACTIVATIONS
from ..ops.scalers import SCALERS, Scaling
from .memory import float_dtype
from .network import Network
from .predictor import Predictor
from .task import Task
from .tensor_file import Expected, Format, Header, Tensors, read_tensors, write_tensors

MODEL = Format(
    "model",
    version=2,
    entries=(
        "layer_sizes", "activations", "dtype", "scale", "target_scale", "task", "classes",
        "threshold",
    ),
    advice="give a file that Predictor.save wrote",
)  # fmt: skip


def save_predictor(predictor: Predictor, path: str | os.PathLike[str]) -> None:
    """Write weights, scaling and classes; see :meth:`Predictor.save`."""
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
        "layer_sizes": list(network.layer_sizes),
        "activations": [str(activation) for activation in network.activations],
        "dtype": network.dtype.name,
        "scale": predictor.scaling.kind,
        "target_scale": None if task.target_scaling is None else task.target_scaling.kind,
        "task": task.kind,
        "classes": None if task.classes is None else task.classes.tolist(),
        "threshold": task.threshold,
    }
    write_tensors(path, MODEL, header, tensors)


def load_predictor(path: str | os.PathLike[str]) -> Predictor:
    """Read what :func:`save_predictor` wrote; see :meth:`Predictor.load`."""
    return read_tensors(path, MODEL, _expected_tensors, _build)


# What follows raises KeyError, TypeError or ValueError for what is missing or does not fit.


def _expected_tensors(header: Header) -> Expected:
    """Return the dtype and the possible shapes of each tensor."""
    _check_sizes(header["layer_sizes"])
    sizes, dtype = header["layer_sizes"], float_dtype(header["dtype"])
    expected: dict[str, Any] = {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        expected[f"layer{layer}.weights"] = (dtype, [(n_in, n_out)])
        expected[f"layer{layer}.biases"] = (dtype, [(n_out,)])
    scalings = {"scaling": sizes[0]}
    if header["target_scale"] is not None:
        scalings["target_scaling"] = sizes[-1]
    for name, width in scalings.items():
        for part in ("offset", "factor"):
            expected[f"{name}.{part}"] = (np.dtype(np.float64), [(width,), (1,)])
    return expected


def _check_sizes(sizes: Any) -> None:
    if not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"layer_sizes must be whole numbers of at least 1, got {sizes!r:.80}")
    if len(sizes) < 2:
        raise ValueError(f"layer_sizes must hold two sizes or more, got {sizes}")


def _build(header: Header, tensors: Tensors) -> Predictor:
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} must hold finite numbers")
    sizes = header["layer_sizes"]
    activations = [ACTIVATIONS.parse(text) for text in header["activations"]]
    network = Network(sizes, activations, header["dtype"])
    layers = range(network.depth)
    network.set_weights(
        [tensors[f"layer{layer}.weights"] for layer in layers],
        [tensors[f"layer{layer}.biases"] for layer in layers],
    )
    task = _task(header, sizes[-1])
    if header["target_scale"] is not None:
        if task.kind != "regression":
            raise ValueError(f"target_scale does not fit task {task.kind}")
        targets = _scaling(header["target_scale"], "target_scaling", tensors)
        task = replace(task, target_scaling=targets)
    return Predictor(network, _scaling(header["scale"], "scaling", tensors), task)


def _scaling(scale: str, name: str, tensors: Tensors) -> Scaling:
    kind = SCALERS.parse(scale).name
    return Scaling(kind, tensors[f"{name}.offset"], tensors[f"{name}.factor"])


def _task(header: Header, n_outputs: int) -> Task:
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
