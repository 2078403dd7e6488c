"""Checks of single settings; ``combinations`` checks settings together."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

import numpy as np

from ..base.errors import ConfigError, close_match
from ..base.settings import AUTO
from ..ops.spec import split_list
from .rules import standard_rules
from .scorers import Metric, scorer_of

MODES = ("stochastic", "minibatch", "batch")
SAMPLINGS = ("shuffle", "replacement", "in_order")
DTYPES = ("float32", "float64")
CALIBRATIONS = ("none", "temperature")
MISSING = ("impute", "drop", "error")
# Columns that can be monitored, and whether higher is better.
MONITORS = {
    "validation_loss": False, "validation_accuracy": True, "validation_score": True,
    "train_loss": False, "train_accuracy": True, "train_objective": False,
}  # fmt: skip

_KINDS = {int: "a whole number", bool: "true or false", str: "a text"}


def check_names(values: Iterable[str], config: type) -> None:
    """Raise ConfigError unless all names are fields of a config."""
    known = [field.name for field in dataclasses.fields(config)]
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown setting {name!r}{close_match(name, known)}")


def cast_fields(config: Any) -> None:
    """Give each field its type, and write specs in their standard form.

    Raises
    ------
    ConfigError
        For a value of another type, or an unknown spec.
    """
    wanted = get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = _cast(field, getattr(config, field.name), wanted[field.name])
        object.__setattr__(config, field.name, value)
    for field in dataclasses.fields(config):
        registry, value = field.metadata["setting"].registry, getattr(config, field.name)
        if registry is None or (value == AUTO and field.default == AUTO):
            continue
        specs = tuple(str(registry.parse(v)) for v in (value if type(value) is tuple else (value,)))
        object.__setattr__(config, field.name, specs if type(value) is tuple else specs[0])


def check_fields(config: Any) -> None:
    """Raise ConfigError where a name is unknown, or a number is out of its range."""
    for field in dataclasses.fields(config):
        row, value = field.metadata["setting"], getattr(config, field.name)
        if row.choices and value not in row.choices:
            raise ConfigError(
                f"unknown {field.name} {value!r}{close_match(str(value), row.choices)}"
            )
        items = value if isinstance(value, tuple) else (value,)
        for rule, holds in row.ranges:
            if value != AUTO and not all(map(holds, items)):
                raise ConfigError(
                    f"{field.name} must be {rule}, got {value}; the default is {field.default!r}"
                )
    if config.layers and config.hidden_layer_sizes == type(config).hidden_layer_sizes:
        object.__setattr__(config, "hidden_layer_sizes", ())
    for metric in config.metrics:
        scorer_of(metric)
    sizes = config.hidden_layer_sizes
    # Below 2**24, so that no product of two overflows.
    if not all(1 <= size < 2**24 for size in sizes):
        shown = ",".join(map(str, sizes))
        raise ConfigError(
            f"hidden_layer_sizes must be whole numbers from 1 to 2**24 - 1, got {shown}; "
            "write 128,64 for two layers, or none"
        )


def _cast(field: dataclasses.Field[Any], value: Any, wanted: Any) -> Any:
    """Return the value as the type ``wanted`` of a field; ConfigError where it is another."""
    name, row = field.name, field.metadata["setting"]
    if name == "rules":
        return standard_rules(value)
    if name == "class_weight" and isinstance(value, Mapping):
        return ",".join(f"{label}={weight}" for label, weight in value.items())
    if wanted == tuple[Metric, ...]:
        items = (value,) if isinstance(value, str) or callable(value) else value
        if isinstance(items, Iterable) and not isinstance(items, bytes | Mapping):
            return tuple(item if callable(item) else _cast(field, item, str) for item in items)
    several = isinstance(value, Iterable) and not isinstance(value, (str, bytes))
    for item_type in (int, float, str):
        as_tuple = tuple[item_type, ...]  # type: ignore[valid-type]
        if wanted == as_tuple or (several and wanted == item_type | as_tuple):
            items = value if several else (value,)
            if isinstance(value, str) and row.registry is not None:
                items = split_list(value) if value.strip() else ()
            return tuple(_cast(field, item, item_type) for item in items)
        if wanted == item_type | as_tuple:
            return _cast(field, value, item_type)
    if wanted == float | str and isinstance(value, str) and value == AUTO:
        return AUTO
    if wanted in (float, float | str) and _is_number(value):
        return float(value)
    if wanted is int and _is_number(value) and value == int(value):
        return int(value)
    if wanted is bool and isinstance(value, (bool, np.bool_)):
        return bool(value)
    if wanted is str and (isinstance(value, str) or row.registry is not None):
        return str(value)
    if row.takes_integers and isinstance(value, (numbers.Integral, np.bool_)):
        return str(value)
    raise ConfigError(
        f"{name} must be {_KINDS.get(wanted, 'a number')}, got {value!r}; "
        f"the default is {field.default!r}"
    )


def _is_number(value: Any) -> bool:
    """Whether it is a finite real number, NumPy's included, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False
