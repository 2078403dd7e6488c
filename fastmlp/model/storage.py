"""Models as files: a header of named sections, and tensors."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import Any

import numpy as np

from ..base.random import MOST_MODELS
from ..base.table_options import TableOptions
from .column_section import column_section, encoding_of
from .features import STATISTICS, FeatureInfo
from .layer_section import (
    KEYS,
    expected_layer_tensors,
    layer_section,
    layer_tensors,
    network_of,
    section_of_sizes,
)
from .predictor import Predictor
from .target_section import range_of, scaling_of, task_of
from .tensor_file import (
    Expected,
    Format,
    Header,
    Tensors,
    Upgrade,
    check_keys,
    read_tensors,
    write_tensors,
)

SECTIONS = {
    "features": ("names", "kinds", "image_shape", "scale", "has_statistics"),
    "target": ("task", "names", "classes", "threshold", "scale"),
    "layers": KEYS,
    "table": None,  # options that differ from their defaults
}


COLUMNS = "columns"  # only of models of tables with columns of several kinds
QUANTILES = "quantiles"  # only of models whose outputs are quantiles
RANGE = "target_range"  # only of models that limit their predictions
MODELS = "models"  # the number of networks, only of ensembles


def _sections_of_format_2(header: Header) -> Header:
    return {
        "features": {
            "names": None,
            "kinds": [],
            "image_shape": None,
            "scale": header["scale"],
            "has_statistics": False,
        },
        "target": {
            "task": header["task"],
            "names": None,
            "classes": header["classes"],
            "threshold": header["threshold"],
            "scale": header["target_scale"],
        },
        "layers": {
            "sizes": header["layer_sizes"],
            "activations": header["activations"],
            "dtype": header["dtype"],
        },
        "table": {},
    }


def _sections_of_format_3(header: Header) -> Header:
    layers = header["layers"]
    check_section(layers, "layers", ("sizes", "activations", "dtype"))
    return {**{name: header[name] for name in SECTIONS}, "layers": section_of_sizes(layers)}


def check_section(section: Any, name: str, keys: tuple[str, ...] | None) -> None:
    """Raise TypeError, KeyError or ValueError unless a section has these keys; None: any."""
    if not isinstance(section, dict):
        raise TypeError(f"section {name} must hold named values")
    if keys is not None:
        check_keys(section, keys, f"section {name}")


MODEL = Format(
    "model",
    version=4,
    entries=tuple(SECTIONS),
    advice="give a file that Predictor.save wrote",
    optional=(COLUMNS, RANGE, QUANTILES, MODELS),
    upgrades={
        2: Upgrade(
            (
                "layer_sizes", "activations", "dtype", "scale", "target_scale", "task", "classes",
                "threshold",
            ),
            _sections_of_format_2,
        ),
        3: Upgrade(tuple(SECTIONS), _sections_of_format_3),
    },
)  # fmt: skip


def save_predictor(predictor: Predictor, path: str | os.PathLike[str]) -> None:
    """Write a model; see :meth:`Predictor.save`."""
    network, task, features = predictor.network, predictor.task, predictor.features
    tensors = {
        "scaling.offset": predictor.scaling.offset,
        "scaling.factor": predictor.scaling.factor,
    }
    if task.target_scaling is not None:
        tensors["target_scaling.offset"] = task.target_scaling.offset
        tensors["target_scaling.factor"] = task.target_scaling.factor
    if features is not None:
        tensors |= {f"features.{name}": getattr(features, name) for name in STATISTICS}
    for number, each in enumerate(predictor.networks, start=1):
        tensors |= {_name(name, number): array for name, array in layer_tensors(each).items()}
    header = {
        "features": {
            "names": _listed(None if features is None else features.names),
            "kinds": [],  # features of the network are numbers; see the section columns
            "image_shape": _listed(None if features is None else features.image_shape),
            "scale": predictor.scaling.kind,
            "has_statistics": features is not None,
        },
        "target": {
            "task": task.kind,
            "names": _listed(predictor.target_names),
            "classes": None if task.classes is None else task.classes.tolist(),
            "threshold": task.threshold,
            "scale": None if task.target_scaling is None else task.target_scaling.kind,
        },
        "layers": layer_section(network),
        "table": predictor.table.changed(),
    }
    if predictor.encoding is not None:
        header[COLUMNS] = column_section(predictor.encoding)
    if task.quantiles:
        header[QUANTILES] = list(task.quantiles)
    if task.target_range is not None:
        header[RANGE] = task.target_range.tolist()
    if predictor.n_models > 1:
        header[MODELS] = predictor.n_models
    write_tensors(path, MODEL, header, tensors)


def load_predictor(path: str | os.PathLike[str]) -> Predictor:
    """Read what :func:`save_predictor` wrote; see :meth:`Predictor.load`."""
    return read_tensors(path, MODEL, _expected_tensors, _build)


def _listed(values: tuple[Any, ...] | None) -> list[Any] | None:
    return None if values is None else list(values)


# What follows raises KeyError, TypeError or ValueError for what is missing or does not fit.


def _expected_tensors(header: Header) -> Expected:
    """Return the dtype and the possible shapes of each tensor."""
    for name, keys in SECTIONS.items():
        check_section(header[name], name, keys)
    of_network = expected_layer_tensors(header["layers"])
    expected = {
        _name(name, number): kind
        for number in range(1, _n_models(header) + 1)
        for name, kind in of_network.items()
    }
    n_features = math.prod(header["layers"]["input_shape"])
    scalings = {"scaling": n_features}
    if header["target"]["scale"] is not None:
        *_, (_, [(n_outputs,)]) = expected.values()  # the biases of the last layer
        scalings["target_scaling"] = n_outputs
    for name, width in scalings.items():
        for part in ("offset", "factor"):
            expected[f"{name}.{part}"] = (np.dtype(np.float64), [(width,), (1,)])
    if header["features"]["has_statistics"]:
        for name in STATISTICS:
            expected[f"features.{name}"] = (np.dtype(np.float64), [(n_features,)])
    return expected


def _build(header: Header, tensors: Tensors) -> Predictor:
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} must hold finite numbers")
    names = expected_layer_tensors(header["layers"])
    network, *more_networks = (
        network_of(header["layers"], {name: tensors[_name(name, number)] for name in names})
        for number in range(1, _n_models(header) + 1)
    )
    encoding = None
    if COLUMNS in header:
        encoding = encoding_of(header[COLUMNS])
        if encoding.n_features != network.n_inputs:
            raise ValueError(
                f"columns make {encoding.n_features} features, the network takes {network.n_inputs}"
            )
    task = task_of(header["target"], tensors, network.n_outputs, header.get(QUANTILES))
    if RANGE in header:
        task = replace(task, target_range=range_of(header[RANGE], task))
    return Predictor(
        network,
        scaling_of(header["features"]["scale"], "scaling", tensors),
        task,
        _features(header["features"], tensors, network.n_inputs),
        _names(header["target"]["names"], "target"),
        _table(header["table"]),
        encoding,
        more_networks,
    )


def _name(name: str, number: int) -> str:
    """Return the name of a network's tensor in a file; those of the second start with ``model2.``.

    Parameters
    ----------
    name : str
    number : int
        Of the network, from 1.
    """
    return name if number == 1 else f"model{number}.{name}"


def _n_models(header: Header) -> int:
    n_models = header.get(MODELS, 1)
    if type(n_models) is not int or not 1 <= n_models <= MOST_MODELS:
        raise ValueError(f"models must be a whole number up to {MOST_MODELS}, got {n_models!r:.80}")
    return n_models


def _features(section: Header, tensors: Tensors, n_features: int) -> FeatureInfo | None:
    names = _names(section["names"], "feature")
    if names is not None and (len(names) != n_features or len(set(names)) < n_features):
        raise ValueError(f"feature names must be {n_features} different texts")
    if section["kinds"] != []:
        raise ValueError("kinds of features other than number need a newer fastmlp")
    if not section["has_statistics"]:
        if names is not None:
            raise ValueError("feature names must come with statistics")
        return None
    low, high, mean = (tensors[f"features.{name}"] for name in STATISTICS)
    if np.any(low > high):
        raise ValueError("the lowest value of a feature must not be above its highest")
    return FeatureInfo(low, high, mean, names, _image_shape(section, n_features))


def _names(names: Any, what: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{what} names must be texts, got {names!r:.80}")
    return tuple(names)


def _image_shape(section: Header, n_features: int) -> tuple[int, ...] | None:
    shape = section["image_shape"]
    if shape is None:
        return None
    height, width, *channels = shape
    sizes = (height, width, *channels)
    are_sizes = len(channels) <= 1 and all(type(size) is int and size > 0 for size in sizes)
    if not are_sizes or math.prod(sizes) != n_features:
        raise ValueError(f"image_shape must multiply to {n_features}, got {shape!r:.80}")
    return sizes


def _table(options: Header) -> TableOptions:
    check_keys({**dict.fromkeys(TableOptions.names()), **options}, TableOptions.names(), "table")
    several = TableOptions.lists()
    for name, value in options.items():
        texts = value if name in several else [value]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"table option {name} must be text, got {value!r:.80}")
    values: Any = {k: tuple(v) if k in several else v for k, v in options.items()}
    return TableOptions(**values)
