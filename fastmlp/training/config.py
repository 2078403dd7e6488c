"""One dataclass that describes a run completely.

The command line, the TOML file, a sweep's cell and the saved ``config.toml`` are views of it. What
changes no result (threads, folders, output) is not in it.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np

from ..base.errors import ConfigError, close_match
from ..data.split import parse_split
from ..ops.activations import ACTIVATIONS
from ..ops.initializers import INITIALIZERS
from ..ops.losses import LOSSES, check_pair
from ..ops.optimizers import OPTIMIZERS
from ..ops.scalers import SCALERS
from ..ops.schedules import SCHEDULES
from ..ops.spec import Registry

AUTO = "auto"
MODES = ("stochastic", "minibatch", "batch")
SAMPLINGS = ("shuffle", "replacement")
MONITORS = ("validation_loss", "validation_accuracy", "train_loss", "train_accuracy")

_SPECS: dict[str, Registry[Any]] = {
    "activation": ACTIVATIONS,
    "output_activation": ACTIVATIONS,
    "loss": LOSSES,
    "weight_init": INITIALIZERS,
    "bias_init": INITIALIZERS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "scale": SCALERS,
}
_MAY_BE_AUTO = ("output_activation", "loss", "weight_init", "scale")


@dataclass(frozen=True)
class TrainConfig:
    """All settings of a training run; ``auto`` stands for a choice that :meth:`resolve` makes.

    Parameters
    ----------
    data : str, default "auto"
        Name of the dataset, for the command line; :func:`fastmlp.fit` is given the data itself.
    classes : tuple of str, default ()
        Keep only these classes; empty: all.
    split : str, default "auto"
        ``official``, ``A-B`` in percent of training and test rows, or ``none``.
    validation : float, default 0.1
        Below 1 a fraction of the training part, from 1 a number of rows, 0 none.
    scale : str, default "auto"
        ``unit``, ``minmax``, ``standard``, ``standard_global`` or ``none``; auto: unit where the
        range of the features is known (images), else standard.
    hidden_layer_sizes : tuple of int, default (128, 64)
        Empty: no hidden layer.
    activation : str, default "relu"
        Of the hidden layers.
    output_activation, loss : str, default "auto"
        softmax with cross_entropy for three classes or more, sigmoid with binary_cross_entropy for
        two, identity with squared_error for regression; one follows from the other where it is
        given.
    weight_init : str, default "auto"
        auto: he_normal for the ReLU family, else glorot_uniform.
    bias_init : str, default "zeros"
    optimizer : str, default "sgd"
    learning_rate : float or "auto", default "auto"
        auto: 0.1, in stochastic mode 0.01, for adam 0.001.
    mode : {"minibatch", "stochastic", "batch"}, default "minibatch"
        An update per batch, per sample, or per epoch.
    sampling : {"shuffle", "replacement"}, default "shuffle"
        Each row once an epoch, or as many draws as there are rows.
    accumulate : bool, default False
        Take the samples of a batch one at a time and sum their gradients.
    batch_size : int, default 32
        Of minibatch mode.
    epochs : int, default 10
        At most how many.
    l1, l2 : float, default 0.0
        Penalties l1 * sum |w| and l2 / 2 * sum w^2 over weights, not biases.
    schedule : str, default "constant"
        ``constant`` or ``plateau(factor=0.1, patience=10)``.
    early_stopping : int, default 0
        Stop after so many epochs without improvement; 0: never.
    monitor : str, default "auto"
        What has to improve; auto: validation_loss, without a validation set train_loss.
    min_delta : float, default 0.0
        By how much it must improve to count.
    restore_best : bool, default True
        At the end, go back to the weights of the best epoch, by ``monitor``. Without a validation
        set and without early stopping there is nothing to choose by, and the last are kept.
    threshold : float, default 0.5
        Output from which on a binary task predicts the positive (second) class.
    seed : int, default 0
        Of the splits, initial weights and batches.
    dtype : {"float32", "float64"}, default "float32"
    log_every : int, default 0
        Record losses every so many updates, besides every epoch; 0: never.

    Raises
    ------
    ConfigError
        For a value out of its range or an illegal combination.
    """

    data: str = AUTO
    classes: tuple[str, ...] = ()
    split: str = AUTO
    validation: float = 0.1
    scale: str = AUTO
    hidden_layer_sizes: tuple[int, ...] = (128, 64)
    activation: str = "relu"
    output_activation: str = AUTO
    loss: str = AUTO
    weight_init: str = AUTO
    bias_init: str = "zeros"
    optimizer: str = "sgd"
    learning_rate: float | str = AUTO
    mode: str = "minibatch"
    sampling: str = "shuffle"
    accumulate: bool = False
    batch_size: int = 32
    epochs: int = 10
    l1: float = 0.0
    l2: float = 0.0
    schedule: str = "constant"
    early_stopping: int = 0
    monitor: str = AUTO
    min_delta: float = 0.0
    restore_best: bool = True
    threshold: float = 0.5
    seed: int = 0
    dtype: str = "float32"
    log_every: int = 0

    def __post_init__(self) -> None:
        self._cast_fields()
        for name, registry in _SPECS.items():
            value = getattr(self, name)
            if not (value == AUTO and name in _MAY_BE_AUTO):
                object.__setattr__(self, name, str(registry.parse(value)))
        self._check_choices()
        self._check_numbers()
        self._check_combinations()

    def _cast_fields(self) -> None:
        for name, wanted in get_type_hints(type(self)).items():
            object.__setattr__(self, name, _cast(name, getattr(self, name), wanted))

    def _check_choices(self) -> None:
        for name, known in (
            ("mode", MODES),
            ("sampling", SAMPLINGS),
            ("monitor", (AUTO, *MONITORS)),
            ("dtype", ("float32", "float64")),
        ):
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(f"unknown {name} {value!r}{close_match(str(value), known)}")
        parse_split(self.split)

    def _check_numbers(self) -> None:
        for name, least in (
            ("batch_size", 1), ("epochs", 1), ("early_stopping", 0), ("log_every", 0), ("seed", 0),
            ("validation", 0), ("l1", 0), ("l2", 0), ("min_delta", 0),
        ):  # fmt: skip
            value = getattr(self, name)
            if value < least:
                raise _out_of_range(name, f"at least {least}", value)
        if self.seed >= 2**64:
            raise _out_of_range("seed", "below 2**64", self.seed)
        if self.epochs >= 2**24:
            raise _out_of_range("epochs", "below 2**24", self.epochs)
        if self.learning_rate != AUTO and float(self.learning_rate) <= 0:
            raise _out_of_range("learning_rate", "above 0", self.learning_rate)
        if not 0 < self.threshold < 1:
            raise _out_of_range("threshold", "between 0 and 1", self.threshold)
        # Below 2**24, so that no product of two overflows.
        if not all(1 <= size < 2**24 for size in self.hidden_layer_sizes):
            shown = ",".join(str(size) for size in self.hidden_layer_sizes)
            raise ConfigError(
                f"hidden_layer_sizes must be whole numbers from 1 to 2**24 - 1, got {shown}; "
                "write 128,64 for two layers, or none"
            )

    def _check_combinations(self) -> None:
        if AUTO not in (self.output_activation, self.loss):
            check_pair(ACTIVATIONS.parse(self.output_activation), LOSSES.parse(self.loss))
        if self.mode == "batch" and self.sampling == "replacement":
            raise ConfigError(
                "sampling replacement does not go with mode batch, which uses every row; "
                "use mode minibatch or stochastic"
            )
        if self.accumulate and self.mode == "stochastic":
            raise ConfigError(
                "accumulate does not go with mode stochastic, which updates after each sample; "
                "use mode minibatch with a batch size"
            )
        uses_monitor = self.early_stopping > 0 or SCHEDULES.parse(self.schedule).needs_monitor
        if self.validation == 0 and (
            self.monitor.startswith("validation") or (self.monitor == AUTO and uses_monitor)
        ):
            monitor = "validation_loss" if self.monitor == AUTO else self.monitor
            raise ConfigError(
                f"monitor {monitor} needs a validation set, but validation is 0; "
                "set validation to 0.1, say, or monitor to train_loss"
            )

    @property
    def restores_best(self) -> bool:
        """Whether the weights of the best epoch are kept, and not the last."""
        return self.restore_best and (self.validation > 0 or self.early_stopping > 0)

    def replace(self, **changes: Any) -> TrainConfig:
        """Return a copy with some fields changed; ConfigError for an unknown field."""
        check_names(changes)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain numbers, texts and lists, as TOML and JSON take them."""
        values = dataclasses.asdict(self)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Return the config with these fields, all others at their defaults.

        Raises
        ------
        ConfigError
            For an unknown field (with the nearest known one) or a bad value.
        """
        check_names(values)
        return cls(**values)


def check_names(values: dict[str, Any]) -> None:
    """Raise ConfigError unless all keys are fields of a TrainConfig."""
    known = [field.name for field in dataclasses.fields(TrainConfig)]
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown setting {name!r}{close_match(name, known)}")


def _out_of_range(name: str, rule: str, value: object) -> ConfigError:
    default = getattr(TrainConfig, name)
    return ConfigError(f"{name} must be {rule}, got {value}; the default is {default!r}")


def _cast(name: str, value: Any, wanted: Any) -> Any:
    """Return the value as the field's type; ConfigError where it is another."""
    if wanted in (tuple[int, ...], tuple[str, ...]):
        several = isinstance(value, Iterable) and not isinstance(value, str)
        item_type = int if wanted == tuple[int, ...] else str
        return tuple(_cast(name, item, item_type) for item in (value if several else (value,)))
    if wanted == float | str and isinstance(value, str) and value == AUTO:
        return AUTO
    if wanted in (float, float | str) and _is_number(value):
        return float(value)
    if wanted is int and _is_number(value) and value == int(value):
        return int(value)
    if wanted is bool and isinstance(value, (bool, np.bool_)):
        return bool(value)
    if wanted is str and (isinstance(value, str) or name in _SPECS):
        return str(value)
    if name == "classes" and isinstance(value, (numbers.Integral, np.bool_)):
        return str(value)
    kinds = {int: "a whole number", bool: "true or false", str: "a text"}
    default = getattr(TrainConfig, name)
    raise ConfigError(
        f"{name} must be {kinds.get(wanted, 'a number')}, got {value!r}; the default is {default!r}"
    )


def _is_number(value: Any) -> bool:
    """Whether it is a finite real number, NumPy's included, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False
