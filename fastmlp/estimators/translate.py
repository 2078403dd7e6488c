"""From an estimator's parameters to the settings of a training run."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import ConfigError
from ..data.dataset import TASKS
from ..ops.losses import LOSSES
from ..ops.optimizers import SGD, Adam
from ..ops.schedules import Adaptive, InverseScaling
from ..training.config import TrainConfig
from .hidden import drops_units, has_layers, hidden_sizes

LBFGS = "lbfgs"
_MOST_EPOCHS = 2**24 - 1
_MOST = 1e300  # instead of infinity, which settings cannot be
# scikit-learn predicts a label above one half, fastmlp from the threshold on.
_JUST_ABOVE_HALF = float(np.nextafter(0.5, 1.0))


class Circumstances(NamedTuple):
    """Facts that the settings depend on, in addition to the estimator's parameters."""

    task: str  # the kind of a model.task.Task
    loss: str
    output: str
    dtype: str
    rows: int  # in training
    weighted: bool
    validation: bool  # whether there are rows to validate on
    samples_seen: int
    incremental: bool  # whether it is one more epoch of partial_fit
    seed: int


def check_together(estimator: Any, kind: str) -> None:
    """Raise ConfigError if a parameter that scikit-learn does not have would be ignored.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    kind : {"multiclass", "binary", "multilabel", "regression"}
    """
    if estimator.solver == LBFGS:
        for name, why in (
            ("dropout", "whose line search compares values of one function"),
            ("schedule", "which has no learning rate"),
        ):
            value = getattr(estimator, name)
            if value is not None and np.any(np.asarray(value) != 0):
                raise ConfigError(
                    f"{name} does not go with solver 'lbfgs', {why}, got {value!r}; use 'adam'"
                )
        if has_layers(estimator) and drops_units(estimator):
            raise ConfigError(
                f"layers with dropout do not go with solver 'lbfgs', whose line search compares "
                f"values of one function, got {estimator.layers!r}; use 'adam'"
            )
    smoothing = getattr(estimator, "label_smoothing", 0.0)
    loss, _ = loss_and_output(estimator.loss, kind)
    if smoothing and not LOSSES.parse(loss).smooths_labels:
        raise ConfigError(
            f"label_smoothing applies to loss 'log_loss', got {smoothing} with loss "
            f"{estimator.loss!r}; leave it out"
        )


def dataset_task(kind: str) -> str:
    """Return the task of a dataset for the kind of a Task."""
    return kind if kind in TASKS else "classification"


def loss_and_output(loss: str, kind: str) -> tuple[str, str]:
    """Return fastmlp's loss and the activation of the output layer.

    Parameters
    ----------
    loss : str
        An estimator's parameter.
    kind : {"multiclass", "binary", "multilabel", "regression"}
    """
    if loss == "log_loss":
        loss = "cross_entropy" if kind == "multiclass" else "binary_cross_entropy"
    wanted = {"multiclass": "softmax", "regression": "identity"}.get(kind, "sigmoid")
    record = LOSSES.parse(loss)
    # A loss that does not fit the task keeps the task's output, and TrainConfig raises the error.
    if wanted not in record.outputs and record.tasks == (kind,):
        wanted = record.outputs[0]
    return loss, wanted


def train_config(estimator: Any, found: Circumstances) -> TrainConfig:
    """Return the settings of a stochastic fit; the same as scikit-learn's where it has them."""
    patience = estimator.n_iter_no_change
    batch_size = _batch_size(estimator, found.rows)
    alone = batch_size == 1 and not found.weighted
    return _cached_config(
        **_shared(estimator, found),
        optimizer=optimizer_of(estimator),
        learning_rate=_rate(estimator, found),
        mode="stochastic" if alone else "minibatch",
        batch_size=batch_size,
        sampling="shuffle" if estimator.shuffle else "in_order",
        epochs=min(int(estimator.max_iter), _MOST_EPOCHS),
        schedule=_schedule(estimator, found),
        # It stops after more than n_iter_no_change epochs.
        early_stopping=0 if math.isinf(patience) else int(patience) + 1,
        monitor="validation_score" if estimator.early_stopping else "train_objective",
        min_delta=min(float(estimator.tol), _MOST),
        improvement="single",
        restore_best=bool(estimator.early_stopping),
    )


