"""Checks of a network against the data and the machine, before anything is allocated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..base.memory import usable_memory
from ..model.layer_table import scratch_bytes
from ..model.memory import padded
from ..model.stages import row_bytes
from ..model.workspace import BLOCK_ROWS, image_rows
from ..ops.layer_lists import n_parameters, shapes
from ..ops.layers import Layer, Shape
from ..ops.optimizers import OPTIMIZERS
from .layers import network_layers

# Copies of the parameters: the network's, the gradients, those of training and of evaluation.
_COPIES = 4
# Buffers for the outputs of a block of rows: before and after the activation, and their gradients;
# in training also transposed ones.
_EVALUATION_BUFFERS, _TRAINING_BUFFERS = 3, 4


def check_network(
    config: Any, n_features: int, n_outputs: int, image_shape: Sequence[int] | None = None
) -> None:
    """Raise ConfigError for a network that does not fit the data, or the memory.

    Parameters
    ----------
    config : TrainConfig
        With an output activation.
    n_features, n_outputs : int
        Of the data.
    image_shape : sequence of int, optional
        Height and width of the data's images, and their channels if there are several.
    """
    if config.input_shape:
        _check_input_shape(config.input_shape, n_features, image_shape)
    layers = network_layers(config, n_outputs)
    _check_memory(layers, shapes(layers, config.input_shape or (n_features,)), config)


def _check_input_shape(given: Shape, n_features: int, image_shape: Sequence[int] | None) -> None:
    height, width, channels = given
    shown = ",".join(map(str, given))
    if height * width * channels != n_features:
        raise ConfigError(
            f"input_shape must multiply to the number of features, {n_features}, got {shown}; "
            "give the height, the width and the channels of the images"
        )
    if image_shape is not None and given != as_input_shape(image_shape):
        own = ",".join(map(str, as_input_shape(image_shape)))
        raise ConfigError(
            f"input_shape must be the shape of the data's images, {own}, got {shown}; leave it out"
        )


def as_input_shape(image_shape: Sequence[int]) -> Shape:
    """Return height, width and channels of images."""
    return (*image_shape, 1) if len(image_shape) == 2 else tuple(image_shape)


def _check_memory(layers: Sequence[Layer], found: Sequence[Shape], config: Any) -> None:
    """Raise ConfigError if the parameters and the outputs of a block of rows exceed the memory."""
    dtype = np.dtype(config.dtype)
    optimizer = OPTIMIZERS.parse(config.optimizer)
    parameters = n_parameters(layers, found)
    weights = parameters * (_COPIES + optimizer.state_buffers) * dtype.itemsize
    of_row = row_bytes(layers, found, dtype)
    are_images = any(not layer.takes_rows for layer in layers)
    rows = image_rows(of_row, dtype) if are_images else BLOCK_ROWS
    trained = padded(min(rows, _rows_of_update(config)), dtype)
    outputs = of_row * (_EVALUATION_BUFFERS * rows + _TRAINING_BUFFERS * trained)
    outputs += scratch_bytes(layers, found, rows, dtype) * 2  # of training and of evaluation
    memory = usable_memory()
    if weights + outputs > memory:
        raise ConfigError(
            f"layers must fit into the memory, {_gigabytes(memory)}: training needs "
            f"{_gigabytes(weights)} for {parameters:,} parameters with optimizer {optimizer.name}, "
            f"and {_gigabytes(outputs)} for the outputs of {rows} rows; make layers smaller"
        )


def _rows_of_update(config: Any) -> int:
    """Return the largest number of rows of an update, as far as the settings tell."""
    if config.mode == "batch":
        return BLOCK_ROWS
    return 1 if config.mode == "stochastic" else int(config.batch_size)


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:,.2f} GB"
