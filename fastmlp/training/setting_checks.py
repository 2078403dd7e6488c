"""What the fields of a config may hold, one by one; combinations are checked in ``config``."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..base.errors import ConfigError, close_match
from ..data.dataset import TASKS
from ..data.split import HOLD_OUTS
from ..ops.improvement import CUMULATIVE, SINGLE

AUTO = "auto"
MODES = ("stochastic", "minibatch", "batch")
SAMPLINGS = ("shuffle", "replacement", "in_order")
DTYPES = ("float32", "float64")
MONITORS = (
    "validation_loss", "validation_accuracy", "validation_score",
    "train_loss", "train_accuracy", "train_objective",
)  # fmt: skip

_CHOICES = {
    "task": TASKS,
    "hold_out": HOLD_OUTS,
    "mode": MODES,
    "sampling": SAMPLINGS,
    "monitor": (AUTO, *MONITORS),
    "improvement": (CUMULATIVE, SINGLE),
    "dtype": DTYPES,
}
_LEAST = {
    "batch_size": 1, "epochs": 1, "early_stopping": 0, "log_every": 0, "seed": 0, "validation": 0,
    "l1": 0, "l2": 0, "min_delta": 0, "clip_norm": 0, "clip_value": 0, "max_norm": 0,
    "loss_limit": 0,
}  # fmt: skip
# Texts that may be given as numbers: labels, and indices of columns.
_LABELS = ("classes", "target", "features", "drop")
_KINDS = {int: "a whole number", bool: "true or false", str: "a text"}


def check_choices(values: Mapping[str, Any]) -> None:
    """Raise ConfigError where a name is none of the known ones."""
    for name, known in _CHOICES.items():
        value = values[name]
        if value not in known:
            raise ConfigError(f"unknown {name} {value!r}{close_match(str(value), known)}")


def check_numbers(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Raise ConfigError where a number is out of its range."""

    def require(holds: bool, name: str, rule: str) -> None:
        if not holds:
            raise ConfigError(
                f"{name} must be {rule}, got {values[name]}; the default is {defaults[name]!r}"
            )

    for name, least in _LEAST.items():
        require(values[name] == AUTO or values[name] >= least, name, f"at least {least}")
    require(values["seed"] < 2**64, "seed", "below 2**64")
    require(values["epochs"] < 2**24, "epochs", "below 2**24")
    rate = values["learning_rate"]
    require(rate == AUTO or float(rate) > 0, "learning_rate", "above 0")
    require(0 < values["threshold"] < 1, "threshold", "between 0 and 1")
    for name in ("label_smoothing", "input_dropout"):
        require(0 <= values[name] < 1, name, "at least 0 and below 1")
    dropout = values["dropout"]
    rates = dropout if isinstance(dropout, tuple) else (dropout,)
    require(all(0 <= rate < 1 for rate in rates), "dropout", "at least 0 and below 1")
    # Below 2**24, so that no product of two overflows.
    if not all(1 <= size < 2**24 for size in values["hidden_layer_sizes"]):
        shown = ",".join(str(size) for size in values["hidden_layer_sizes"])
        raise ConfigError(
            f"hidden_layer_sizes must be whole numbers from 1 to 2**24 - 1, got {shown}; "
            "write 128,64 for two layers, or none"
        )


def cast(name: str, value: Any, wanted: Any, default: Any, is_spec: bool = False) -> Any:
    """Return the value as the field's type; ConfigError where it is another."""
    if name == "class_weight" and isinstance(value, Mapping):
        return ",".join(f"{label}={weight}" for label, weight in value.items())
    several = isinstance(value, Iterable) and not isinstance(value, (str, bytes))
    for item_type in (int, float, str):
        as_tuple = tuple[item_type, ...]  # type: ignore[valid-type]
        if wanted == as_tuple or (several and wanted == item_type | as_tuple):
            items = value if several else (value,)
            return tuple(cast(name, item, item_type, default, is_spec) for item in items)
        if wanted == item_type | as_tuple:
            return cast(name, value, item_type, default, is_spec)
    if wanted == float | str and isinstance(value, str) and value == AUTO:
        return AUTO
    if wanted in (float, float | str) and _is_number(value):
        return float(value)
    if wanted is int and _is_number(value) and value == int(value):
        return int(value)
    if wanted is bool and isinstance(value, (bool, np.bool_)):
        return bool(value)
    if wanted is str and (isinstance(value, str) or is_spec):
        return str(value)
    if name in _LABELS and isinstance(value, (numbers.Integral, np.bool_)):
        return str(value)
    raise ConfigError(
        f"{name} must be {_KINDS.get(wanted, 'a number')}, got {value!r}; "
        f"the default is {default!r}"
    )


def _is_number(value: Any) -> bool:
    """Whether it is a finite real number, NumPy's included, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False
