"""Training by NumPy with fastmlp's settings: the twin of every fast step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

import reference
import reference_layers
from fastmlp.model.network import Network
from fastmlp.ops.activations import Activation
from fastmlp.ops.layers import Layer, pair
from fastmlp.ops.losses import Loss
from fastmlp.ops.optimizers import Optimizer

Trained = tuple[list[np.ndarray], list[np.ndarray], list[reference.Step]]


def activations_of(activations: Sequence[Activation]) -> list[reference.Activation]:
    """Return activations as the twin takes them: names with parameters."""
    return [(activation.name, activation.kernel_parameter) for activation in activations]


def layer_of(layer: Layer) -> reference_layers.Layer:
    """Return a layer as the twin takes it: its name and its parameters, with sizes as pairs."""
    values = {field.name: getattr(layer, field.name) for field in fields(layer)}
    geometry = {
        name: pair(value) if name in ("kernel_size", "size", "stride") else value
        for name, value in values.items()
        if name in ("kernel_size", "size", "stride", "padding", "frequencies")
    }
    return layer.name, geometry


def passes_of(network: Network, masks: reference_layers.Masks | None = None) -> reference.Passes:
    """Return how the twin computes a network, with dropout's masks if there are any."""
    layers = [layer_of(layer) for layer in network.layers]
    return reference_layers.passes(layers, network.input_shape, masks)


def masks_of(network: Network, key: np.ndarray, places: Sequence[int]) -> reference_layers.Masks:
    """Return dropout's masks for rows at some places of an epoch, one for each layer."""
    masks: list[np.ndarray | None] = [None] * len(network.layers)
    for stage in network.stages():
        if stage.layer is not None and stage.layer.name == "dropout":
            assert stage.number is not None
            masks[stage.number] = reference.dropout_mask(
                key, stage.layer.kernel_parameter, places, stage.stream,
                int(np.prod(stage.inputs)), network.dtype,
            )  # fmt: skip
    return masks


def train(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    settings: Any,
    outputs: str,
    X: np.ndarray,
    Y: np.ndarray,
    rows: Sequence[np.ndarray],
    rates: Sequence[float],
    row_weights: np.ndarray | None = None,
    masks: Sequence[reference_layers.Masks] | None = None,
) -> Trained:
    """Train copies of a network's weights; return weights, biases and a record per update.

    Parameters
    ----------
    settings : TrainConfig or Case
        Its options of the update: penalties, clipping, smoothing, max_norm, threshold.
    outputs : str
        Kind of the outputs: "binary", "multiclass" or "regression".
    rows, rates, masks : sequence
        Rows, learning rate and dropout masks of each update.
    """
    weights = [array.copy() for array in network.weights]
    biases = [array.copy() for array in network.biases]
    steps = reference.train(
        weights, biases, activations_of(network.activations), loss.name,
        [(X[batch], Y[batch]) for batch in rows],
        list(rates),
        optimizer.name, {field.name: getattr(optimizer, field.name) for field in fields(optimizer)},
        settings.l1, settings.l2, outputs, settings.threshold,
        loss_parameters=loss.kernel_parameters, smoothing=settings.label_smoothing,
        clip_norm=settings.clip_norm, clip_value=settings.clip_value, max_norm=settings.max_norm,
        row_weights=None if row_weights is None else [row_weights[batch] for batch in rows],
        passes=[passes_of(network, mask) for mask in masks or [None] * len(rows)],
        penalty_per_row=settings.penalty_per_row,
    )  # fmt: skip
    return weights, biases, steps
