"""Models as safetensors files: numbers and a JSON header, so that loading executes no code."""

from __future__ import annotations

import hashlib
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
FORMAT_VERSION = 2
ENTRIES = (
    "format", "format_version", "layer_sizes", "activations", "dtype", "scale", "target_scale",
    "task", "classes", "threshold", "sha256",
)  # fmt: skip
TENSOR_DTYPES = {"float32": "F32", "float64": "F64"}  # as safetensors writes them


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
        "sha256": "",
    }
    header["sha256"] = _checksum(json.dumps(header), tensors)
    # In one entry: safetensors writes several in an order that changes from run to run.
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
            text = (file.metadata() or {}).get("fastmlp", "null")
            header = json.loads(text)
            _check_format(header, path)
            return _read(header, text, file, path)
    except DataError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"model file {path} cannot be read: {error}; it is damaged or no model, save it again"
        ) from None


def _check_format(header: Any, path: Path) -> None:
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


def _read(header: dict[str, Any], text: str, file: Any, path: Path) -> Predictor:
    """Return the model, once its header tells what tensors there must be, and they are these."""
    try:
        _check_entries(header)
        _check_tensors(_expected_tensors(header), file)  # before memory is taken for them
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if header["sha256"] != _checksum(text.replace(header["sha256"], ""), tensors):
            raise ValueError("its contents do not have the checksum that it names")
        return _build(header, tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(
            f"model file {path} does not fit together: {reason}; it is damaged, save it again"
        ) from None


def _checksum(header: str, tensors: dict[str, np.ndarray]) -> str:
    """Return the SHA-256 of a header without its own, and the numbers.

    Without it a flipped bit of a weight would pass for another weight.
    """
    digest = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        digest.update(tensors[name].data)
    return digest.hexdigest()


# What follows raises KeyError, TypeError or ValueError for what is missing or does not fit.


def _check_entries(header: dict[str, Any]) -> None:
    for name in ENTRIES:
        header[name]
    if len(header) > len(ENTRIES):
        raise ValueError(f"its header must not hold {sorted(set(header) - set(ENTRIES))[0]!r:.80}")
    sizes = header["layer_sizes"]
    if not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"layer_sizes must be whole numbers of at least 1, got {sizes!r:.80}")
    if len(sizes) < 2:
        raise ValueError(f"layer_sizes must hold two sizes or more, got {sizes}")


def _expected_tensors(header: dict[str, Any]) -> dict[str, tuple[np.dtype, list[tuple[int, ...]]]]:
    """Return the dtype and the possible shapes of each tensor."""
    sizes, dtype = header["layer_sizes"], float_dtype(header["dtype"])
    expected: dict[str, tuple[np.dtype, list[tuple[int, ...]]]] = {}
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


def _check_tensors(expected: dict[str, tuple[np.dtype, list[tuple[int, ...]]]], file: Any) -> None:
    found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    for name, (dtype, shapes) in expected.items():
        got_dtype, got_shape = found[name].get_dtype(), tuple(found[name].get_shape())
        if got_dtype != TENSOR_DTYPES[dtype.name] or got_shape not in shapes:
            raise ValueError(
                f"{name} must be {TENSOR_DTYPES[dtype.name]} of shape "
                f"{' or '.join(map(str, shapes))}, got {got_dtype} of {got_shape}"
            )
    if len(found) > len(expected):
        raise ValueError(f"it must not hold {sorted(set(found) - set(expected))[0]!r:.80}")


def _build(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> Predictor:
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


def _scaling(scale: str, name: str, tensors: dict[str, np.ndarray]) -> Scaling:
    kind = SCALERS.parse(scale).name
    return Scaling(kind, tensors[f"{name}.offset"], tensors[f"{name}.factor"])


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
