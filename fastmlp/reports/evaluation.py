"""A run's model on the training, validation and test parts: predictions and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..base.conversion import as_dense
from ..base.csr import Features
from ..base.table_rows import is_table
from ..data.dataset import Dataset
from ..data.fingerprint import data_hash
from ..model.averaging import spread
from ..model.network import Network
from ..model.task import Task
from ..ops.kinds import ColumnFacts
from ..training.datasets import selected_rows
from ..training.metrics import task_metrics
from ..training.parts import evaluated_parts
from ..training.resolve import changed_settings
from ..training.result import TrainResult
from .images import as_shown


class SomeRows:
    """Some rows of a matrix, accessed by their indices in it.

    Parameters
    ----------
    X : ndarray, csr_array or TableRows, shape (n, n_features)
        Not kept.
    rows : ndarray of int
        Ascending.
    """

    def __init__(self, X: Features, rows: np.ndarray):
        self._rows = rows
        self._X: Features = X[rows] if is_table(X) else as_dense(X[rows], "X")

    def __getitem__(self, rows: np.ndarray) -> Features:
        others = np.setdiff1d(rows, self._rows)
        if others.size:
            raise IndexError(f"rows must be among the {self._rows.size} kept, got {others}")
        return self._X[np.searchsorted(self._rows, rows)]


@dataclass(frozen=True, eq=False)
class EvaluatedPart:
    """One part of the data, and the model's results on it.

    Attributes
    ----------
    name : {"training", "validation", "test"}
    task : Task
    X : ndarray, csr_array, TableRows or SomeRows, shape (n, n_features)
        Raw features.
    y : ndarray, shape (n,) or (n, n_outputs)
    outputs : ndarray, shape (n, n_outputs)
        The network's.
    loss : float
        Mean over the rows; of scaled targets, if they were scaled.
    target_names : tuple of str or None
    is_table : bool
        Whether rows have columns of several kinds.
    gives_probabilities : bool
        Whether outputs are probabilities: of a softmax or a sigmoid.
    spread : ndarray or None
        The standard deviation between the models of an ensemble, see
        :func:`~fastmlp.model.averaging.spread`.
    lines : ndarray of int, shape (n,), or None
        The line of the file at which each row begins.
    """

    name: str
    task: Task
    X: Features | SomeRows
    y: np.ndarray
    outputs: np.ndarray
    loss: float
    target_names: tuple[str, ...] | None = None
    is_table: bool = False
    gives_probabilities: bool = False
    spread: np.ndarray | None = None
    lines: np.ndarray | None = None

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """rows, loss, and what :func:`~fastmlp.training.metrics.task_metrics` returns.

        Computed when first asked for, so that the data can be freed before scikit-learn is loaded.
        """
        metrics = {"rows": len(self.y), "loss": self.loss}
        if self.spread is not None:
            metrics["spread"] = float(self.spread.mean(dtype=np.float64))
        return metrics | task_metrics(
            self.task, self.y, self.outputs, self.target_names, self.gives_probabilities
        )

    @cached_property
    def predicted(self) -> np.ndarray:
        """Labels or numbers, shaped like ``y``; of quantiles the one nearest to the median."""
        return self.task.decode_one(self.outputs)

    @cached_property
    def confidence(self) -> np.ndarray:
        """The output for the predicted class, shape (n,); of two classes the share of it."""
        if self.task.kind != "binary":
            largest: np.ndarray = self.outputs.max(axis=1)
            return largest
        positive = self.outputs[:, 0]
        confidence: np.ndarray = np.where(positive >= self.task.threshold, positive, 1 - positive)
        return confidence

    def mistakes(self, most: int) -> np.ndarray:
        """Return the rows that were predicted wrongly with most confidence, the worst first."""
        (wrong,) = np.nonzero(self.predicted != self.y)
        order = np.argsort(-self.confidence[wrong], kind="stable")
        rows: np.ndarray = wrong[order[:most]]
        return rows

    def largest_errors(self, most: int) -> np.ndarray:
        """Return the rows of a regression of one target with the largest errors, finite ones."""
        errors = np.abs(np.asarray(self.predicted, np.float64) - self.y)
        order = np.argsort(-errors, kind="stable")
        rows: np.ndarray = order[np.isfinite(errors[order])][:most]
        return rows

    def worst(self, most: int) -> np.ndarray:
        """Return the mistakes, or the largest errors; none of several labels or targets."""
        if self.task.classes is not None:
            return self.mistakes(most)
        return self.largest_errors(most) if self.y.ndim == 1 else np.empty(0, int)


class ColumnImportance(NamedTuple):
    """How much the loss rises if a column is shuffled: mean and standard deviation over repeats."""

    name: str
    mean: float
    sd: float
    repeats: int


class Importance(NamedTuple):
    """The importance of columns.

    Attributes
    ----------
    part : str
        The part that it was measured on.
    rows : int
        Number of its rows that were used.
    n_columns : int
        Number of all columns; there was no time for the others.
    columns : list of ColumnImportance
        The most important first.
    """

    part: str
    rows: int
    n_columns: int
    columns: list[ColumnImportance]


@dataclass(frozen=True, eq=False)
class RunEvaluation:
    """A run and its model's results: everything that plots and pages show.

    Attributes
    ----------
    result : TrainResult
    parts : list of EvaluatedPart
        Training, validation and test, those that there are.
    image_shape : (int, int) or (int, int, int) or None
        Height and width, where a row is an image; and channels, if it has several.
    feature_range : (float, float) or None
        The range the features are known to come from.
    column_facts : tuple of ColumnFacts
        Of the columns of a table of several kinds.
    changed : tuple of str
        Settings that differ from their defaults.
    fingerprint : str
        Of the whole data.
    feature_names : tuple of str or None
    importance : Importance or None
        Of the columns of a table, if it was measured.
    """

    result: TrainResult
    parts: list[EvaluatedPart]
    image_shape: tuple[int, ...] | None
    feature_range: tuple[float, float] | None
    column_facts: tuple[ColumnFacts, ...] = ()
    changed: tuple[str, ...] = ()
    fingerprint: str = ""
    feature_names: tuple[str, ...] | None = None
    importance: Importance | None = None

    @property
    def judged(self) -> EvaluatedPart:
        """The part to judge the model by: test, else validation, else training."""
        return self.parts[-1]

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Return the metrics by part."""
        return {part.name: part.metrics for part in self.parts}

    def images(self, part: EvaluatedPart, rows: np.ndarray) -> np.ndarray:
        """Return some rows of a part as images, shape (n, height, width), or with 3 colours."""
        if self.image_shape is None:
            raise ValueError("rows of these data are no images")
        return as_shown(as_dense(part.X[rows], "X").reshape(-1, *self.image_shape))


