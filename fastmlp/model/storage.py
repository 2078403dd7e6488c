"""Models as safetensors files: numbers and a JSON header, so that loading executes no code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import DataError, FastMLPError
from ..base.files import write_atomically
from ..ops.activations import ACTIVATIONS
from ..ops.scalers import Scaling
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
        "task": task.kind,
        "classes": None if task.classes is None else task.classes.tolist(),
        "threshold": task.threshold,
    }
    write_atomically(Path(path), save(tensors, {"fastmlp": json.dumps(header)}))


def load_predictor(path: str | os.PathLike[str]) -> Predictor:
    """Read what :func:`save_predictor` wrote; see :meth:`Predictor.load`."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise DataError(f"model file {path} does not exist")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("fastmlp", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"model file {path} cannot be read: {error}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(f"{path} is no fastmlp model: its header names none")
    if header.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"model file {path} has format version {header.get('format_version')}, this fastmlp "
            f"reads {FORMAT_VERSION}; use the fastmlp that wrote it"
        )
    try:
        return _build(header, tensors)
    except (KeyError, TypeError, ValueError, AttributeError, FastMLPError) as error:
        raise DataError(f"model file {path} does not fit together: {error!r}") from None


def _build(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> Predictor:
    activations = [ACTIVATIONS.parse(text) for text in header["activations"]]
    sizes = header["layer_sizes"]
    weights = [tensors[f"layer{layer}.weights"] for layer in range(len(activations))]
    biases = [tensors[f"layer{layer}.biases"] for layer in range(len(activations))]
    if [len(weights[0]), *(w.shape[1] for w in weights)] != sizes:
        raise ValueError("layer_sizes and the shapes of the weights differ")
    network = Network(sizes, activations, header["dtype"])
    network.set_weights(weights, biases)
    scaling = Scaling(header["scale"], tensors["scaling.offset"], tensors["scaling.factor"])
    if scaling.offset.shape not in ((1,), (sizes[0],)) or (
        scaling.factor.shape not in ((1,), (sizes[0],))
    ):
        raise ValueError("the scaling does not fit the inputs")
    classes = None if header["classes"] is None else np.array(header["classes"])
    task = Task(header["task"], sizes[-1], classes, float(header["threshold"]))
    expected = {"regression": 0, "binary": 2, "multiclass": sizes[-1]}[task.kind]
    if (0 if classes is None else len(classes)) != expected:
        raise ValueError("the number of classes does not fit the outputs")
    return Predictor(network, scaling, task)
