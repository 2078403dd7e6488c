"""The cells of a sweep: resolved settings, each with a unique key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..base.errors import ConfigError
from ..data.dataset import Dataset
from ..data.fingerprint import data_hash
from ..ops.layer_lists import multiply_adds, shapes
from ..training.config import TrainConfig
from ..training.datasets import dataset_of, selected_rows
from ..training.identity import NAMES_OF_DATA
from ..training.layers import network_layers
from ..training.resolve import Resolved, resolve
from .grid import applying, config_of, in_cell
from .leaderboard import Trial

# Nanoseconds for a sample and a multiply-add, measured on 784-128-10: only their order counts.
_COST = {"stochastic": 1.6, "minibatch": 1.3, "batch": 0.9}
Loader = Callable[[TrainConfig], Dataset]


@dataclass(frozen=True, eq=False)
class Cell:
    """A run of a sweep.

    Attributes
    ----------
    key : str
        Hash of the resolved settings and of the data.
    settings : dict
        As given, those that apply to the cell.
    resolved : Resolved
    data_key : str
        Which of the datasets.
    """

    key: str
    settings: dict[str, Any]
    resolved: Resolved
    data_key: str

    @property
    def config(self) -> TrainConfig:
        """All resolved settings."""
        return self.resolved.config


class Datasets:
    """The data of a sweep: one set that is given, or those that settings name.

    Parameters
    ----------
    dataset : Dataset or None
    load : callable, optional
        Returns the dataset that a config names; default: :func:`fastmlp.load_dataset`.
    """

    def __init__(self, dataset: Dataset | None, load: Loader | None = None):
        self._load = load or dataset_of
        self._given = dataset
        self._loaded: dict[tuple[Any, ...], Dataset] = {}
        self._hashes: dict[int, str] = {}
        self.by_key: dict[str, Dataset] = {}
        self._selected: dict[tuple[str, tuple[str, ...], str], Dataset] = {}

    def of(self, config: TrainConfig) -> str:
        """Return the key of a config's dataset: a hash of its content."""
        dataset = self._given
        if dataset is None:
            name = (config.task, *(getattr(config, field) for field in NAMES_OF_DATA))
            if name not in self._loaded:
                self._loaded[name] = self._load(config)
            dataset = self._loaded[name]
        if id(dataset) not in self._hashes:
            self._hashes[id(dataset)] = data_hash(dataset)
        key = self._hashes[id(dataset)]
        self.by_key[key] = dataset
        return key

    def part(self, data_key: str, config: TrainConfig) -> Dataset:
        """Return the rows of a dataset that a config selects."""
        kept = (data_key, config.classes, config.missing)
        if kept not in self._selected:
            self._selected[kept] = selected_rows(self.by_key[data_key], config)
        return self._selected[kept]

    def of_cell(self, cell: Cell) -> Dataset:
        """Return the rows of its dataset that a cell selects."""
        return self.part(cell.data_key, cell.config)

    def check_names(self, settings: Iterable[str]) -> None:
        """Raise ConfigError for settings of data if a dataset is given."""
        for name in settings:
            if name in NAMES_OF_DATA and self._given is not None:
                raise ConfigError(
                    f"{name} applies to no cell: the dataset is given; leave one of them out"
                )


def make_cells(all_settings: Iterable[Mapping[str, Any]], datasets: Datasets) -> list[Cell]:
    """Return the distinct cells of some settings.

    Raises
    ------
    ConfigError, DataError
        For a cell that cannot be run on the data.
    """
    cells: dict[str, Cell] = {}
    for settings in all_settings:
        config = config_of(settings)
        if config.validation == 0:
            raise ConfigError(
                "validation must be above 0 in a sweep, which ranks cells on validation results, "
                "got 0; leave it out, or set it to 0.1, for example"
            )
        data_key = datasets.of(config)
        try:
            resolved = resolve(config, datasets.part(data_key, config))
        except ConfigError as error:
            raise in_cell(error, settings) from None
        given = {name: config.to_dict()[name] for name in applying(settings)}
        key = _key(resolved.config, data_key)
        cells.setdefault(key, Cell(key, given, resolved, data_key))
    return list(cells.values())


def with_epochs(cell: Cell, epochs: int) -> Cell:
    """Return a cell that runs for another number of epochs."""
    config = cell.config.replace(epochs=epochs)
    return replace(
        cell,
        key=_key(config, cell.data_key),
        settings={**cell.settings, "epochs": epochs},
        resolved=Resolved(config, cell.resolved.task),
    )


def varying(cells: Iterable[Cell]) -> list[str]:
    """Return the settings in which cells differ."""
    found: dict[str, set[str]] = {}
    for cell in cells:
        for name, value in cell.settings.items():
            found.setdefault(name, set()).add(json.dumps(value))
    return [name for name, values in found.items() if len(values) > 1]


def cell_of(trial: Trial, datasets: Datasets) -> Cell | None:
    """Return the cell of a recorded trial; None if its data or a function are not available."""
    try:
        config = TrainConfig.from_dict(trial.config)
    except ConfigError:  # a metric that is a function
        return None
    for data_key in datasets.by_key:
        if _key(config, data_key) == trial.key:
            resolved = resolve(config, datasets.part(data_key, config))
            return Cell(trial.key, trial.settings, resolved, data_key)
    return None


def longest_first(cells: Iterable[Cell], datasets: Datasets) -> list[Cell]:
    """Return cells in the order to run them, the longest first, so that no core waits long.

    Cells of equal cost are ordered by seed, so that those that share prepared data are adjacent.
    """
    return sorted(cells, key=lambda cell: (-cost(cell, datasets), cell.config.seed, cell.key))


def cost(cell: Cell, datasets: Datasets) -> float:
    """Return about how many seconds a cell takes on one thread."""
    config, dataset = cell.config, datasets.by_key[cell.data_key]
    layers = network_layers(config, cell.resolved.task.n_outputs)
    work = multiply_adds(layers, shapes(layers, config.input_shape or (dataset.n_features,)))
    epochs = config.n_models * config.epochs
    return 1e-9 * _COST[config.mode] * epochs * len(dataset.y) * (work / 20 + 1000)


def _key(config: TrainConfig, data_key: str) -> str:
    values = {name: v for name, v in config.to_dict().items() if name not in NAMES_OF_DATA}
    text = json.dumps({"config": values, "data": data_key}, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
