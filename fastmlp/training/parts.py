"""A model on each part of the data, when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..base.csr import Features
from ..data.dataset import Dataset
from ..data.split import PARTS, parts
from ..model.averaging import spread
from ..model.predictor import Predictor
from ..ops.losses import LOSSES
from .config import TrainConfig
from .datasets import selected_rows
from .metrics import task_metrics

SETS = "sets"


class PartOutputs(NamedTuple):
    """A part of the data and the network's outputs on it.

    Attributes
    ----------
    name : {"training", "validation", "test"}
    X, y : array_like
        As in the data.
    outputs : ndarray, shape (n, n_outputs)
    loss : float
    rows : ndarray of int, shape (n,)
        Their indices in the dataset.
    of_models : sequence of ndarray
        Of an ensemble: the outputs of each network.
    """

    name: str
    X: Features
    y: np.ndarray
    outputs: np.ndarray
    loss: float
    rows: np.ndarray
    of_models: Sequence[np.ndarray] = ()


class RunMetrics(dict[str, Any]):
    """Metrics measured by a run, and under "sets" those of each whole part.

    ``metrics["sets"]["test"]`` has what ``metrics.json`` has for the test part, such as ``r2``,
    ``mae`` in the units of the targets, ``roc_auc`` or ``log_loss``. It is computed when it is
    first asked for, and is none of the keys before.

    Parameters
    ----------
    measured : mapping of str to float or None
    evaluate : callable, optional
        Returns the metrics by part; None: they are not available, as in a copy by pickle.
    """

    def __init__(
        self,
        measured: Mapping[str, Any],
        evaluate: Callable[[], dict[str, Any]] | None = None,
    ):
        super().__init__(measured)
        self._evaluate = evaluate
        self._sets: dict[str, Any] | None = None

    def __missing__(self, name: str) -> Any:
        if name != SETS or (self._sets is None and self._evaluate is None):
            raise KeyError(name)
        if self._sets is None:
            assert self._evaluate is not None
            self._sets = self._evaluate()
        return self._sets

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __reduce__(self) -> tuple[Any, ...]:  # without the data
        return type(self), (dict(self),), {"_sets": self._sets}


def evaluated_parts(
    predictor: Predictor, config: TrainConfig, dataset: Dataset, threads: int | None = None
) -> Iterator[PartOutputs]:
    """Split a dataset as for training and yield the outputs on each part.

    Parameters
    ----------
    predictor : Predictor
    config : TrainConfig
        Resolved.
    dataset : Dataset
        That was trained on, with the rows that the config selects.
    threads : int, optional
        Default: all CPUs that this process may use.
    """
    split = parts(dataset, **config.split_settings)
    loss = LOSSES.parse(config.loss)
    for name, ending in PARTS.items():
        X, y = getattr(split, f"X_{ending}"), getattr(split, f"y_{ending}")
        if X is not None and y is not None:
            found = predictor.evaluate(X, y, loss, threads)
            rows = getattr(split, f"rows_{ending}")
            yield PartOutputs(name, X, y, found.outputs, found.loss, rows, found.of_models)


def part_metrics(
    predictor: Predictor, part: PartOutputs, target_names: tuple[str, ...] | None
) -> dict[str, Any]:
    """Return rows, loss, and what :func:`~fastmlp.training.metrics.task_metrics` returns."""
    metrics = {"rows": len(part.y), "loss": part.loss}
    if part.of_models:
        apart = spread(predictor.task, part.of_models)
        metrics["spread"] = float(apart.mean(dtype=np.float64))
    return metrics | task_metrics(
        predictor.task, part.y, part.outputs, target_names, predictor.network.gives_probabilities
    )


def metrics_by_part(
    predictor: Predictor, config: TrainConfig, dataset: Dataset, threads: int | None = None
) -> dict[str, dict[str, Any]]:
    """Return the metrics of each part of a dataset that was trained on."""
    dataset = selected_rows(dataset, config)
    return {
        part.name: part_metrics(predictor, part, dataset.target_names)
        for part in evaluated_parts(predictor, config, dataset, threads)
    }
