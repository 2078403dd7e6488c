"""Predictions as CSV and JSON, and their metrics if targets are known."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..base.errors import DataError
from ..base.json_values import to_json
from ..base.table_options import Positions
from ..base.table_rows import is_table
from ..base.wording import listed, quoted
from ..data.inputs import Inputs
from ..data.tables import KnownColumns
from ..data.targets import one_hot_labels
from ..model.averaging import mean_of, predicted, spread
from ..model.predictor import Predictor
from ..model.table_inputs import stored_rows
from ..model.task import Task
from ..ops.kinds import KINDS
from ..training.metrics import task_metrics
from .image_inputs import fit_to_training
from .running import ignore

# Names of the columns of predictions, which columns of the input must not replace.
RESERVED = ("row", "file", "prediction", "std", "actual")


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions of a model for inputs.

    Parameters
    ----------
    predictor : Predictor
    inputs : Inputs
        Their ``y``, if there is one, in the form of the task: see :func:`targets_for`.
    of_models : sequence of ndarray, shape (n, n_outputs)
        The outputs of each network.
    has_std : bool, default False
        Whether there are columns of the standard deviation between the models.
    """

    predictor: Predictor
    inputs: Inputs
    of_models: Sequence[np.ndarray]
    has_std: bool = False

    @cached_property
    def outputs(self) -> np.ndarray:
        """The mean outputs, shape (n, n_outputs)."""
        return mean_of(self.of_models)

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """The names of columns and their values, a row for each of the inputs."""
        task, files = self.predictor.task, self.inputs.files
        columns: dict[str, list[Any]] = {"file": files or []}
        if files is None:
            columns = {"row": list(range(len(self.outputs)))}
        columns |= {f"input_{n}" if n in RESERVED else n: v for n, v in self.inputs.kept.items()}
        levels = [str(level) for level in task.quantiles] or None
        columns |= _columns("prediction", predicted(task, self.of_models), levels)
        if self.has_std:
            columns |= _columns("std", spread(task, self.of_models), levels)
        if task.kind != "regression":
            last = self.predictor.network.activations[-1]
            what = "probability" if last.gives_probabilities else "output"
            labels = None if task.classes is None else [str(label) for label in task.classes]
            of_models = [task.probabilities(outputs) for outputs in self.of_models]
            columns |= _columns(what, mean_of(of_models), labels)
        if self.inputs.y is not None:
            columns |= {
                name: self._in_rows(values)
                for name, values in _columns("actual", self.inputs.y, None).items()
            }
        return columns

    def _in_rows(self, values: list[Any]) -> list[Any]:
        """Return a value for each row: None where there is no target."""
        if self.inputs.has_target is None:
            return values
        given = iter(values)
        return [next(given) if has else None for has in self.inputs.has_target.tolist()]

    @cached_property
    def metrics(self) -> dict[str, Any] | None:
        """The metrics of the task; None where it is not known what is right."""
        y, has_target = self.inputs.y, self.inputs.has_target
        outputs = self.outputs if has_target is None else self.outputs[has_target]
        if y is None:
            return None
        is_probability = self.predictor.network.gives_probabilities
        return task_metrics(self.predictor.task, y, outputs, None, is_probability)

    def to_csv(self) -> str:
        """Return a table with a header."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        return text.getvalue()

    def to_json(self) -> str:
        """Return an object with a list of predictions, and the metrics if there are any."""
        names, rows = tuple(self.columns), zip(*self.columns.values(), strict=True)
        described: dict[str, Any] = {
            "predictions": [dict(zip(names, row, strict=True)) for row in rows]
        }
        if self.metrics is not None:
            described["metrics"] = self.metrics
        return to_json(described) + "\n"


def known_columns(predictor: Predictor) -> KnownColumns:
    """Return the columns that a model was trained on, as far as it knows them."""
    task, encoding = predictor.task, predictor.encoding
    are_numbers = None
    if encoding is not None:
        are_numbers = tuple(KINDS.parse(kind).holds_numbers for kind in encoding.kinds)
    return KnownColumns(
        predictor.feature_names,
        predictor.target_names,
        predictor.n_columns,
        n_targets=1 if task.classes is not None else task.n_targets,
        is_regression=task.kind == "regression",
        labels_are_texts=task.classes is not None and task.classes.dtype.kind == "U",
        positions=Positions.of(predictor.table),
        image_shape=_image_shape(predictor),
        are_numbers=are_numbers,
    )


def _image_shape(predictor: Predictor) -> tuple[int, ...] | None:
    """Return height, width and channels of a model's images; None if any rows will do."""
    shape = predictor.network.input_shape
    return shape if len(shape) == 3 else None


