"""The averaged prediction of several models, its spread and its loss.

Sums run over the models in their order, element by element, so that a row's bits depend neither on
the other rows nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base.errors import ConfigError
from ..kernels.buffers import Data, Objective
from ..ops.activations import ACTIVATIONS, Activation
from ..ops.layers import Dense
from ..ops.scalers import NO_SCALING
from .encoding import encode
from .evaluation import Evaluation
from .evaluator import NetworkLayout, borrowed
from .task import Task


def check_several(n_models: int) -> None:
    """Raise ConfigError for a single model, which has no standard deviation."""
    if n_models == 1:
        raise ConfigError(
            "a standard deviation needs several models, got one; train with n_models=5 "
            "(--n-models 5)"
        )


def mean_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of arrays of the same shape and dtype; of a single one, itself."""
    if len(arrays) == 1:
        return arrays[0]
    total = arrays[0].copy()
    for array in arrays[1:]:
        total += array
    total /= len(arrays)
    return total


def deviation_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the standard deviation of arrays, with the divisor ``len(arrays)``, in their dtype."""
    wide = [array.astype(np.float64) for array in arrays]
    mean = mean_of(wide)
    deviation: np.ndarray = np.sqrt(mean_of([np.square(array - mean) for array in wide]))
    return deviation.astype(arrays[0].dtype)


def predicted(task: Task, of_models: Sequence[np.ndarray]) -> np.ndarray:
    """Return labels by the mean outputs, or the mean of the predictions of a regression.

    Parameters
    ----------
    task : Task
    of_models : sequence of ndarray, shape (n, n_outputs)
        The outputs of each model.
    """
    if task.kind == "regression":
        return mean_of([task.decode(outputs) for outputs in of_models])
    return task.decode(mean_of(of_models))


def spread(task: Task, of_models: Sequence[np.ndarray]) -> np.ndarray:
    """Return the standard deviation between models, for each row.

    Parameters as for :func:`predicted`.

    Returns
    -------
    ndarray
        Of the predictions of a regression, shape (n,) or (n, n_outputs); of the probability of the
        predicted class, shape (n,); or of the probability of each label, shape (n, n_outputs).
    """
    if task.kind == "regression":
        return deviation_of([task.decode(outputs) for outputs in of_models])
    deviation = deviation_of([task.probabilities(outputs) for outputs in of_models])
    if task.classes is None:
        return deviation
    columns = np.searchsorted(task.classes, predicted(task, of_models))
    of_predicted: np.ndarray = deviation[np.arange(len(columns)), columns]
    return of_predicted


def evaluate_mean(
    of_models: Sequence[np.ndarray],
    data: Data,
    output: Activation,
    task: Task,
    goal: Objective,
    threads: int,
) -> Evaluation:
    """Return the mean outputs of several models, and their loss and hits.

    The loss is computed by its kernel, in a network of one layer that makes these outputs.

    Parameters
    ----------
    of_models : sequence of ndarray, shape (n, n_outputs)
        The outputs of each model for the rows ``data.order``.
    data : Data
        With labels or targets; without sample weights.
    output : Activation
        That made the outputs.
    task : Task
    goal : Objective
    threads : int
    """
    outputs = mean_of(of_models)
    is_fused = goal.is_fused != 0
    activation = output if is_fused else ACTIVATIONS.parse("identity")
    inputs = output.inverse(outputs).astype(outputs.dtype) if is_fused else outputs
    n = task.n_outputs
    labels = data.labels[data.order] if data.labels.size else data.labels
    targets = data.targets[data.order] if len(data.targets) else data.targets
    rows = encode(inputs, NO_SCALING, outputs.dtype, labels, targets)
    layout = NetworkLayout((Dense(n, str(activation)),), (n,), outputs.dtype)
    with borrowed(layout, rows) as evaluator:
        evaluator.take_weights([np.eye(n, dtype=outputs.dtype)], [np.zeros(n, outputs.dtype)])
        loss = evaluator.run(rows, threads, NO_SCALING, goal).loss
    return Evaluation(outputs, loss, task.hits(outputs, labels, targets), of_models)
