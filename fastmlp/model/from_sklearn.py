"""Predictors from fitted estimators of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import ConfigError
from ..ops.activations import ACTIVATIONS
from ..ops.layer_lists import dense_layers
from ..ops.scalers import NO_SCALING, Scaling
from .network import Network
from .predictor import Predictor
from .task import Task

# Of scikit-learn's names, without which an estimator is none of its multilayer perceptrons.
_FITTED = ("coefs_", "intercepts_", "out_activation_", "n_outputs_", "activation")


def predictor_of(estimator: Any) -> Predictor:
    """Return the Predictor of a fitted estimator; see :meth:`Predictor.from_sklearn`."""
    *scalers, last = _steps(estimator)
    if len(scalers) > 1:
        raise ConfigError(
            f"estimator must be an MLP, or one scaler and an MLP, got {len(scalers)} steps before "
            "the MLP; convert the last step, and transform rows yourself"
        )
    own = getattr(last, "to_predictor", None)
    predictor: Predictor = _perceptron(last) if own is None else own()
    return predictor.replace(scaling=_scaling(scalers[0])) if scalers else predictor


def _steps(estimator: Any) -> list[Any]:
    steps = getattr(estimator, "steps", None)
    return [estimator] if steps is None else [step for _, step in steps if step != "passthrough"]


def _perceptron(estimator: Any) -> Predictor:
    if missing := [name for name in _FITTED if not hasattr(estimator, name)]:
        raise ConfigError(
            "estimator must be a fitted MLPClassifier or MLPRegressor, got "
            f"{type(estimator).__name__} without {missing[0]}; fit it first"
        )
    names = {record.sklearn_name: name for name, record in ACTIVATIONS.records.items()}
    given = [estimator.activation] * (len(estimator.coefs_) - 1) + [estimator.out_activation_]
    activations = [ACTIVATIONS.parse(names.get(name, name)) for name in given]
    weights = estimator.coefs_
    layers = dense_layers((array.shape[1] for array in weights), activations)
    network = Network(layers, weights[0].shape[:1], weights[0].dtype)
    network.set_weights(weights, estimator.intercepts_)
    return Predictor(network, NO_SCALING, task_of(estimator))


def task_of(estimator: Any) -> Task:
    """Return the task of a fitted estimator, by its classes and its outputs."""
    classes, n_outputs = getattr(estimator, "classes_", None), int(estimator.n_outputs_)
    if classes is None:
        return Task("regression", n_outputs)
    classes = np.asarray(classes)
    if len(classes) < 2:
        raise ConfigError(
            f"estimator must have two classes or more, got {len(classes)}; it predicts always the "
            "same"
        )
    if n_outputs == 1:
        return Task("binary", 1, classes)
    has_labels = estimator._label_binarizer.y_type_ == "multilabel-indicator"
    return Task("multilabel", n_outputs) if has_labels else Task("multiclass", n_outputs, classes)


def _scaling(scaler: Any) -> Scaling:
    """Return the scaling of a fitted StandardScaler, MinMaxScaler or MaxAbsScaler."""
    name, factor = type(scaler).__name__, getattr(scaler, "scale_", None)
    factor = None if factor is None else np.array(factor, float)
    if name == "StandardScaler":
        n = scaler.n_features_in_
        offset = scaler.mean_ if scaler.with_mean else np.zeros(n)
        factor = np.ones(n) if factor is None else 1 / factor
        return Scaling("standard", np.array(offset, float), factor)
    if name == "MinMaxScaler" and factor is not None and not scaler.clip:
        return Scaling("minmax", -scaler.min_ / factor, factor)
    if name == "MaxAbsScaler" and factor is not None:
        return Scaling("maxabs", np.zeros(len(factor)), 1 / factor)
    raise ConfigError(
        "the step before an MLP must be StandardScaler, MaxAbsScaler, or MinMaxScaler without "
        f"clip, got {scaler}; convert the last step, and transform rows yourself"
    )