def evaluate_run(
    result: TrainResult, dataset: Dataset, threads: int | None = None
) -> RunEvaluation:
    """Split a dataset as for training and evaluate the model on each part.

    Parameters
    ----------
    result : TrainResult
    dataset : Dataset
        That was trained on.
    threads : int, optional
        Default: all CPUs that this process may use.
    """
    config, predictor = result.config, result.predictor
    fingerprint = data_hash(dataset)
    dataset = selected_rows(dataset, config)
    task, lines = predictor.task, _all_lines(dataset)
    evaluated = [
        EvaluatedPart(
            part.name, task, part.X, part.y, part.outputs, part.loss, dataset.target_names,
            is_table(part.X), predictor.network.gives_probabilities,
            spread(task, part.of_models) if part.of_models else None,
            None if lines is None else lines[part.rows],
        )
        for part in evaluated_parts(predictor, config, dataset, threads)
    ]  # fmt: skip
    shape = dataset.image_shape or image_shape_of(predictor.network)
    return RunEvaluation(
        result, evaluated, shape, dataset.feature_range, dataset.column_facts,
        changed_settings(config, dataset), fingerprint, dataset.feature_names,
    )  # fmt: skip


def _all_lines(dataset: Dataset) -> np.ndarray | None:
    """Return the lines of all rows, in the order of the indices in the parts."""
    pairs = [
        (dataset.y, dataset.lines), (dataset.y_test, dataset.lines_test),
        (dataset.y_validation, dataset.lines_validation),
    ]  # fmt: skip
    found = [lines for y, lines in pairs if y is not None]
    known = [lines for lines in found if lines is not None]
    return np.concatenate(known) if len(known) == len(found) else None


def image_shape_of(network: Network) -> tuple[int, ...] | None:
    """Return the shape of the images that a network takes, without a single channel, or None."""
    shape = network.input_shape
    if len(shape) < 3 or min(shape[:2]) < 2:
        return None
    return shape[:2] if shape[2] == 1 else shape
