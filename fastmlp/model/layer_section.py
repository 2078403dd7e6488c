"""The section ``layers`` of a model file: the layers of a network and the shape of its inputs.

What does not fit raises KeyError, TypeError or ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..ops.activations import ACTIVATIONS
from ..ops.layer_lists import dense_layers, parse_layers, shapes
from ..ops.layers import Dense, Layer, Shape
from .memory import float_dtype
from .network import Network

KEYS = ("input_shape", "layers", "dtype")
Section = dict[str, Any]


def layer_section(network: Network) -> Section:
    """Return the section of a network."""
    return {
        "input_shape": list(network.input_shape),
        "layers": [str(layer) for layer in network.layers],
        "dtype": network.dtype.name,
    }


def layer_tensors(network: Network) -> dict[str, np.ndarray]:
    """Return weights and biases by their names in a file: N of ``layerN`` counts all layers."""
    tensors = {}
    for index, weights, biases in zip(
        network.weighted, network.weights, network.biases, strict=True
    ):
        tensors[f"layer{index}.weights"] = np.ascontiguousarray(weights)
        tensors[f"layer{index}.biases"] = np.ascontiguousarray(biases)
    return tensors


def expected_layer_tensors(section: Section) -> dict[str, Any]:
    """Return dtype and shape of the weights and biases of a section."""
    (layers, input_shape), dtype = _layers(section), float_dtype(section["dtype"])
    expected: dict[str, Any] = {}
    for index, (layer, inputs) in enumerate(zip(layers, shapes(layers, input_shape), strict=False)):
        fan_in, units = layer.matrix_shape(inputs)
        if units:
            expected[f"layer{index}.weights"] = (dtype, [(fan_in, units)])
            expected[f"layer{index}.biases"] = (dtype, [(units,)])
    return expected


def network_of(section: Section, tensors: Mapping[str, np.ndarray]) -> Network:
    """Return the network of a section, with the weights and biases among ``tensors``."""
    layers, input_shape = _layers(section)
    network = Network(layers, input_shape, section["dtype"])
    network.set_weights(
        [tensors[f"layer{index}.weights"] for index in network.weighted],
        [tensors[f"layer{index}.biases"] for index in network.weighted],
    )
    return network


def section_of_sizes(section: Section) -> Section:
    """Return the section of dense layers that formats 2 and 3 hold by sizes and activations."""
    sizes, activations = section["sizes"], section["activations"]
    if not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"layer sizes must be whole numbers of at least 1, got {sizes!r:.80}")
    if len(sizes) < 2:
        raise ValueError(f"layer sizes must hold two sizes or more, got {sizes}")
    records = [ACTIVATIONS.parse(text) for text in activations]
    if len(records) != len(sizes) - 1:
        raise ValueError(
            f"activations must be one for each of the {len(sizes) - 1} layers, got {len(records)}"
        )
    return {
        "input_shape": [sizes[0]],
        "layers": [str(layer) for layer in dense_layers(sizes[1:], records)],
        "dtype": section["dtype"],
    }


def _layers(section: Section) -> tuple[tuple[Layer, ...], Shape]:
    """Return the layers and the shape of the inputs, checked."""
    shape, texts = section["input_shape"], section["layers"]
    is_shape = isinstance(shape, list) and len(shape) in (1, 3)
    if not is_shape or not all(type(size) is int and size > 0 for size in shape):
        raise ValueError(
            "input_shape must be [features] or [height, width, channels], whole numbers of at "
            f"least 1, got {shape!r:.80}"
        )
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"layers must be a list of texts, got {texts!r:.80}")
    layers = parse_layers(texts)
    if not layers or not isinstance(layers[-1], Dense):
        raise ValueError(f"the last layer must be dense, got {', '.join(texts) or 'no layers':.80}")
    for layer in layers:
        if layer.has_activation and not getattr(layer, "activation", ""):
            raise ValueError(f"each layer with weights must name its activation, got {layer}")
    return layers, tuple(shape)