def targets_for(task: Task, y: np.ndarray) -> np.ndarray:
    """Return targets of a file in the form that a task has them.

    Labels are matched by their texts, since a file may hold 3 where the model has learned "3".

    Raises
    ------
    DataError
        If a label is not known to the model, or targets are not like its outputs.
    """
    if task.classes is not None:
        return _known_labels(task.classes, y)
    is_regression = task.kind == "regression"
    wanted = (len(y),) if is_regression and task.n_targets == 1 else (len(y), task.n_targets)
    if y.dtype.kind not in "biuf" or y.size != np.prod(wanted):
        raise DataError(
            f"targets must be numbers of shape {wanted}, as the model's outputs are, got "
            f"{y.dtype} of shape {y.shape}; give those that belong to this model"
        )
    y = y.reshape(wanted)
    if not (np.isfinite(y).all() if is_regression else np.isin(y, (0, 1)).all()):
        rule = "finite" if is_regression else "0 or 1 for each label"
        raise DataError(f"targets must be {rule}, got others; correct or leave them out")
    return y


def inputs_for(
    predictor: Predictor,
    inputs: Inputs,
    invert: str = "auto",
    notify: Callable[[str], None] = ignore,
) -> Inputs:
    """Return inputs with features and targets in the form of training.

    Parameters
    ----------
    predictor : Predictor
    inputs : Inputs
    invert, notify
        As for :func:`~fastmlp.commands.image_inputs.fit_to_training`.

    Raises
    ------
    ConfigError
        As for :func:`~fastmlp.commands.image_inputs.fit_to_training`.
    DataError
        As for the same, and for :func:`targets_for`.
    """
    X = fit_to_training(predictor, inputs, invert, notify)
    if is_table(X) and not X.kinds:  # not a part of the data trained on
        X, notes = stored_rows(X, predictor.encoding, predictor.features, "input")
        for note in notes:
            notify(note)
    y = None if inputs.y is None else targets_for(predictor.task, inputs.y)
    return inputs._replace(X=X, y=y)


def _known_labels(classes: np.ndarray, y: np.ndarray) -> np.ndarray:
    labels = one_hot_labels(y)
    if labels is not None:
        y = labels
    if y.ndim != 1:
        raise DataError(
            f"labels must be one for each row, or one-hot, got shape {y.shape}; give those "
            "of this model"
        )
    texts = [str(label) for label in y.tolist()]
    indices = {str(label): index for index, label in enumerate(classes.tolist())}
    unknown = sorted(set(texts) - indices.keys())
    if unknown:
        raise DataError(
            f"labels must be those of the model ({listed(list(indices))}), got {quoted(unknown)}; "
            "leave out such rows, or predict those of a run with --part"
        )
    found: np.ndarray = classes[[indices[text] for text in texts]]
    return found


def _columns(name: str, values: np.ndarray, labels: list[str] | None) -> dict[str, list[Any]]:
    """Return a column of one value per row, or one for each label or output."""
    # Numbers as short as they can be read back: those of float32 are long as Python's.
    shown = values if values.dtype.kind != "f" else values.astype(str).astype(np.float64)
    if values.ndim == 1:
        return {name: shown.tolist()}
    labels = labels or [str(j) for j in range(values.shape[1])]
    return {f"{name}_{label}": shown[:, j].tolist() for j, label in enumerate(labels)}
