"""The axes of a sweep, and the settings of its cells."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..base.errors import ConfigError, close_match
from ..base.settings import rows
from ..ops.layer_lists import parse_layers
from ..training.config import TrainConfig
from ..training.scorers import Metric, metric_name
from ..training.setting_checks import MODES
from .distributions import Distribution, as_distribution

FIELDS = tuple(field.name for field in dataclasses.fields(TrainConfig))
DEFAULTS = {field.name: field.default for field in dataclasses.fields(TrainConfig)}
_SAME_IN_ALL = [name for name, row in rows(TrainConfig).items() if not row.varies]
DEFAULT_AXES = {
    "activation": ["relu", "sigmoid", "tanh"],
    "weight_init": ["xavier", "he", "random"],
    "mode": ["stochastic", "batch", "minibatch"],
}
# Settings that apply to some cells only. In other cells they keep their defaults, and cells that
# become equal are merged.
APPLIES: dict[str, tuple[Callable[[Mapping[str, Any]], bool], str]] = {
    "batch_size": (lambda cell: cell["mode"] == "minibatch", "mode minibatch"),
    "accumulate": (lambda cell: cell["mode"] != "stochastic", "modes minibatch and batch"),
    "sampling": (lambda cell: cell["mode"] != "batch", "modes stochastic and minibatch"),
    "class_weight": (lambda cell: cell["mode"] != "stochastic", "modes minibatch and batch"),
    "activation": (lambda cell: _takes_activation(cell), "layers that name none of their own"),
    "dropout": (lambda cell: _is_deep(cell) and not cell["layers"], "networks with hidden layers"),
    "hidden_layer_sizes": (lambda cell: not cell["layers"], "cells without layers"),
    "input_dropout": (lambda cell: not cell["layers"], "cells without layers"),
    "input_shape": (lambda cell: bool(cell["layers"]), "cells with layers"),
}
MOST_CELLS = 1_000_000

Axis = list[Any] | Distribution


class Grid:
    """Settings and axes of a sweep.

    Parameters
    ----------
    values : mapping of str to object
        Keys are fields of :class:`fastmlp.TrainConfig`. A list, range or array is an axis; any
        other value is a setting of all cells. A value that is itself a sequence is a tuple, or a
        list within the axis. A key may also be a mode (``stochastic``, ``minibatch``, ``batch``)
        with a mapping of the same kind, which overrides the settings in that mode's cells. In
        random search an axis may be a distribution, such as ``"loguniform(0.001, 1)"``.

    Raises
    ------
    ConfigError
        For an unknown setting, an axis without values, or settings for a mode that is not there.
    """

    def __init__(self, values: Mapping[str, Any]):
        if not isinstance(values, Mapping):
            raise ConfigError(
                f"grid must be a mapping of settings to values, got {values!r:.80}; give "
                "{'activation': ['relu', 'tanh']}, for example"
            )
        for name in values:
            if name not in FIELDS and name not in MODES:
                raise ConfigError(f"unknown axis {name!r}{close_match(name, [*FIELDS, *MODES])}")
        self.axes = {name: _axis(name, value) for name, value in values.items() if name in FIELDS}
        self.by_mode = {mode: _mode_axes(mode, values[mode]) for mode in MODES if mode in values}
        modes = self.axes.get("mode", [DEFAULTS["mode"]])
        self.modes: list[str] = modes if isinstance(modes, list) else []
        for mode in self.modes:
            if not isinstance(mode, str):
                raise ConfigError(f"mode must be one of {', '.join(MODES)}, got {mode!r:.80}")
        self._check_modes()

    def to_dict(self) -> dict[str, Any]:
        """Return the grid as plain values, from which it can be restored."""

        def plain(axes: dict[str, Axis]) -> dict[str, Any]:
            return {name: _plain(axis) for name, axis in axes.items()}

        return plain(self.axes) | {mode: plain(axes) for mode, axes in self.by_mode.items()}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that all cells measure."""
        axis = self.axes.get("metrics")
        given = axis[0] if isinstance(axis, list) else ()
        return given if isinstance(given, tuple) else (given,)

    def measuring(self, metric: Metric) -> Grid:
        """Return the grid whose cells also measure a metric."""
        names = [metric_name(given) for given in self.metrics]
        if metric_name(metric) in names:
            return self
        changed = copy.copy(self)
        changed.axes = {**self.axes, "metrics": [(*self.metrics, metric)]}
        return changed

    @property
    def distributions(self) -> list[str]:
        """The axes with a distribution."""
        every = [self.axes, *self.by_mode.values()]
        return [name for axes in every for name, axis in axes.items() if not isinstance(axis, list)]

    def axes_of(self, mode: str) -> dict[str, Axis]:
        """Return the axes of the cells of a mode, without the mode."""
        axes = {**self.axes, **self.by_mode.get(mode, {})}
        axes.pop("mode", None)
        return axes

    def n_combinations(self) -> int:
        """Return the number of cells before equal ones are merged."""
        total = 0
        for mode in self.modes:
            sizes = [len(axis) for axis in self.axes_of(mode).values() if isinstance(axis, list)]
            total += int(np.prod(sizes, dtype=object)) if sizes else 1
        return total

    def settings(self) -> Iterator[dict[str, Any]]:
        """Yield the settings of each combination, mode by mode, the last axis fastest.

        Raises
        ------
        ConfigError
            If an axis is a distribution, or there are too many combinations to go through.
        """
        if self.distributions:
            name = self.distributions[0]
            raise ConfigError(
                f"axis {name} is a distribution, which a full grid cannot contain; give a list, or "
                "a budget for random search"
            )
        if self.n_combinations() > MOST_CELLS:
            raise ConfigError(
                f"a grid must have at most {MOST_CELLS:,} cells, got {self.n_combinations():,}; "
                "shorten axes, or give a budget for random search"
            )
        for mode in self.modes:
            axes = self.axes_of(mode)
            lists = [axis for axis in axes.values() if isinstance(axis, list)]
            for combination in itertools.product(*lists):
                yield self.in_order({"mode": mode, **dict(zip(axes, combination, strict=True))})

    def examples(self) -> list[dict[str, Any]]:
        """Return the settings of a cell of each mode: the first value of every axis."""
        found = []
        for mode in self.modes:
            axes = self.axes_of(mode).items()
            first = {n: axis[0] if isinstance(axis, list) else axis.ends()[0] for n, axis in axes}
            found.append(self.in_order({"mode": mode, **first}))
        return found

    @property
    def seeds(self) -> list[int]:
        """The seeds of each configuration."""
        axis = self.axes.get("seed", [DEFAULTS["seed"]])
        return axis if isinstance(axis, list) else []

    def in_order(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a cell in the order in which the axes were given."""
        order = dict.fromkeys(name for name in (*self.axes, *settings) if name in settings)
        return {name: settings[name] for name in order}

    def check_values(self) -> None:
        """Raise ConfigError for an invalid value, also if it is not drawn."""
        for mode in self.modes:
            axes = self.axes_of(mode)
            first = {name: axis[0] for name, axis in axes.items() if isinstance(axis, list)}
            for name, axis in axes.items():
                for value in axis if isinstance(axis, list) else axis.ends():
                    config_of({"mode": mode, **first, name: value})

    def check_applies(self, cells: Iterable[Mapping[str, Any]]) -> None:
        """Raise ConfigError for a setting that applies to none of the cells, given as settings."""
        unused = {name for name in (*self.axes, *_names(self.by_mode)) if name in APPLIES}
        for cell in cells:
            unused -= {name for name in unused if APPLIES[name][0]({**DEFAULTS, **cell})}
            if not unused:
                return
        for name in sorted(unused):
            raise ConfigError(
                f"{name} applies to no cell of the sweep: it is for {APPLIES[name][1]}; leave it "
                "out, or add such cells"
            )

    def _check_modes(self) -> None:
        for mode in self.by_mode:
            if mode not in self.modes:
                raise ConfigError(
                    f"settings for mode {mode} apply to no cell: the modes are "
                    f"{', '.join(self.modes)}; leave them out, or add the mode"
                )
        for name in self.axes:
            if name != "mode" and all(name in self.by_mode.get(m, {}) for m in self.modes):
                raise ConfigError(
                    f"{name} applies to no cell: every mode has a setting of its own for it; leave "
                    "one out"
                )


def config_of(settings: Mapping[str, Any]) -> TrainConfig:
    """Return the config of a cell; settings that do not apply keep their defaults.

    Raises
    ------
    ConfigError
        For a bad value or an illegal combination, with the cell's settings.
    """
    try:
        return TrainConfig(**applying(settings))
    except ConfigError as error:
        raise in_cell(error, settings) from None


def in_cell(error: ConfigError, settings: Mapping[str, Any]) -> ConfigError:
    """Return an error that names the cell's settings, too."""
    shown = ", ".join(f"{name}={value}" for name, value in settings.items())
    return ConfigError(f"{error} (in the cell {shown})")


def applying(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that apply to a cell."""
    cell = {**DEFAULTS, **settings}
    return {
        name: value
        for name, value in settings.items()
        if name not in APPLIES or APPLIES[name][0](cell)
    }


def _axis(name: str, value: Any) -> Axis:
    if name in _SAME_IN_ALL:
        is_plain = isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)
        value = value[0] if is_plain else value  # as to_dict gives it
        return [tuple(value) if isinstance(value, list) else value]
    distribution = as_distribution(value)
    if distribution is not None:
        if name in ("mode", "seed"):
            raise ConfigError(f"axis {name} must be a list of values, got {value}; list them")
        return distribution
    if isinstance(value, np.ndarray):
        value = value.tolist()
    values = list(value) if isinstance(value, (list, range)) else [value]
    if not values:
        raise ConfigError(f"axis {name} must have at least one value, got {value!r}; leave it out")
    return [_value(item) for item in values]


def _value(item: Any) -> Any:
    if isinstance(item, list):
        return tuple(item)
    return item.item() if isinstance(item, np.generic) else item


def _mode_axes(mode: str, values: Any) -> dict[str, Axis]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{mode} must be a table of settings for that mode, got {values!r:.80}")
    for name in values:
        if name not in FIELDS or name == "mode":
            known = [field for field in FIELDS if field != "mode"]
            raise ConfigError(f"unknown axis {name!r} for mode {mode}{close_match(name, known)}")
    return {name: _axis(name, value) for name, value in values.items()}


def _plain(axis: Axis) -> Any:
    if not isinstance(axis, list):
        return str(axis)
    return [_plain_value(value) for value in axis]


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    return metric_name(value) if callable(value) else value


def _names(by_mode: Mapping[str, Mapping[str, Axis]]) -> list[str]:
    return [name for axes in by_mode.values() for name in axes]


def _is_deep(cell: Mapping[str, Any]) -> bool:
    sizes = cell["hidden_layer_sizes"]
    if cell["layers"]:
        return True
    return not isinstance(sizes, (tuple, list)) or len(sizes) > 0


def _takes_activation(cell: Mapping[str, Any]) -> bool:
    """Whether a hidden layer takes the setting ``activation``."""
    if not cell["layers"]:
        return _is_deep(cell)
    layers = parse_layers(cell["layers"])
    lack = any(layer.complete("identity") is not layer for layer in layers)
    return lack and isinstance(cell["activation"], str)