def full_batch_config(estimator: Any, found: Circumstances) -> TrainConfig:
    """Return the settings with which L-BFGS evaluates loss and gradient."""
    return _cached_config(
        **_shared(estimator, found),
        optimizer="sgd",
        learning_rate=1.0,
        mode="batch",
        schedule="constant",
        epochs=1,
        monitor="train_objective",
        restore_best=False,
    )


def _shared(estimator: Any, found: Circumstances) -> dict[str, Any]:
    activation = estimator.activation
    return {
        "task": dataset_task(found.task),
        "split": "none",
        "validation": 0.1 if found.validation else 0.0,
        # The encoding of a table scales its numbers.
        "scale": "none" if estimator.scale is None or estimator._kinds else str(estimator.scale),
        "target_scale": "none",
        **_hidden(estimator),
        "activation": activation if isinstance(activation, str) else tuple(activation),
        "output_activation": found.output,
        "loss": found.loss,
        "weight_init": "glorot_uniform",
        "l2": min(float(estimator.alpha), _MOST),
        "penalty_per_row": True,
        "clip_norm": 0.0,
        "label_smoothing": float(getattr(estimator, "label_smoothing", 0.0)),
        "threshold": _JUST_ABOVE_HALF if found.task in ("binary", "multilabel") else 0.5,
        "loss_limit": 0.0,
        "seed": found.seed,
        "dtype": found.dtype,
    }


def _hidden(estimator: Any) -> dict[str, Any]:
    if estimator._layers:
        return {
            "layers": tuple(map(str, estimator._layers)), "input_shape": estimator._input_shape
        }  # fmt: skip
    dropout = estimator.dropout
    return {
        "hidden_layer_sizes": tuple(hidden_sizes(estimator)),
        "dropout": float(dropout) if np.ndim(dropout) == 0 else tuple(map(float, dropout)),
    }


@lru_cache(maxsize=128)
def _cached_config(**fields: Any) -> TrainConfig:
    # Checking all fields takes a millisecond, which partial_fit would spend in each call.
    return TrainConfig(**fields)


def _batch_size(estimator: Any, rows: int) -> int:
    if isinstance(estimator.batch_size, str):
        return min(200, rows)
    return min(int(estimator.batch_size), rows)


def optimizer_of(estimator: Any) -> str:
    """Return the optimizer of a solver, with the parameters that scikit-learn's solvers have."""
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        if momentum == 0:
            return "sgd"
        return str(SGD(momentum, bool(estimator.nesterovs_momentum), with_rate=True))
    if estimator.solver == "adam":
        return str(
            Adam(
                float(estimator.beta_1), float(estimator.beta_2), float(estimator.epsilon),
                epsilon_hat=True,
            )
        )  # fmt: skip
    return str(estimator.solver)


def _rate(estimator: Any, found: Circumstances) -> float:
    rate = float(estimator.learning_rate_init)
    if _scales_inversely(estimator) and found.incremental:
        # Calls have different numbers of rows, so the rate depends on the samples seen.
        rate /= (1 + found.samples_seen) ** float(estimator.power_t)
    return rate


def _scales_inversely(estimator: Any) -> bool:
    return (
        estimator.schedule is None
        and estimator.solver == "sgd"
        and bool(estimator.learning_rate == "invscaling")
    )


def _schedule(estimator: Any, found: Circumstances) -> str:
    if estimator.schedule is not None:
        return str(estimator.schedule)
    if estimator.solver != "sgd":
        return "constant"  # as scikit-learn, which lets others than sgd ignore learning_rate
    if _scales_inversely(estimator) and not found.incremental:
        return str(InverseScaling(float(estimator.power_t), found.samples_seen))
    if estimator.learning_rate == "adaptive" and not math.isinf(estimator.n_iter_no_change):
        return str(Adaptive())
    return "constant"
