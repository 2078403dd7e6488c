"""The layers of a network as kernels compute them, one stage after the other.

A stage is a layer, or the change from rows to images or back between two layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..ops.layers import Layer, Shape
from .network import Network

# What changes the form of rows between two layers; the names of kernels, as those of layers are.
CHANGES_OF_FORM = ("flatten", "unflatten")

# The position of a dropout layer among those before the same weights, in its random stream.
_POSITION = 1 << 32


class Stage(NamedTuple):
    """A row of the kernels' table of layers.

    Attributes
    ----------
    kernels : str
        The name of its module in ``kernels.layers``, and the start of its kernels' names.
    layer : Layer or None
    number : int or None
        The layer's index in the network.
    table : int or None
        The row of its weights in ``Network.table``; None without weights.
    inputs, outputs : tuple of int
        Shapes.
    are_images : bool
        Whether its outputs are stored as images.
    stream : int
        Of its random numbers.
    """

    kernels: str
    layer: Layer | None
    number: int | None
    table: int | None
    inputs: Shape
    outputs: Shape
    are_images: bool
    stream: int = 0


def stages(network: Network, training: bool = True) -> list[Stage]:
    """Return the stages of a network; layers that act in training only are left out of others."""
    return list(_stages(network, training))


def _stages(network: Network, training: bool) -> Iterator[Stage]:
    are_images, weighted, streams = False, 0, 0
    for number, layer in enumerate(network.layers):
        inputs, outputs = network.shapes[number : number + 2]
        if layer.trains_only and not training:
            continue
        if are_images and not layer.takes_images:
            are_images = False
            yield Stage("flatten", None, None, None, inputs, inputs, are_images)
        if not are_images and not layer.takes_rows:
            are_images = True
            yield Stage("unflatten", None, None, None, inputs, inputs, are_images)
        if layer.only_reshapes:
            continue
        table = weighted if number in network.weighted else None
        stream = weighted + streams * _POSITION
        yield Stage(layer.name, layer, number, table, inputs, outputs, are_images, stream)
        streams = 0 if table is not None else streams + layer.trains_only
        weighted += table is not None
