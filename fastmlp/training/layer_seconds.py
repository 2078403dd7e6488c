"""The time that each layer of a network takes in the steps of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels.machine.phases import PARTS_OF_LAYER
from ..model.network import Network


def of_layers(network: Network, of_stages: np.ndarray) -> np.ndarray:
    """Sum the values of a network's stages for each layer.

    The change from rows to images is counted for the layer after it.

    Parameters
    ----------
    network : Network
    of_stages : ndarray, shape (stages, parts) or flat

    Returns
    -------
    ndarray, shape (layers, parts)
    """
    values = of_stages.reshape(-1, len(PARTS_OF_LAYER))
    found: np.ndarray = np.zeros((len(network.layers), len(PARTS_OF_LAYER)))
    layer = len(network.layers) - 1
    for stage, value in reversed(list(zip(network.stages(), values, strict=True))):
        layer = layer if stage.number is None else stage.number
        found[layer] += value
    return found


def described(network: Network, seconds: np.ndarray) -> list[dict[str, Any]]:
    """Return the name and the seconds of each layer by part; empty if none were counted.

    A layer that is computed together with the one before is named there.
    """
    if not seconds.any():
        return []
    names = list(map(str, network.layers))
    for stage in network.stages():
        if stage.number is not None and stage.window != (1, 1):
            names[stage.number : stage.number + 2] = [
                ", ".join(names[stage.number : stage.number + 2]), ""
            ]  # fmt: skip
    return [
        {"name": name, **dict(zip(PARTS_OF_LAYER, parts, strict=True))}
        for name, parts in zip(names, seconds.tolist(), strict=True)
        if name
    ]


def checked(values: Any, network: Network) -> np.ndarray:
    """Return stored seconds; ValueError unless they are numbers of at least 0 for each layer."""
    shape = len(network.layers), len(PARTS_OF_LAYER)
    is_table = isinstance(values, list) and all(isinstance(row, list) for row in values)
    numbers = [value for row in values for value in row] if is_table else []
    if len(numbers) != np.prod(shape) or not all(
        type(value) in (int, float) and 0 <= value < np.inf for value in numbers
    ):
        raise ValueError(f"seconds of layers must be a table of {shape}, got {values!r:.80}")
    return np.array(numbers, float).reshape(shape)
