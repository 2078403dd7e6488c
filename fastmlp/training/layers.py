"""The layers of a network, from the settings."""

from __future__ import annotations

from typing import Any

from ..ops.layers import Dense, Dropout, Layer, parse_layers


def hidden_layers(config: Any) -> tuple[Layer, ...]:
    """Return all layers of a TrainConfig before the output layer, with their activations.

    ``hidden_layer_sizes``, ``activation``, ``dropout`` and ``input_dropout`` are a short form of
    the same list.
    """
    if config.layers:
        return tuple(
            layer.complete(str(config.activation)) for layer in parse_layers(config.layers)
        )
    rates = config.dropout_rates or (0.0,) * (len(config.hidden_layer_sizes) + 1)
    layers: list[Layer] = [Dropout(rates[0])] if rates[0] else []
    for units, activation, rate in zip(
        config.hidden_layer_sizes, config.hidden_activations, rates[1:], strict=True
    ):
        layers.append(Dense(units, activation))
        if rate:
            layers.append(Dropout(rate))
    return tuple(layers)


def network_layers(config: Any, n_outputs: int) -> tuple[Layer, ...]:
    """Return all layers of a resolved config, the output layer included."""
    return (*hidden_layers(config), Dense(n_outputs, config.output_activation))
