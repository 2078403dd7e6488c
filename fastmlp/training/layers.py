"""The layers of a network, from the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from contextlib import suppress
from typing import Any

from ..base.errors import ConfigError
from ..model.stages import stages
from ..ops.layer_lists import parse_layers, shapes
from ..ops.layers import Dense, Dropout, Layer
from .rules import rules_without

# The settings that are a list of layers, and those that are its short form.
_LIST = ("layers", "input_shape")
_USUAL_SHAPE, _ROWS = (28, 28, 1), (1,)
_SHORT_FORM = ("hidden_layer_sizes", "dropout", "input_dropout")


def hidden_layers(config: Any) -> tuple[Layer, ...]:
    """Return all layers of a TrainConfig before the output layer, with their activations.

    ``hidden_layer_sizes``, ``activation``, ``dropout`` and ``input_dropout`` are a short form of
    the same list.
    """
    if config.layers:
        return tuple(
            layer.complete(str(config.activation)) for layer in parse_layers(config.layers)
        )
    rates = dropout_rates(config) or (0.0,) * (len(config.hidden_layer_sizes) + 1)
    layers: list[Layer] = [Dropout(rates[0])] if rates[0] else []
    for units, activation, rate in zip(
        config.hidden_layer_sizes, hidden_activations(config), rates[1:], strict=True
    ):
        layers.append(Dense(units, activation))
        if rate:
            layers.append(Dropout(rate))
    return tuple(layers)


def hidden_activations(config: Any) -> tuple[str, ...]:
    """Return the activation of each hidden layer of the short form."""
    if isinstance(config.activation, tuple):
        return config.activation
    return (config.activation,) * len(config.hidden_layer_sizes)


def dropout_rates(config: Any) -> tuple[float, ...]:
    """Return the share of each layer's inputs that is dropped in the short form; () if none is."""
    hidden = config.dropout
    if not isinstance(hidden, tuple):
        hidden = (hidden,) * len(config.hidden_layer_sizes)
    rates = (config.input_dropout, *hidden)
    return rates if any(rates) else ()


def network_layers(config: Any, n_outputs: int, numbers: int | None = None) -> tuple[Layer, ...]:
    """Return all layers of a resolved config, the output layer included.

    ``numbers`` is how many features are numbers, the first ones; None: all.
    """
    layers = hidden_layers(config)
    if numbers is not None:
        layers = tuple(kept for layer in layers for kept in layer.of_numbers(numbers))
    return (*layers, Dense(n_outputs, config.output_activation))


def kernels_of(config: Any) -> tuple[object, ...]:
    """Return what determines the kernels that hidden layers need: their kinds, and the first."""
    layers = hidden_layers(config)
    kinds = frozenset((layer.name, getattr(layer, "activation", "")) for layer in layers)
    return kinds, layers[0].name if layers else ""


def forms_of(config: Any) -> list[str]:
    """Return the names of the kernels of all layers, each once, from the first to the last.

    A guess where the shape of the images is not in the config; the output layer's alone where it
    does not fit.
    """
    layers = (*hidden_layers(config), Dense(10, "identity"))
    with suppress(ConfigError):  # the run reports it, with the shape of the data
        needs_images = any(not layer.takes_rows for layer in layers)
        shape = config.input_shape or (_USUAL_SHAPE if needs_images else _ROWS)
        found = stages(layers, shapes(layers, shape))
        return list(dict.fromkeys(stage.kernels for stage in found))
    return [layers[-1].name]


def is_given(value: object) -> bool:
    """Whether a value is neither None nor an empty sequence."""
    return value is not None and not (isinstance(value, Sized) and len(value) == 0)


def overridden(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with others in place of theirs, in which hidden layers have one form.

    A list of layers replaces the short form, and sizes of hidden layers replace a list. Changes
    take precedence over the settings' rules, too.
    """
    replaced: tuple[str, ...] = ()
    if is_given(changes.get("layers")):
        replaced = _SHORT_FORM
    elif "hidden_layer_sizes" in changes:
        replaced = _LIST
    elif "layers" in changes:  # an empty list: back to the short form
        replaced = (*_LIST, "hidden_layer_sizes") if is_given(settings.get("layers")) else ()
    kept = {name: value for name, value in settings.items() if name not in replaced}
    if is_given(settings.get("rules")):
        kept["rules"] = rules_without(settings["rules"], (*replaced, *changes))
    return {**kept, **changes}
